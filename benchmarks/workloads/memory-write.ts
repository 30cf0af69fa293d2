import { strictEqual } from 'node:assert/strict';
import { defineWorkload, type PreparedVariant } from '@cadre/bench';
import { LRUCache } from 'lru-cache';

interface Value {
  readonly score: number;
}

export default defineWorkload<number>({
  question: 'Write small values to the cache in memory, by key, over what was there.',
  claims: [
    {
      what: 'a write',
      unit: 'nanoseconds',
      claimed: 500,
      source: 'the original reports: "memory write 500 ns"',
      read: ({ time }) => time(),
      explain: ({ verdict, figures }) =>
        `${
          verdict === 'missed'
            ? 'A write of ours is awaited, and it copies, freezes and weighs the value so that nobody can change or outgrow what is kept'
            : 'A write of ours copies, freezes and weighs the value'
        }; lru-cache, which keeps the caller’s object, takes ${figures.time('lru-cache').estimate.toFixed(0)} ns here.`,
    },
  ],
  sizes: { full: 1000, small: 1000 },
  make: (size) => {
    const keys = Array.from({ length: size }, (_, index) => `task:${index}:result`);
    const writing = (
      set: (key: string, value: Value) => Promise<void> | void,
      get: (key: string) => Value | undefined,
    ): PreparedVariant<number> => {
      let writes = 0;
      return {
        async run(iterations) {
          for (let iteration = 0; iteration < iterations; iteration += 1) {
            writes += 1;
            for (const key of keys) {
              const waits = set(key, { score: writes });
              if (waits !== undefined) await waits;
            }
          }
          return keys.filter((key) => get(key)?.score === writes).length;
        },
      };
    };
    return {
      unit: 'write',
      unitsPerIteration: size,
      validate: (kept) => strictEqual(kept, size),
      variants: {
        async cadre() {
          const { createCache } = await import('@cadre/cache');
          const cache = createCache();
          return writing(
            (key, value) => cache.set(key, value),
            (key) => cache.peek<Value>(key),
          );
        },
        'lru-cache': () => {
          const cache = new LRUCache<string, Value>({ max: size });
          return writing(
            (key, value) => void cache.set(key, value),
            (key) => cache.get(key),
          );
        },
        Map: () => {
          const map = new Map<string, Value>();
          return writing(
            (key, value) => void map.set(key, value),
            (key) => map.get(key),
          );
        },
      },
    };
  },
});
