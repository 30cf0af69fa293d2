import { deepStrictEqual } from 'node:assert/strict';
import { defineLoad, type PreparedLoad } from '@cadre/bench';

const keys = Array.from({ length: 1000 }, (_, index) => `task:${index}:result`);

interface Summary {
  readonly answered: number;
  readonly sum: number;
}

export default defineLoad<Summary>({
  question: 'How long does getOrSet of a key in memory take when 10,000 a second are asked, however long answers take?',
  unit: 'call',
  ratePerSecond: 10_000,
  warmupMs: 300,
  durationMs: 1000,
  validate: (summary, requests) => deepStrictEqual(summary, { answered: requests, sum: sumOf(requests) }),
  variants: {
    async cadre() {
      const { createCache } = await import('@cadre/cache');
      const cache = createCache({ namespace: 'bench' });
      return prepare(
        (key, compute) => cache.getOrSet(key, compute),
        () => cache.close(),
      );
    },
    async keyv() {
      const { openKeyv } = await import('../../rivals/keyv.ts');
      return prepare(openKeyv());
    },
    async cacheable() {
      const { openCacheable } = await import('../../rivals/cacheable.ts');
      return prepare(openCacheable());
    },
  },
});

interface Value {
  readonly score: number;
}

async function prepare(
  getOrSet: (key: string, compute: () => Promise<Value>) => Promise<Value | undefined>,
  close: () => Promise<void> | void = () => undefined,
): Promise<PreparedLoad<Summary>> {
  for (const [score, key] of keys.entries()) await getOrSet(key, async () => ({ score }));
  const computeAgain = () => Promise.reject(new Error('The value is no longer in the cache.'));
  let [answered, sum] = [0, 0];
  return {
    async request(index) {
      // Not in one statement: the sum would be the one from before the answer.
      const score = (await getOrSet(keys[index % keys.length] ?? '', computeAgain))?.score ?? Number.NaN;
      sum += score;
      answered += 1;
    },
    summarise: () => ({ answered, sum }),
    close,
  };
}

function sumOf(requests: number): number {
  const [rounds, rest] = [Math.floor(requests / keys.length), requests % keys.length];
  return (rounds * keys.length * (keys.length - 1)) / 2 + (rest * (rest - 1)) / 2;
}
