import { deepStrictEqual } from 'node:assert/strict';
import { defineLoad, type PreparedLoad } from '@cadre/bench';
import { type FilledCache, filledCaches, keys } from '../../memory-hits.ts';

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
    cadre: async () => prepare(await filledCaches.cadre()),
    keyv: async () => prepare(await filledCaches.keyv()),
    cacheable: async () => prepare(await filledCaches.cacheable()),
  },
});

function prepare(cache: FilledCache): PreparedLoad<Summary> {
  let [answered, sum] = [0, 0];
  return {
    async request(index) {
      // Not in one statement: the sum would be the one from before the answer.
      const score = (await cache.find(keys[index % keys.length] ?? ''))?.score ?? Number.NaN;
      sum += score;
      answered += 1;
    },
    summarise: () => ({ answered, sum }),
    close: () => cache.close(),
  };
}

function sumOf(requests: number): number {
  const [rounds, rest] = [Math.floor(requests / keys.length), requests % keys.length];
  return (rounds * keys.length * (keys.length - 1)) / 2 + (rest * (rest - 1)) / 2;
}
