/**
 * What may be said from an interval. The limits are unequal on purpose: a small slowdown is within what a release may
 * cost, a gain above 2 % is worth a line in the changelog, and all between is no news. Against a baseline of another day
 * a slowdown must be beyond 5 %, since a control takes out the speed of the machine but not its character; side by side
 * with the other build 2 % will do.
 */
import type { Interval } from './stats.ts';

export type Verdict = 'faster' | 'slower' | 'inconclusive';

export interface VerdictLimits {
  readonly slowerAbove: number;
  readonly fasterBelow: number;
}

export const verdictLimits = { slowerAbove: 1.05, fasterBelow: 0.98, equalWithin: 0.05, leastRounds: 5 } as const;

/** For two builds that are measured in the same rounds. */
export const sideBySideLimits = { slowerAbove: 1.02, fasterBelow: 0.98 } as const satisfies VerdictLimits;

/** The verdict on a ratio of times, after over before: only when the whole interval is beyond a limit. */
export function judgeRatio(ratio: Interval, limits: VerdictLimits = verdictLimits): Verdict {
  if (ratio.low > limits.slowerAbove) return 'slower';
  if (ratio.high < limits.fasterBelow) return 'faster';
  return 'inconclusive';
}

/** Why so few rounds carry no verdict. */
export function describeTooFewRounds(rounds: number): string {
  const prove = rounds === 1 ? 'round proves' : 'rounds prove';
  return `${rounds} ${prove} nothing; at least ${verdictLimits.leastRounds} are needed.`;
}

/** Whether a thing measured twice came out equal: the whole interval of the ratio is within 5 % of 1. */
export function isEqual(ratio: Interval): boolean {
  return ratio.low >= 1 - verdictLimits.equalWithin && ratio.high <= 1 + verdictLimits.equalWithin;
}

/**
 * The limits, moved out by as much as a thing's median differed from itself (A/A): where equals come out 4 % apart, 4 %
 * are no news, however narrow the interval is.
 */
export function widenLimits({ slowerAbove, fasterBelow }: VerdictLimits, itself: Interval): VerdictLimits {
  return {
    slowerAbove: Math.max(slowerAbove, itself.estimate, 2 - itself.estimate),
    fasterBelow: Math.min(fasterBelow, itself.estimate, 2 - itself.estimate),
  };
}

/**
 * Which of many findings stand when all are looked at together: with 20 cases and 2.5 % each, two compares in five
 * would raise a false alarm. Holm's step-down bounds the chance of even one by `chance`, whatever depends on what, and
 * finds more than dividing by the number of cases does. (Benjamini and Hochberg bound the share of false ones among the
 * findings; a compare that stops a release needs the first: one false alarm is one too many.)
 * @param pValues  one-sided, one for each case
 *
 * Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979.
 */
export function holm(pValues: readonly number[], chance = 0.025): readonly boolean[] {
  const ascending = pValues
    .map((p, index) => ({ p: Number.isNaN(p) ? 1 : p, index }))
    .sort((left, right) => left.p - right.p);
  const stands = pValues.map(() => false);
  for (const [rank, { p, index }] of ascending.entries()) {
    if (!(p <= chance / (pValues.length - rank))) break;
    stands[index] = true;
  }
  return stands;
}
