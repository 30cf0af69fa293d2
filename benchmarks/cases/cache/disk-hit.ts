import { deepStrictEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { defineCase, type PreparedVariant } from '@cadre/bench';
import { makeResult } from '../../data.ts';
import { hasSqlite } from '../../rivals/node-sqlite.ts';

const keys = Array.from({ length: 64 }, (_, index) => `result-${index}`);
type Result = ReturnType<typeof makeResult>;

interface Summary {
  readonly ids: number;
  readonly findings: number;
}

interface DiskCache {
  set(key: string, value: Result): Promise<unknown> | unknown;
  get(key: string): Promise<unknown> | unknown;
  close(): Promise<void> | void;
}

export default defineCase<Summary>({
  question: 'How long does it take to get a value of 4 KB that is only on disk (in the page cache)?',
  unit: 'get',
  unitsPerIteration: keys.length,
  validate: (summary) =>
    deepStrictEqual(summary, { ids: (keys.length * (keys.length - 1)) / 2, findings: keys.length * 20 }),
  variants: {
    async cadre({ directory }) {
      const [{ createCache }, { openDiskStore }] = await Promise.all([
        import('@cadre/cache'),
        import('@cadre/cache/disk'),
      ]);
      const store = await openDiskStore({ directory });
      const cache = createCache({ namespace: 'bench', stores: [store], secrets: [randomBytes(32)] });
      return prepare({
        set: (key, value) => cache.set(key, value),
        get: (key) => cache.get(key),
        close: () => cache.close(),
      });
    },
    async bentocache({ directory }) {
      const { openFileBento } = await import('../../rivals/bentocache.ts');
      return prepare(openFileBento(directory));
    },
    async cacache({ directory }) {
      const { openCacache } = await import('../../rivals/cacache.ts');
      return prepare(openCacache(directory));
    },
    async lmdb({ directory }) {
      const { openLmdb } = await import('../../rivals/lmdb.ts');
      return prepare(openLmdb(directory));
    },
    async 'readFileSync + JSON.parse'({ directory }) {
      const { openPlainFiles } = await import('../../rivals/node-fs.ts');
      return prepare(openPlainFiles(directory));
    },
    // Not a need: the oldest Node that all the rest is measured on hasn't got it, and misses nothing that could be installed.
    ...(hasSqlite && { 'node:sqlite': openSqlite }),
  },
});

async function openSqlite({ directory }: { readonly directory: string }): Promise<PreparedVariant<Summary>> {
  const rival = await import('../../rivals/node-sqlite.ts');
  return prepare(rival.openSqlite(directory));
}

async function prepare(cache: DiskCache): Promise<PreparedVariant<Summary>> {
  for (const [id, key] of keys.entries()) await cache.set(key, makeResult(id));
  return {
    async run(iterations) {
      let summary = { ids: 0, findings: 0 };
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        summary = { ids: 0, findings: 0 };
        for (const key of keys) {
          const value = (await cache.get(key)) as Result;
          summary.ids += value.id;
          summary.findings += value.findings.length;
        }
      }
      return summary;
    },
    close: () => cache.close(),
  };
}
