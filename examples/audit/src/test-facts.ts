/** What a test file tests, in its own words: the titles it gives, what it leaves out, what it runs alone. */
import ts from 'typescript';
import { languageOf } from './language.ts';
import { lineOf, scriptKindOf } from './script-position.ts';

export interface TestFacts {
  readonly path: string;
  /** Tests counted; null where the language is not parsed. */
  readonly tests: number | null;
  /** Words of the titles that could be names of code. */
  readonly words: readonly string[];
  readonly focused: readonly number[];
  readonly skipped: readonly { readonly line: number; readonly title: string }[];
}

const CALLS = new Set([
  'test',
  'it',
  'describe',
  'suite',
  'context',
  'specify',
  'bench',
  'fit',
  'fdescribe',
  'xit',
  'xtest',
  'xdescribe',
  'Deno.test',
]);
const GROUPS = new Set(['describe', 'suite', 'context', 'fdescribe', 'xdescribe']);

export function testFacts(path: string, text: string): TestFacts {
  if (languageOf(path).kind !== 'script') return { path, tests: null, words: [], focused: [], skipped: [] };
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false, scriptKindOf(path));
  const words = new Set<string>();
  const focused: number[] = [];
  const skipped: { line: number; title: string }[] = [];
  let tests = 0;
  const visit = (node: ts.Node): void => {
    const call = ts.isCallExpression(node) ? testCall(node) : undefined;
    if (call !== undefined && ts.isCallExpression(node)) {
      const title = node.arguments[0];
      const said = title === undefined ? '' : titleText(title);
      for (const word of said.matchAll(/[A-Za-z_$][\w$]*/g)) words.add(word[0]);
      const line = lineOf(file, node.expression.end);
      if (!GROUPS.has(call.name)) tests += 1;
      if (call.marks.includes('only') || call.name === 'fit' || call.name === 'fdescribe') focused.push(line);
      if (call.marks.includes('skip') || call.marks.includes('todo') || call.name.startsWith('x'))
        skipped.push({ line, title: said.slice(0, 120) });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { path, tests, words: [...words].sort().slice(0, 2_000), focused, skipped };
}

/** The name called and the marks behind it: `test.only(…)`, `describe.skip.each(…)(…)`. */
function testCall(node: ts.CallExpression): { name: string; marks: readonly string[] } | undefined {
  const marks: string[] = [];
  let at: ts.Expression = node.expression;
  if (ts.isCallExpression(at) || ts.isTaggedTemplateExpression(at))
    at = ts.isCallExpression(at) ? at.expression : at.tag;
  while (ts.isPropertyAccessExpression(at)) {
    marks.push(at.name.text);
    at = at.expression;
  }
  if (!ts.isIdentifier(at) || !CALLS.has(at.text)) return undefined;
  const title = node.arguments[0];
  const isTable = marks[0] === 'each' || marks[0] === 'for' || marks[0] === 'skipIf' || marks[0] === 'runIf';
  const isCurried = ts.isCallExpression(node.expression) || ts.isTaggedTemplateExpression(node.expression);
  if (title === undefined || (isTable && !isCurried) || node.arguments.length < 2) return undefined;
  return { name: at.text, marks };
}

function titleText(node: ts.Expression): string {
  if (ts.isStringLiteralLike(node) || ts.isIdentifier(node)) return node.text;
  return ts.isPropertyAccessExpression(node) ? `${titleText(node.expression)} ${node.name.text}` : '';
}
