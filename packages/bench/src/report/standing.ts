/**
 * How the judged variant stands beside each other variant of its case. Two kinds of variants are no rivals: one whose
 * name ends in "the limit" does less than the work on purpose, to show what nobody can be faster than; and one named
 * after the judged variant ("cadre, all at once") is the same library in another way.
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
  readonly isRival: boolean;
}

export function rivalsOf({ reference, variants }: CaseRecord): readonly Rival[] {
  return Object.entries(variants).flatMap(([name, { timesReference: times }]) =>
    name === reference ? [] : [{ name, times, standing: standingOf(times), isRival: isRival(name, reference) }],
  );
}

/** Behind as soon as one rival is faster; ahead only when every rival is slower; undefined where there is no rival. */
export function caseStanding(entry: CaseRecord): Standing | undefined {
  const standings = rivalsOf(entry)
    .filter((other) => other.isRival)
    .map(({ standing }) => standing);
  if (standings.length === 0) return undefined;
  if (standings.includes('behind')) return 'behind';
  return standings.includes('level') ? 'level' : 'ahead';
}

function isRival(name: string, reference: string): boolean {
  return !name.startsWith(`${reference}, `) && !/\bthe limit$/.test(name);
}

function standingOf({ low, high }: Interval): Standing {
  if (low > 1) return 'ahead';
  return high < 1 ? 'behind' : 'level';
}
