import { strictEqual } from 'node:assert/strict';
import { defineWorkload } from '../../dist/index.js';

const explain = ({ verdict }) => `It was ${verdict} because of how it was made.`;
const source = 'this test';

export default defineWorkload({
  question: 'Add numbers.',
  claims: [
    { what: 'easy', unit: 'nanoseconds', claimed: 1e12, source, read: ({ time }) => time(), explain },
    { what: 'impossible', unit: 'perSecond', claimed: 1e15, source, read: ({ rate }) => rate(), explain },
    { what: 'probed | exact', unit: 'timesExactly', claimed: 7, source, read: ({ probe }) => probe('seven'), explain },
    { what: 'open', unit: 'times', source, read: ({ times }) => times('backwards'), explain },
  ],
  probes: { seven: ({ directory }) => (directory === '' ? 0 : 7) },
  sizes: { full: 1000, small: 10 },
  make: (size) => ({
    unit: 'sum',
    validate: (sum) => strictEqual(sum, (size * (size - 1)) / 2),
    variants: {
      cadre: () => summing(Array.from({ length: size }, (_, index) => index)),
      backwards: () => summing(Array.from({ length: size }, (_, index) => size - 1 - index)),
    },
  }),
});

function summing(numbers) {
  return {
    run(iterations) {
      let sum = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        sum = 0;
        for (const number of numbers) sum += number;
      }
      return sum;
    },
  };
}
