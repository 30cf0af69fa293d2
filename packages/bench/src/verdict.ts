/**
 * What may be said from an interval. The limits are unequal on purpose: a slowdown below 5 % is within what a release
 * may cost, a gain above 2 % is worth a line in the changelog, and all between is no news.
 */
import type { Interval } from './stats.ts';

export type Verdict = 'faster' | 'slower' | 'inconclusive';

export const verdictLimits = { slowerAbove: 1.05, fasterBelow: 0.98, equalWithin: 0.05, leastRounds: 5 } as const;

/** The verdict on a ratio of times, after over before: only when the whole interval is beyond a limit. */
export function judgeRatio(ratio: Interval): Verdict {
  if (ratio.low > verdictLimits.slowerAbove) return 'slower';
  if (ratio.high < verdictLimits.fasterBelow) return 'faster';
  return 'inconclusive';
}

/** Whether a thing measured twice came out equal: the whole interval of the ratio is within 5 % of 1. */
export function isEqual(ratio: Interval): boolean {
  return ratio.low >= 1 - verdictLimits.equalWithin && ratio.high <= 1 + verdictLimits.equalWithin;
}
