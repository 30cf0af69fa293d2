import { strictEqual } from 'node:assert/strict';
import { defineWorkload, type PreparedVariant } from '@cadre/bench';

interface Value {
  readonly score: number;
}

export default defineWorkload<number>({
  question: 'Read values that are in memory, by key.',
  claims: [
    {
      what: 'a read',
      unit: 'nanoseconds',
      claimed: 100,
      source: 'the original reports: "memory read 100 ns"',
      read: ({ time }) => time(),
      explain: ({ verdict, figures }) =>
        `${verdict === 'missed' ? 'Deadlines and counters are checked too' : 'A peek is one look-up with its checks'}; a bare Map takes ${figures
          .time('Map')
          .estimate.toFixed(0)} ns here, lru-cache ${figures.time('lru-cache').estimate.toFixed(0)} ns.`,
    },
  ],
  sizes: { full: 1000, small: 1000 },
  make: (size) => {
    const entries = Array.from({ length: size }, (_, score): [string, Value] => [`task:${score}:result`, { score }]);
    const keys = entries.map(([key]) => key);
    const reading = (get: (key: string) => Value | undefined): PreparedVariant<number> => ({
      run(iterations) {
        let sum = 0;
        for (let iteration = 0; iteration < iterations; iteration += 1) {
          sum = 0;
          for (const key of keys) sum += get(key)?.score ?? Number.NaN;
        }
        return sum;
      },
    });
    return {
      unit: 'read',
      unitsPerIteration: size,
      validate: (sum) => strictEqual(sum, (size * (size - 1)) / 2),
      variants: {
        async cadre() {
          const { createCache } = await import('@cadre/cache');
          const cache = createCache();
          for (const [key, value] of entries) await cache.set(key, value);
          return reading((key) => cache.peek<Value>(key));
        },
        async 'lru-cache'() {
          const { openLruMap } = await import('../rivals/lru-cache.ts');
          const cache = openLruMap(entries);
          return reading((key) => cache.get(key));
        },
        Map: () => {
          const map = new Map(entries);
          return reading((key) => map.get(key));
        },
      },
    };
  },
});
