import { describe, expect, test } from 'vitest';
import { fitLine } from './regression.ts';
import { seededRandom } from './stats.ts';

describe('fitLine', () => {
  test('of points on a line is that line', () => {
    const points = [0, 1, 2, 3, 4, 5, 6, 7].map((x) => ({ x, y: 3 * x + 40 }));
    expect(fitLine(points)).toEqual({ slope: { estimate: 3, low: 3, high: 3 }, intercept: 40 });
  });

  test('is not bent by wild points, as least squares are', () => {
    const points = Array.from({ length: 30 }, (_, x) => ({ x, y: x % 7 === 6 ? 100_000 : 5 * x + (x % 2) }));
    const { slope } = fitLine(points);
    expect(slope.estimate).toBeGreaterThan(4.5);
    expect(slope.estimate).toBeLessThan(5.5);
    // Naive version that fails here: least squares.
    expect(leastSquaresSlope(points)).toBeGreaterThan(50);
  });

  test("bounds the slope by the pairs that Kendall's statistic names: of seven points the 3rd and the 19th of 21", () => {
    const points = [
      [1, 9],
      [2, 15],
      [3, 19],
      [4, 20],
      [10, 45],
      [12, 55],
      [18, 78],
    ].map(([x = 0, y = 0]) => ({ x, y }));
    // The deviation of the statistic is √(7·6·19/18) = 6.66, so the ranks are (21 ∓ 1.96 · 6.66) / 2, rounded outwards.
    expect(fitLine(points).slope).toEqual({ estimate: 4, low: 3.6666666666666665, high: 5.0 });
  });

  test('says nothing about the slope of two points but its estimate', () => {
    expect(
      fitLine([
        { x: 0, y: 0 },
        { x: 1, y: 2 },
      ]).slope,
    ).toEqual({
      estimate: 2,
      low: Number.NEGATIVE_INFINITY,
      high: Number.POSITIVE_INFINITY,
    });
  });

  test.for([
    { what: 'one point a place', repeats: 1, places: 20 },
    { what: 'three points a place', repeats: 3, places: 4 },
  ])('holds the true slope in 92 to 99 of 100 samples with $what', ({ repeats, places }) => {
    const random = seededRandom(5);
    const trials = 400;
    let held = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const points = Array.from({ length: repeats * places }, (_, index) => {
        const x = Math.floor(index / repeats);
        return { x, y: 2 * x + gaussian(random) };
      });
      const { low, high } = fitLine(points).slope;
      if (low <= 2 && 2 <= high) held += 1;
    }
    expect(held / trials).toBeGreaterThan(0.92);
    expect(held / trials).toBeLessThan(0.99);
  });

  test('refuses points that are all above each other', () => {
    expect(() =>
      fitLine([
        { x: 1, y: 1 },
        { x: 1, y: 2 },
      ]),
    ).toThrow(RangeError);
  });
});

function leastSquaresSlope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [centreX, centreY] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))];
  const covariance = mean(points.map(({ x, y }) => (x - centreX) * (y - centreY)));
  return covariance / mean(points.map(({ x }) => (x - centreX) ** 2));
}

/** Box and Muller. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
