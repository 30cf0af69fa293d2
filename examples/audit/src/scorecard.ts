/**
 * The tree on one card: a mark for each side of it, each with the figure it comes from, so that anyone can disagree with
 * the mark and still use the figure. And the table that ends the run.
 */
import type { ChangeHistoryMeasures } from './change-history.ts';
import type { ComplexityMeasures } from './complexity.ts';
import type { DependencyMeasures } from './dependencies.ts';
import type { DocCoverageMeasures } from './doc-coverage.ts';
import type { DuplicateMeasures } from './duplicates.ts';
import { type Analysis, plural } from './finding.ts';
import type { FolderSummaries } from './folders.ts';
import type { ImportGraphMeasures } from './import-graph.ts';
import type { LeftoverMeasures } from './leftovers.ts';
import type { OversizedMeasures } from './oversized-files.ts';
import { type Ranking, topFindings } from './rank.ts';
import type { TestCoverageMeasures } from './test-coverage.ts';
import type { UnusedExportMeasures } from './unused-exports.ts';

type Mark = 'A' | 'B' | 'C' | 'D' | 'E' | '–';

export interface Score {
  readonly side: string;
  readonly mark: Mark;
  readonly figure: string;
  /** How the mark follows from the figure. */
  readonly rule: string;
}

export interface Scorecard {
  readonly headline: string;
  readonly table: { readonly columns: readonly string[]; readonly rows: readonly (readonly (string | number)[])[] };
  readonly files: Readonly<Record<string, string>>;
  readonly name: string;
  readonly scores: readonly Score[];
}

export interface ScorecardNeeds {
  readonly rank: Ranking;
  readonly folders: FolderSummaries;
  readonly graph: Analysis<ImportGraphMeasures>;
  readonly 'unused-exports': Analysis<UnusedExportMeasures>;
  readonly complexity: Analysis<ComplexityMeasures>;
  readonly changes: Analysis<ChangeHistoryMeasures>;
  readonly duplicates: Analysis<DuplicateMeasures>;
  readonly 'test-coverage': Analysis<TestCoverageMeasures>;
  readonly 'doc-coverage': Analysis<DocCoverageMeasures>;
  readonly sizes: Analysis<OversizedMeasures>;
  readonly leftovers: Analysis<LeftoverMeasures>;
  readonly dependencies: Analysis<DependencyMeasures>;
}

const TABLE_ROWS = 15;
const MAX_CELL = 76;

export function makeScorecard(needs: ScorecardNeeds, name: string, files: Readonly<Record<string, string>>): Scorecard {
  const { rank, sizes } = needs;
  const { high, medium, low } = rank.bySeverity;
  const rows = topFindings(rank.findings, TABLE_ROWS, 4).map((finding) => [
    finding.severity,
    finding.kind.replaceAll('-', ' '),
    cut(finding.line === null ? finding.file : `${finding.file}:${finding.line}`, 60),
    cut(finding.title, MAX_CELL),
    finding.effort,
  ]);
  return {
    headline: `${plural(rank.total, 'finding')} in ${plural(sizes.measures.files, 'file')} and ${plural(sizes.measures.lines, 'line')}: ${high} high, ${medium} medium, ${low} low`,
    table: { columns: ['severity', 'what', 'where', 'finding', 'effort'], rows },
    files,
    name,
    scores: scoresOf(needs),
  };
}

function scoresOf(needs: ScorecardNeeds): readonly Score[] {
  const graph = needs.graph.measures;
  const unused = needs['unused-exports'].measures;
  const complexity = needs.complexity.measures;
  const copies = needs.duplicates.measures;
  const tests = needs['test-coverage'].measures;
  const docs = needs['doc-coverage'].measures;
  const packages = needs.dependencies.measures;
  const left = needs.leftovers.measures;
  const { codeLines } = needs.sizes.measures;
  return [
    lessIsBetter(
      'Structure',
      graph.filesInCycles,
      graph.files,
      [0, 2, 5, 15],
      `${plural(graph.cycles, 'cycle')} holding ${graph.filesInCycles} of ${plural(graph.files, 'script')}`,
      'share of scripts in a cycle',
    ),
    lessIsBetter(
      'Complexity',
      complexity.complex,
      complexity.functions,
      [0.5, 2, 4, 8],
      `${complexity.complex} of ${plural(complexity.functions, 'function')} over the limit`,
      'share of functions over the limit',
    ),
    lessIsBetter(
      'Duplication',
      copies.copiedTokens,
      copies.tokens,
      [1, 3, 6, 12],
      `${percent(copies.copiedTokens, copies.tokens)} of the code is a copy`,
      'share of tokens that are copies',
    ),
    lessIsBetter(
      'Dead code',
      unused.unused,
      unused.exports,
      [1, 4, 8, 16],
      `${unused.unused} of ${plural(unused.exports, 'export')} unused`,
      'share of exports unused',
    ),
    moreIsBetter(
      'Tests',
      tests.reached,
      tests.sourceFiles,
      [95, 80, 60, 30],
      `tests lead to ${tests.reached} of ${plural(tests.sourceFiles, 'source file')}`,
      'share of source files that a test leads to',
    ),
    moreIsBetter(
      'Documents',
      docs.documented,
      docs.publicNames,
      [95, 80, 60, 30],
      `${docs.documented} of ${plural(docs.publicNames, 'public name')} documented, ${plural(docs.brokenLinks, 'broken link')}`,
      'share of public names documented',
    ),
    lessIsBetter(
      'Dependencies',
      packages.unused + packages.undeclared,
      packages.declared,
      [0, 3, 8, 16],
      `${packages.unused} unused and ${packages.undeclared} undeclared beside ${packages.declared} declared`,
      'wrong declarations to right ones',
    ),
    lessIsBetter(
      'Leftovers',
      left.total,
      codeLines / 1000,
      [50, 150, 300, 600],
      `${plural(left.total, 'mark')} in ${plural(codeLines, 'line')} of code`,
      'marks to a thousand lines: 0.5, 1.5, 3, 6',
    ),
  ];
}

/** @param limits  percentages at and below which the mark is A, B, C, D */
function lessIsBetter(
  side: string,
  part: number,
  whole: number,
  limits: readonly [number, number, number, number],
  figure: string,
  measure: string,
): Score {
  if (whole === 0) return { side, mark: '–', figure: 'nothing to judge', rule: measure };
  const share = (100 * part) / whole;
  const index = limits.findIndex((limit) => share <= limit);
  return {
    side,
    mark: markAt(index),
    figure,
    rule: side === 'Leftovers' ? measure : `${measure}: A to ${limits.join(' %, ')} %`,
  };
}

/** @param limits  percentages at and above which the mark is A, B, C, D */
function moreIsBetter(
  side: string,
  part: number,
  whole: number,
  limits: readonly [number, number, number, number],
  figure: string,
  measure: string,
): Score {
  if (whole === 0) return { side, mark: '–', figure: 'nothing to judge', rule: measure };
  const index = limits.findIndex((limit) => (100 * part) / whole >= limit);
  return { side, mark: markAt(index), figure, rule: `${measure}: A from ${limits.join(' %, ')} %` };
}

function markAt(index: number): Mark {
  const marks: readonly Mark[] = ['A', 'B', 'C', 'D'];
  return marks[index] ?? 'E';
}

function percent(part: number, whole: number): string {
  return `${whole === 0 ? '0' : ((100 * part) / whole).toFixed(1)} %`;
}

/** One line of plain characters: a file's name may hold anything, and a terminal obeys some of it. */
function cut(text: string, width: number): string {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�');
  const characters = [...plain];
  return characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : plain;
}
