import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { openDiskStore } from './disk.ts';
import { storeContract } from './testing.ts';

const directories: string[] = [];

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'cadre-cache-'));
  directories.push(directory);
  return directory;
}

afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true });
});

describe('openDiskStore', () => {
  storeContract({
    test,
    open: async () => openDiskStore({ directory: await newDirectory(), maxBytes: 2_000_000, maxEntryBytes: 100_000 }),
  });
});
