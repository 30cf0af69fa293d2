/**
 * One list out of ten: every finding by how much it matters. Severity decides; among equals, what stands in code that
 * changes often or that many files import comes first, since there a mistake costs more and a repair pays sooner.
 */
import type { ChangeHistoryMeasures } from './change-history.ts';
import {
  type Analysis,
  compareFindings,
  type Finding,
  type FindingKind,
  type KindCount,
  plural,
  type Severity,
} from './finding.ts';
import type { ImportGraphMeasures } from './import-graph.ts';
import { roleOf } from './role.ts';

export interface RankedFinding extends Finding {
  readonly rank: number;
  /** 0 to 100; comparable within one severity only. */
  readonly weight: number;
}

export interface Ranking {
  readonly findings: readonly RankedFinding[];
  readonly total: number;
  readonly bySeverity: Readonly<Record<Severity, number>>;
  readonly byKind: readonly KindCount[];
  readonly notes: readonly string[];
}

export interface RankNeeds {
  readonly graph: Analysis<ImportGraphMeasures>;
  readonly changes: Analysis<ChangeHistoryMeasures>;
  readonly [task: string]: Analysis<unknown>;
}

const MAX_RANKED = 1_000;
const SEVERITIES: readonly Severity[] = ['high', 'medium', 'low'];

/** What breaks something before what is merely untidy. */
const KINDS: Readonly<Record<FindingKind, number>> = {
  'merge-conflict': 50,
  'syntax-error': 50,
  'focused-test': 45,
  'undeclared-dependency': 40,
  'missing-import': 40,
  'import-cycle': 35,
  hotspot: 35,
  'complex-function': 30,
  duplicate: 28,
  'no-tests': 40,
  'untested-file': 25,
  'unused-dependency': 25,
  'unused-file': 22,
  'unused-export': 20,
  lockfile: 20,
  'oversized-file': 18,
  'broken-link': 18,
  marker: 15,
  'skipped-test': 12,
  'hidden-coupling': 12,
  'missing-readme': 10,
  'undocumented-export': 8,
  suppression: 5,
};

export function rankFindings(needs: RankNeeds): Ranking {
  const analyses = Object.keys(needs)
    .sort()
    .flatMap((task) => needs[task] ?? []);
  const all = analyses.flatMap((analysis) => analysis.findings);
  const commits = needs.changes.measures.commitsOf;
  const most = Math.max(1, ...Object.values(commits));
  const weighed = all.map((finding) => ({
    finding,
    weight: weightOf(finding, (commits[finding.file] ?? 0) / most, needs.graph.measures.importers[finding.file] ?? 0),
  }));
  weighed.sort(
    (a, b) =>
      SEVERITIES.indexOf(a.finding.severity) - SEVERITIES.indexOf(b.finding.severity) ||
      b.weight - a.weight ||
      compareFindings(a.finding, b.finding),
  );
  const byKind = analyses.flatMap((analysis) => analysis.counts).sort(compareCounts);
  const sum = (severity: Severity) => byKind.reduce((count, kind) => count + kind[severity], 0);
  const bySeverity = { high: sum('high'), medium: sum('medium'), low: sum('low') };
  const total = bySeverity.high + bySeverity.medium + bySeverity.low;
  const findings = weighed
    .slice(0, MAX_RANKED)
    .map(({ finding, weight }, index) => ({ rank: index + 1, weight, ...finding }));
  const cut =
    total > findings.length
      ? [`${plural(total, 'finding')} were counted; the ${findings.length} that matter most are listed.`]
      : [];
  const notes = [...new Set(analyses.flatMap((analysis) => analysis.notes))].sort();
  return { findings, total, bySeverity, byKind, notes: [...notes, ...cut] };
}

/** The first findings with no more than `perKind` of each kind, so that a short list still shows what else there is. */
export function topFindings(
  findings: readonly RankedFinding[],
  limit: number,
  perKind: number,
): readonly RankedFinding[] {
  const seen = new Map<FindingKind, number>();
  const chosen = findings.filter((finding) => {
    const count = (seen.get(finding.kind) ?? 0) + 1;
    seen.set(finding.kind, count);
    return count <= perKind;
  });
  return chosen.slice(0, limit);
}

function compareCounts(a: KindCount, b: KindCount): number {
  return b.high - a.high || b.medium - a.medium || b.low - a.low || (a.kind < b.kind ? -1 : 1);
}

function weightOf(finding: Finding, activity: number, importers: number): number {
  const standing = KINDS[finding.kind] + 25 * activity + Math.min(15, importers / 2) + 15 * (finding.degree ?? 0);
  const role = roleOf(finding.file);
  return Math.round(role === 'test' || role === 'support' ? standing / 2 : standing);
}
