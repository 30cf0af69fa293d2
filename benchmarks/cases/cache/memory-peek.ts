import { strictEqual } from 'node:assert/strict';
import { defineCase, type PreparedVariant } from '@cadre/bench';

const keys = Array.from({ length: 1000 }, (_, index) => `task:${index}:result`);

interface ValueMap {
  get(key: string): { readonly score: number } | undefined;
}

export default defineCase<number>({
  question: 'How long does it take to look up a value in memory, synchronously, among 1,000?',
  unit: 'lookup',
  unitsPerIteration: keys.length,
  validate: (sum) => strictEqual(sum, (keys.length * (keys.length - 1)) / 2),
  variants: {
    async cadre() {
      const { createCache } = await import('@cadre/cache');
      const cache = createCache({ namespace: 'bench' });
      for (const [score, key] of keys.entries()) await cache.set(key, { score });
      return prepare({ get: (key) => cache.peek(key) }, () => cache.close());
    },
    async 'lru-cache'() {
      const { openLruMap } = await import('../../rivals/lru-cache.ts');
      return prepare(openLruMap(keys.map((key, score) => [key, { score }])));
    },
    Map: () => prepare(new Map(keys.map((key, score) => [key, { score }]))),
  },
});

function prepare(map: ValueMap, close: () => Promise<void> | void = () => undefined): PreparedVariant<number> {
  return {
    run(iterations) {
      let sum = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        sum = 0;
        for (const key of keys) sum += map.get(key)?.score ?? Number.NaN;
      }
      return sum;
    },
    close,
  };
}
