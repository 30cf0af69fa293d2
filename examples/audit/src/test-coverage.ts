/**
 * Answers: which source files does no test reach, judged by names and imports and not by running anything? A file is
 * reached when a test has its name, imports it, or imports something that leads to it.
 */
import type { Collected } from './collect.ts';
import type { ManifestFacts } from './collect-manifests.ts';
import { type Analysis, analysis, type Finding, listNames, plural } from './finding.ts';
import { buildModuleGraph } from './module-graph.ts';
import { folderOf, nameOf } from './path.ts';
import { isTestFile, roleOf } from './role.ts';
import type { FileSyntax } from './syntax.ts';
import type { TestFacts } from './test-facts.ts';

export interface TestCoverageMeasures {
  readonly testFiles: number;
  readonly tests: number;
  readonly sourceFiles: number;
  /** A test file has its name, or imports it directly. */
  readonly testedByName: number;
  readonly reached: number;
  readonly skipped: number;
}

/** Files of fewer branches hold types, constants or re-exports: there is little to test. */
const MIN_BRANCHES = 3;

export function analyseTestCoverage(needs: {
  readonly tests: Collected<TestFacts>;
  readonly syntax: Collected<FileSyntax>;
  readonly manifests: ManifestFacts;
}): Analysis<TestCoverageMeasures> {
  const { syntax, tests } = needs;
  const graph = buildModuleGraph(syntax.files, needs.manifests);
  const targets = new Map<string, string[]>();
  for (const edge of graph.edges) {
    if (edge.kind === 'type' || edge.kind === 'comment') continue;
    targets.set(edge.from, [...(targets.get(edge.from) ?? []), edge.to]);
  }
  const testPaths = syntax.files.map((file) => file.path).filter((path) => roleOf(path) === 'test');
  const direct = new Set(testPaths.flatMap((path) => targets.get(path) ?? []));
  const reached = reach(testPaths, targets);
  const names = new Set(tests.files.map((file) => testedName(file.path)));
  const judged = syntax.files.filter(
    (file) => roleOf(file.path) === 'source' && file.functions.branches >= MIN_BRANCHES,
  );
  const isNamed = (path: string) => direct.has(path) || names.has(testedName(path));
  const measures = {
    testFiles: tests.files.length,
    tests: tests.files.reduce((sum, file) => sum + (file.tests ?? 0), 0),
    sourceFiles: judged.length,
    testedByName: judged.filter((file) => isNamed(file.path)).length,
    reached: judged.filter((file) => reached.has(file.path) || isNamed(file.path)).length,
    skipped: tests.files.reduce((sum, file) => sum + file.skipped.length, 0),
  };
  const notes = [...syntax.notes, ...tests.notes];
  const marks = tests.files.flatMap((file) => [...focusedTests(file), ...skippedTests(file)]);
  if (measures.testFiles === 0)
    return analysis(judged.length === 0 ? marks : [noTests(judged), ...marks], measures, notes);
  const untested = judged.filter((file) => !reached.has(file.path) && !isNamed(file.path)).map(untestedFile);
  return analysis([...untested, ...marks], measures, notes);
}

function reach(starts: readonly string[], targets: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const seen = new Set(starts);
  const pending = [...starts];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const target of targets.get(path) ?? []) {
      if (seen.has(target)) continue;
      seen.add(target);
      pending.push(target);
    }
  }
  return seen;
}

/** `src/read.test.ts`, `test/read.ts` and `src/read.ts` all speak of `read`; an `index` takes its folder's name. */
function testedName(path: string): string {
  const stem = nameOf(path)
    .replace(/\.[^.]+$/, '')
    .replace(/[._-](test|tests|spec|e2e|cy|test-d)$/i, '')
    .replace(/^test[._-]/i, '')
    .toLowerCase();
  return stem === 'index' ? `${nameOf(folderOf(path)).toLowerCase()}/index` : stem;
}

function untestedFile(file: FileSyntax): Finding {
  const { branches, count } = file.functions;
  return {
    kind: 'untested-file',
    severity: branches >= 60 ? 'high' : branches >= 20 ? 'medium' : 'low',
    file: file.path,
    line: null,
    title: `no test has its name or leads to it (${plural(count, 'function')}, ${plural(branches, 'branch', 'branches')})`,
    reason: 'Judged by names and imports: unless a test starts it as a program, nothing would notice if it broke.',
    effort: branches >= 60 ? 'days' : 'hours',
    degree: Math.min(1, branches / 300),
  };
}

function noTests(judged: readonly FileSyntax[]): Finding {
  const branches = judged.reduce((sum, file) => sum + file.functions.branches, 0);
  const hardest = [...judged].sort((a, b) => b.functions.branches - a.functions.branches);
  return {
    kind: 'no-tests',
    severity: branches >= 60 ? 'high' : 'medium',
    file: hardest[0]?.path ?? '',
    line: null,
    title: 'the tree holds no test file',
    reason: `${plural(judged.length, 'file')} with ${plural(branches, 'branch', 'branches')} are checked by nothing that is here; the most of them are in ${listNames(
      hardest.map((file) => file.path),
      3,
    )}.`,
    effort: 'days',
  };
}

function focusedTests(file: TestFacts): readonly Finding[] {
  if (!isTestFile(file.path)) return [];
  return file.focused.map((line) => ({
    kind: 'focused-test',
    severity: 'high',
    file: file.path,
    line,
    title: 'runs alone and silences the tests beside it',
    reason: '`only` is meant for a moment at the keyboard: left in, the rest of the file passes without running.',
    effort: 'minutes',
  }));
}

function skippedTests(file: TestFacts): readonly Finding[] {
  const [first] = file.skipped;
  if (first === undefined) return [];
  return [
    {
      kind: 'skipped-test',
      severity: 'low',
      file: file.path,
      line: first.line,
      title: `${plural(file.skipped.length, 'test')} skipped or only planned${first.title === '' ? '' : `: ${first.title}`}`,
      reason: 'A test that does not run says nothing; mend it, or delete it and say why.',
      effort: 'hours',
      ...(file.skipped.length > 1 && {
        related: file.skipped.slice(0, 20).map(({ line }) => ({ file: file.path, line })),
      }),
    },
  ];
}
