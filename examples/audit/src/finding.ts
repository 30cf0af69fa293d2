/** What the audit tells an engineer: one fact at one place, why it matters, and about how much work it is. */
import { compareText } from './path.ts';

export type Severity = 'high' | 'medium' | 'low';
export type Effort = 'minutes' | 'hours' | 'days';

export type FindingKind =
  | 'syntax-error'
  | 'import-cycle'
  | 'missing-import'
  | 'unused-export'
  | 'unused-file'
  | 'complex-function'
  | 'hotspot'
  | 'hidden-coupling'
  | 'duplicate'
  | 'untested-file'
  | 'no-tests'
  | 'focused-test'
  | 'skipped-test'
  | 'undocumented-export'
  | 'missing-readme'
  | 'broken-link'
  | 'oversized-file'
  | 'merge-conflict'
  | 'marker'
  | 'suppression'
  | 'unused-dependency'
  | 'undeclared-dependency'
  | 'lockfile';

export interface Place {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

export interface Finding {
  readonly kind: FindingKind;
  readonly severity: Severity;
  readonly file: string;
  /** 1-based; null when it is about the file as a whole. */
  readonly line: number | null;
  readonly title: string;
  readonly reason: string;
  readonly effort: Effort;
  /** Other places that belong to the same finding. */
  readonly related?: readonly Place[];
}

/** What each of the analyse agents hands on. */
export interface Analysis<Measures> {
  readonly findings: readonly Finding[];
  /** How many there were before the list was cut to its bound. */
  readonly found: number;
  readonly measures: Measures;
  /** What could not be looked at, in plain sentences. */
  readonly notes: readonly string[];
}

const SEVERITIES: readonly Severity[] = ['high', 'medium', 'low'];

/** Orders the findings, worst first and then by place, and keeps the first `limit`. */
export function analysis<Measures>(
  findings: readonly Finding[],
  measures: Measures,
  notes: readonly string[] = [],
  limit = 300,
): Analysis<Measures> {
  const ordered = [...findings].sort(compareFindings);
  const cut =
    ordered.length > limit
      ? [`Only the first ${limit} of ${ordered.length} findings of one kind of analysis are kept.`]
      : [];
  return { findings: ordered.slice(0, limit), found: findings.length, measures, notes: [...notes, ...cut] };
}

export function compareFindings(a: Finding, b: Finding): number {
  return (
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    compareText(a.kind, b.kind) ||
    compareText(a.file, b.file) ||
    (a.line ?? 0) - (b.line ?? 0) ||
    compareText(a.title, b.title)
  );
}

/** `a, b, c and 4 more` */
export function listNames(names: readonly string[], limit = 4): string {
  const shown = names.slice(0, limit);
  return names.length > limit ? `${shown.join(', ')} and ${names.length - limit} more` : shown.join(', ');
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en-US')} ${number === 1 ? one : many}`;
}
