/**
 * A line through points that a few wild ones can't bend: the median of the slopes of all pairs, with the interval that
 * follows from Kendall's rank statistic. Nothing is assumed about the shape of the noise.
 *
 * Source: Theil, "A rank-invariant method of linear and polynomial regression analysis", 1950; Sen, "Estimates of the
 * Regression Coefficient Based on Kendall's Tau", 1968 (the interval, with ties in x).
 */
import { type Interval, median } from './stats.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  /** With the range that holds the true slope with 95 % confidence; unbounded where there are too few points. */
  readonly slope: Interval;
  readonly intercept: number;
}

/**
 * @throws {RangeError} unless there are two points of different x
 * Cost: the square of the number of points.
 */
export function fitLine(points: readonly Point[]): Line {
  const slopes = slopesOfPairs(points);
  if (slopes.length === 0) throw new RangeError('A line needs two points of different x.');
  const estimate = median(slopes);
  const reach = 1.96 * Math.sqrt(varianceOfConcordance(points));
  const at = (position: number, beyond: number) => slopes[position] ?? beyond;
  const low = at(Math.floor((slopes.length - reach) / 2) - 1, Number.NEGATIVE_INFINITY);
  const high = at(Math.ceil((slopes.length + reach) / 2), Number.POSITIVE_INFINITY);
  return {
    slope: { estimate, low, high },
    intercept: median(points.map(({ x, y }) => y - estimate * x)),
  };
}

/** Sorted. Pairs of equal x have none. */
function slopesOfPairs(points: readonly Point[]): readonly number[] {
  const slopes: number[] = [];
  for (const [index, from] of points.entries()) {
    for (const to of points.slice(index + 1)) {
      if (to.x !== from.x) slopes.push((to.y - from.y) / (to.x - from.x));
    }
  }
  return slopes.sort((left, right) => left - right);
}

function varianceOfConcordance(points: readonly Point[]): number {
  const atSameX = new Map<number, number>();
  for (const { x } of points) atSameX.set(x, (atSameX.get(x) ?? 0) + 1);
  const term = (count: number) => count * (count - 1) * (2 * count + 5);
  const ties = [...atSameX.values()].reduce((sum, count) => sum + term(count), 0);
  return (term(points.length) - ties) / 18;
}
