/**
 * What a comparison says of a case, whatever its kind, and what many of them say together. The chance findings among many
 * are taken out by Holm's procedure; what is left and bad is measured a second time before it counts.
 */
import type { CaseKind } from './find-cases.ts';
import type { Interval } from './stats.ts';
import { holm, type Verdict } from './verdict.ts';

export interface CaseComparison {
  /** `<package>/<question>` */
  readonly name: string;
  /** @default 'measure' */
  readonly kind?: CaseKind;
  /**
   * `slower` and `faster` of times, `worse` and `better` of anything else; `tooNoisy` when the measurement cannot carry
   * a verdict, `notComparable` when there is nothing to hold it against.
   */
  readonly outcome: Verdict | 'worse' | 'better' | 'tooNoisy' | 'notComparable';
  /** Now over before: 1.1 is ten per cent more. Undefined where there is no such figure. */
  readonly change?: Interval;
  /** What `change` is of, where it is not time: `p99 latency`, `bytes per item`. */
  readonly changeOf?: string;
  /** In a sentence, for what is not a plain verdict. */
  readonly reason?: string;
  readonly peakRssBytes?: { readonly now: number; readonly baseline: number };
  /** One-sided p-values of being beyond the limits; undefined for exact figures, which chance has no part in. */
  readonly chance?: { readonly slower: number; readonly faster: number };
}

export function isRegression({ outcome }: CaseComparison): boolean {
  return outcome === 'slower' || outcome === 'worse';
}

/** Takes back the findings that so many cases would show by chance alone. Exact figures stand as they are. */
export function correctForMany(comparisons: readonly CaseComparison[]): readonly CaseComparison[] {
  const tested = comparisons.filter(({ chance }) => chance !== undefined);
  const slower = holm(tested.map(({ chance }) => chance?.slower ?? 1));
  const faster = holm(tested.map(({ chance }) => chance?.faster ?? 1));
  return comparisons.map((comparison) => {
    const place = tested.indexOf(comparison);
    if (place === -1 || (comparison.outcome !== 'slower' && comparison.outcome !== 'faster')) return comparison;
    const stands = comparison.outcome === 'slower' ? slower[place] : faster[place];
    if (stands) return comparison;
    const reason = `Alone it would count as ${comparison.outcome}; among ${tested.length} cases one like it comes by chance.`;
    return { ...comparison, outcome: 'inconclusive', reason };
  });
}

/** What is bad counts only when the second measurement says so too. */
export function confirm(first: CaseComparison, confirmed: readonly CaseComparison[]): CaseComparison {
  if (!isRegression(first)) return first;
  const second = confirmed.find(({ name }) => name === first.name);
  if (second !== undefined && isRegression(second)) return first;
  const { reason: _, ...rest } = second ?? first;
  return { ...rest, outcome: 'inconclusive', reason: `It looked ${first.outcome} once and not the second time.` };
}

export function notComparable(name: string, reason: string, kind?: CaseKind): CaseComparison {
  return { name, outcome: 'notComparable', reason, ...(kind === undefined ? {} : { kind }) };
}

/** One line: how many of each, and which are bad. */
export function summarise(all: readonly CaseComparison[]): string {
  const count = (...outcomes: CaseComparison['outcome'][]) =>
    all.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const rest =
    `${count('faster', 'better')} better, ${count('inconclusive')} without a proven change, ` +
    `${count('tooNoisy')} too noisy, ${count('notComparable')} not comparable`;
  const named = (outcome: 'slower' | 'worse') => {
    const names = all.filter((entry) => entry.outcome === outcome).map(({ name }) => name);
    return names.length === 0 ? [] : [`${outcome === 'slower' ? 'Slower' : 'Worse'}: ${names.join(', ')}`];
  };
  const bad = [...named('slower'), ...named('worse')];
  return bad.length > 0 ? `${bad.join('; ')}; ${rest}.` : `No proven regression: ${rest}.`;
}
