import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { testsOfSharing } from '../test/share-a-tier.ts';

describe('processes that share a directory', () => {
  testsOfSharing({
    kind: 'disk',
    async open() {
      const where = await mkdtemp(join(tmpdir(), 'cadre-cache-'));
      return { where, close: () => rm(where, { recursive: true }) };
    },
  });
});
