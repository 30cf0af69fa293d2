import { describe, expect, test } from 'vitest';
import { median, medianInterval, medianRatioInterval, pairedRatios, quantile, seededRandom } from './stats.ts';

describe('quantile', () => {
  test.for([
    { values: [3], share: 0.5, expected: 3 },
    { values: [4, 1], share: 0.5, expected: 2.5 },
    { values: [5, 1, 4, 2, 3], share: 0.5, expected: 3 },
    { values: [1, 2, 3, 4], share: 0.25, expected: 1.75 },
    { values: [1, 2, 3, 4], share: 1, expected: 4 },
  ])('of $values at $share is $expected, as R and NumPy say', ({ values, share, expected }) => {
    expect(quantile(values, share)).toBe(expected);
  });

  test('sorts by value, not by text', () => {
    expect(median([10, 9, 100])).toBe(10);
  });

  test('refuses an empty list', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('medianInterval', () => {
  test.for([1, 2, 11, 32, 33, 60])('agrees with the plain way to draw and sort, for %i values', (length) => {
    const noise = seededRandom(length);
    const values = Array.from({ length }, () => Math.floor(noise() * 20));
    const random = seededRandom(5);
    const medians = Array.from({ length: 200 }, () =>
      median(values.map(() => values[Math.floor(random() * length)] ?? Number.NaN)),
    );
    const { low, high } = medianInterval(values, { resamples: 200, seed: 5 });
    expect([low, high]).toEqual(
      [quantile(medians, 0.025), quantile(medians, 0.975)].map((end) => expect.closeTo(end, 10)),
    );
  });

  test('of equal values is that value', () => {
    expect(medianInterval([2, 2, 2, 2, 2])).toEqual({ estimate: 2, low: 2, high: 2 });
  });

  test('of 1 to 11 meets the interval known from the binomial distribution', () => {
    // The bootstrap distribution of a median of 11 puts 2.9 % at or below 3, and 9.2 % at or below 4; so the 2.5 % point is 3.
    expect(medianInterval([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])).toEqual({ estimate: 6, low: 3, high: 9 });
  });

  test('is the same for the same seed', () => {
    const values = [1.1, 0.9, 1.3, 1.02, 0.97];
    expect(medianInterval(values, { seed: 7 })).toEqual(medianInterval(values, { seed: 7 }));
  });

  test('holds the true median in 90 to 99 of 100 samples of 11', () => {
    const random = seededRandom(42);
    const trials = 400;
    let held = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const sample = Array.from({ length: 11 }, () => Math.exp(0.1 * gaussian(random)));
      const { low, high } = medianInterval(sample, { resamples: 800, seed: trial });
      if (low <= 1 && 1 <= high) held += 1;
    }
    expect(held / trials).toBeGreaterThan(0.9);
    expect(held / trials).toBeLessThan(0.99);
  });

  test('refuses a confidence that is not a share', () => {
    expect(() => medianInterval([1], { confidence: 95 })).toThrow(RangeError);
  });
});

describe('medianRatioInterval', () => {
  test('divides the medians of two lists of unequal length', () => {
    expect(medianRatioInterval([6, 6, 6], [3, 3, 3, 3])).toEqual({ estimate: 2, low: 2, high: 2 });
  });
});

describe('pairedRatios', () => {
  test('cancels what both share in a round', () => {
    expect(pairedRatios([10, 200, 3000], [5, 100, 1500])).toEqual([2, 2, 2]);
  });

  test('refuses lists that cannot be paired', () => {
    expect(() => pairedRatios([1, 2], [1])).toThrow(RangeError);
  });
});

describe('seededRandom', () => {
  test('spreads evenly over [0, 1)', () => {
    const random = seededRandom(1);
    const counts = [0, 0, 0, 0];
    for (let draw = 0; draw < 40_000; draw += 1) {
      const quarter = Math.floor(random() * 4);
      counts[quarter] = (counts[quarter] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});

/** Box and Muller. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
