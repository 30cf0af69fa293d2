import { strictEqual } from 'node:assert/strict';
import { defineCase, type PreparedVariant } from '@cadre/bench';

const keys = Array.from({ length: 1000 }, (_, index) => `task:${index}:result`);

interface Value {
  readonly score: number;
}

/** The value under the key, or what `compute` gives, kept. Here every key is kept already. */
type GetOrSet = (key: string, compute: () => Promise<Value>) => Promise<Value | undefined> | Value;

export default defineCase<number>({
  question: 'How long does getOrSet take for a key that is in memory?',
  unit: 'call',
  unitsPerIteration: keys.length,
  validate: (sum) => strictEqual(sum, (keys.length * (keys.length - 1)) / 2),
  variants: {
    async cadre() {
      const { createCache } = await import('@cadre/cache');
      const cache = createCache({ namespace: 'bench' });
      return prepare(
        (key, compute) => cache.getOrSet(key, compute),
        () => cache.close(),
      );
    },
    async 'cadre through peek'() {
      const { createCache } = await import('@cadre/cache');
      const cache = createCache({ namespace: 'bench' });
      return prepare(
        (key, compute) => cache.peek<Value>(key) ?? cache.getOrSet(key, compute),
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
    async bentocache() {
      const { openMemoryBento } = await import('../../rivals/bentocache.ts');
      const bento = openMemoryBento();
      return prepare(bento.getOrSet, bento.close);
    },
  },
});

async function prepare(
  getOrSet: GetOrSet,
  close: () => Promise<void> | void = () => undefined,
): Promise<PreparedVariant<number>> {
  for (const [score, key] of keys.entries()) await getOrSet(key, async () => ({ score }));
  const computeAgain = () => Promise.reject(new Error('The value is no longer in the cache.'));
  return {
    async run(iterations) {
      let sum = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        sum = 0;
        for (const key of keys) {
          const found = getOrSet(key, computeAgain);
          // Only what has to be waited for is: `peek` spares its callers that too.
          sum += (found instanceof Promise ? await found : found)?.score ?? Number.NaN;
        }
      }
      return sum;
    },
    close,
  };
}
