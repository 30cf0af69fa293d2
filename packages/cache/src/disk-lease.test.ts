import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
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

// With a look whether the folder of leases is missing before it is made, whoever came second failed in half of the rounds, and
// computed for itself.
test('one of those who ask in the same instant gets the first lease of a directory, and the others an answer', async () => {
  const where = await mkdtemp(join(tmpdir(), 'cadre-cache-'));
  const program = fileURLToPath(new URL('../test/race-for-leases.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, where, '200']);
  expect(JSON.parse(stdout)).toEqual({ one: 200, other: 0, thrown: [] });
  await rm(where, { recursive: true });
});
