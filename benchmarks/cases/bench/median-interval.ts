import { ok, strictEqual } from 'node:assert/strict';
import { defineCase, type Interval, type PreparedVariant, seededRandom } from '@cadre/bench';

const rounds = 11;
const resamples = 4_000;
const draw = seededRandom(7);
const times = Array.from({ length: rounds }, () => 100 + 10 * draw());
const sorted = [...times].sort((a, b) => a - b);

export default defineCase<Interval>({
  question: `How long does the interval of a median of ${rounds} rounds take, from ${resamples} resamples?`,
  unit: 'interval',
  validate: ({ estimate, low, high }) => {
    strictEqual(estimate, sorted[Math.floor(rounds / 2)]);
    // With 11 values the 95 % interval of the bootstrap lies between the second or third and the ninth or tenth.
    ok(low >= (sorted[1] ?? 0) && low <= (sorted[3] ?? 0), `low ${low}`);
    ok(high >= (sorted[7] ?? 0) && high <= (sorted[9] ?? 0), `high ${high}`);
  },
  variants: {
    cadre: async () => {
      const { medianInterval } = await import('@cadre/bench');
      return repeat((seed) => medianInterval(times, { resamples, seed }));
    },
    'simple-statistics': async () => {
      const { medianInterval } = await import('../../rivals/simple-statistics.ts');
      return repeat((seed) => medianInterval(times, resamples, seededRandom(seed)));
    },
    'd3-array': async () => {
      const { medianInterval } = await import('../../rivals/d3-array.ts');
      return repeat((seed) => medianInterval(times, resamples, seededRandom(seed)));
    },
  },
});

function repeat(measure: (seed: number) => Interval): PreparedVariant<Interval> {
  return {
    run(iterations) {
      let interval = measure(1);
      for (let seed = 2; seed <= iterations; seed += 1) interval = measure(seed);
      return interval;
    },
  };
}
