import { strictEqual } from 'node:assert/strict';
import { defineCase, type PreparedVariant } from '@cadre/bench';
import { type FilledCache, filledCaches, keys } from '../../memory-hits.ts';

export default defineCase<number>({
  question: 'How long does getOrSet take for a key that is in memory?',
  unit: 'call',
  unitsPerIteration: keys.length,
  validate: (sum) => strictEqual(sum, (keys.length * (keys.length - 1)) / 2),
  variants: Object.fromEntries(
    Object.entries(filledCaches).map(([name, open]) => [name, async () => prepare(await open())]),
  ),
});

function prepare(cache: FilledCache): PreparedVariant<number> {
  return {
    async run(iterations) {
      let sum = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        sum = 0;
        for (const key of keys) {
          const found = cache.find(key);
          sum += (found instanceof Promise ? await found : found)?.score ?? Number.NaN;
        }
      }
      return sum;
    },
    close: () => cache.close(),
  };
}
