import { describe, expect, test } from 'vitest';
import { DurationHistogram, histogramError } from './histogram.ts';
import { seededRandom } from './stats.ts';

describe('DurationHistogram', () => {
  test('is exact below 256 ns', () => {
    const histogram = histogramOf([3, 200, 7, 255, 0]);
    expect([0, 0.2, 0.4, 0.5, 0.8, 1].map((share) => histogram.quantile(share))).toEqual([0, 0, 3, 7, 200, 255]);
  });

  test('is off by at most 1 in 256 at every quantile, from nanoseconds to years', () => {
    const random = seededRandom(11);
    const values = Array.from({ length: 5000 }, () => Math.floor(2 ** (random() * 53)));
    const histogram = histogramOf(values);
    const sorted = values.sort((left, right) => left - right);
    for (const share of [0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1]) {
      const truth = sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
      expect(Math.abs(histogram.quantile(share) - truth) / truth).toBeLessThanOrEqual(histogramError);
    }
  });

  test('keeps each power of two and its neighbours within the error', () => {
    for (let exponent = 0; exponent <= 52; exponent += 1) {
      for (const value of [2 ** exponent - 1, 2 ** exponent, 2 ** exponent + 1]) {
        const seen = histogramOf([0, value, Number.MAX_SAFE_INTEGER]).quantile(0.5);
        expect(Math.abs(seen - value)).toBeLessThanOrEqual(value * histogramError);
      }
    }
  });

  test('has the exact greatest value and count', () => {
    const histogram = histogramOf([1_234_567, 5]);
    expect(histogram.greatest).toBe(1_234_567);
    expect(histogram.quantile(1)).toBe(1_234_567);
    expect(histogram.count).toBe(2);
  });

  test('adds up to what one histogram of all would be', () => {
    const [left, right, both] = [histogramOf([1, 1000]), histogramOf([10, 1e9]), histogramOf([1, 1000, 10, 1e9])];
    left.addAll(right);
    expect(left.toCounts()).toEqual(both.toCounts());
    expect(left.quantile(1)).toBe(1e9);
  });

  test('counts what is negative as 0', () => {
    expect(histogramOf([-5]).quantile(0.5)).toBe(0);
  });

  test('refuses quantiles of nothing', () => {
    expect(() => new DurationHistogram().quantile(0.5)).toThrow(RangeError);
    expect(() => histogramOf([1]).quantile(1.1)).toThrow(RangeError);
  });
});

function histogramOf(values: readonly number[]): DurationHistogram {
  const histogram = new DurationHistogram();
  for (const value of values) histogram.add(value);
  return histogram;
}
