/** Answers: which functions are hardest to follow, to change safely, and to test? */
import type { Collected } from './collect.ts';
import { type Analysis, analysis, type Finding, plural } from './finding.ts';
import { roleOf } from './role.ts';
import type { FileSyntax } from './syntax.ts';
import type { FunctionFact } from './syntax-functions.ts';

export interface ComplexityMeasures {
  readonly functions: number;
  readonly nodes: number;
  readonly complex: number;
  /** Branches per file, the sum over its functions. */
  readonly branches: Readonly<Record<string, number>>;
  readonly hardest: readonly (FunctionFact & { readonly file: string })[];
}

/** SonarSource's own limit for cognitive complexity; twice and four times it weigh more. */
const LIMIT = 15;
const LONG_LINES = 150;
const MANY_PARAMETERS = 7;

export function analyseComplexity(needs: { readonly syntax: Collected<FileSyntax> }): Analysis<ComplexityMeasures> {
  const files = needs.syntax.files.filter((file) =>
    ['source', 'support', 'test', 'config'].includes(roleOf(file.path)),
  );
  const judged = files.filter((file) => roleOf(file.path) !== 'test');
  const all = judged.flatMap((file) => file.functions.notable.map((fact) => ({ ...fact, file: file.path })));
  const findings = all.flatMap(({ file, ...fact }) => {
    const finding = findingFor(file, fact);
    return finding === undefined ? [] : [finding];
  });
  const hardest = all
    .filter((fact) => fact.cognitive >= 10)
    .sort((a, b) => b.cognitive - a.cognitive || b.cyclomatic - a.cyclomatic || (a.file < b.file ? -1 : 1));
  return analysis(
    findings,
    {
      functions: judged.reduce((sum, file) => sum + file.functions.count, 0),
      nodes: needs.syntax.files.reduce((sum, file) => sum + file.nodes, 0),
      complex: all.filter((fact) => fact.cognitive > LIMIT).length,
      branches: Object.fromEntries(
        files.map((file) => [file.path, file.functions.branches] as const).filter(([, branches]) => branches > 0),
      ),
      hardest: hardest.slice(0, 20),
    },
    needs.syntax.notes,
  );
}

function findingFor(file: string, fact: FunctionFact): Finding | undefined {
  const problems: string[] = [];
  if (fact.cognitive > LIMIT) problems.push(`cognitive complexity ${fact.cognitive} (limit ${LIMIT})`);
  if (fact.lines > LONG_LINES) problems.push(`${fact.lines} lines`);
  if (fact.parameters >= MANY_PARAMETERS) problems.push(`${fact.parameters} parameters`);
  if (problems.length === 0) return undefined;
  const severity = fact.cognitive > 4 * LIMIT ? 'high' : fact.cognitive > 2 * LIMIT ? 'medium' : 'low';
  return {
    kind: 'complex-function',
    severity,
    file,
    line: fact.line,
    title: `${fact.name}: ${problems.join(', ')}`,
    reason:
      fact.cognitive > LIMIT
        ? `${plural(fact.cyclomatic - 1, 'branch', 'branches')} in ${plural(fact.lines, 'line')}, nested ${fact.depth} deep: each further case is hard to add without breaking another.`
        : fact.parameters >= MANY_PARAMETERS
          ? 'A caller cannot tell from the call what each argument means.'
          : 'It does not fit on a screen, so it is read in pieces.',
    effort: fact.cognitive > 4 * LIMIT ? 'days' : 'hours',
    degree: Math.min(1, Math.max(0, fact.cognitive - LIMIT) / (8 * LIMIT)),
  };
}
