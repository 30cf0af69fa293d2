/** What the audit tells an engineer: one fact at one place, why it matters, and about how much work it is. */
import { compareText } from './path.ts';

export type Severity = 'high' | 'medium' | 'low';
type Effort = 'minutes' | 'hours' | 'days';

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

interface Place {
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
  /** How far it goes beyond others of its kind and severity, 0 to 1. */
  readonly degree?: number;
  /** Other places that belong to the same finding. */
  readonly related?: readonly Place[];
}

export interface KindCount {
  readonly kind: FindingKind;
  readonly high: number;
  readonly medium: number;
  readonly low: number;
}

/** What each of the analyse agents hands on. */
export interface Analysis<Measures> {
  /** Worst first; at most `MAX_FINDINGS` of them. */
  readonly findings: readonly Finding[];
  /** All there were, also those that the list has no room for. */
  readonly counts: readonly KindCount[];
  readonly measures: Measures;
  /** What could not be looked at, in plain sentences. */
  readonly notes: readonly string[];
}

const MAX_FINDINGS = 300;

const SEVERITIES: readonly Severity[] = ['high', 'medium', 'low'];

/** Orders the findings, worst first and then by place, and keeps the first `MAX_FINDINGS`. */
export function analysis<Measures>(
  findings: readonly Finding[],
  measures: Measures,
  notes: readonly string[] = [],
): Analysis<Measures> {
  const ordered = [...findings].sort(compareFindings);
  return { findings: ordered.slice(0, MAX_FINDINGS), counts: countKinds(findings), measures, notes };
}

function countKinds(findings: readonly Finding[]): readonly KindCount[] {
  const counts = new Map<FindingKind, { high: number; medium: number; low: number }>();
  for (const finding of findings) {
    const count = counts.get(finding.kind) ?? { high: 0, medium: 0, low: 0 };
    count[finding.severity] += 1;
    counts.set(finding.kind, count);
  }
  return [...counts].map(([kind, count]) => ({ kind, ...count })).sort((a, b) => compareText(a.kind, b.kind));
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
