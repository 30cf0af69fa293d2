/**
 * How the judged variant stands beside each other variant of its case. A variant whose name ends in "the limit" does
 * less than the work on purpose, to show what nobody can be faster than; it is no rival.
 */
import type { CaseRecord } from '../record.ts';
import type { Interval } from '../stats.ts';

export type Standing = 'ahead' | 'behind' | 'level';

export interface Rival {
  readonly name: string;
  /** Its time over the judged variant's: above 1 the judged one is faster. */
  readonly times: Interval;
  /** Of the judged variant: only when the whole interval is on one side of 1. */
  readonly standing: Standing;
  readonly isLimit: boolean;
}

export function rivalsOf({ reference, variants }: CaseRecord): readonly Rival[] {
  return Object.entries(variants).flatMap(([name, { timesReference: times }]) =>
    name === reference ? [] : [{ name, times, standing: standingOf(times), isLimit: /\bthe limit$/.test(name) }],
  );
}

/** Behind as soon as one rival is faster; ahead only when every rival is slower; undefined where there is no rival. */
export function caseStanding(entry: CaseRecord): Standing | undefined {
  const standings = rivalsOf(entry)
    .filter(({ isLimit }) => !isLimit)
    .map(({ standing }) => standing);
  if (standings.length === 0) return undefined;
  if (standings.includes('behind')) return 'behind';
  return standings.includes('level') ? 'level' : 'ahead';
}

function standingOf({ low, high }: Interval): Standing {
  if (low > 1) return 'ahead';
  return high < 1 ? 'behind' : 'level';
}
