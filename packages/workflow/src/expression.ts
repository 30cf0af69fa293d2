/**
 * Expressions `${{ … }}` in a workflow file are CEL, which cannot loop without bound or reach outside what it is given.
 * A template is any JSON value whose strings may hold expressions; a string that is one expression and nothing else
 * keeps the type of its value, otherwise values are written into the text.
 */
import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js';
import { fromCel } from './cel-values.ts';
import { WorkflowError, WorkflowInvalidError } from './errors.ts';
import { type Finding, formatPath, type Path } from './problems.ts';
import { splitTemplate } from './template-parts.ts';
import type { JsonValue, Scope } from './workflow.ts';

export interface Expression {
  readonly source: string;
  /** Dotted paths it reads, such as `inputs.root` and `tasks.files`. */
  readonly references: readonly string[];
  evaluate(scope: Scope): JsonValue;
}

export interface Template {
  /** The value as written. */
  readonly source: JsonValue;
  /** True when nothing has to be evaluated. */
  readonly constant: boolean;
  readonly references: readonly string[];
  evaluate(scope: Scope): JsonValue;
}

/** Something of the scope that an expression reads. */
export interface Reference {
  readonly root: 'inputs' | 'tasks';
  /** The name after the root; undefined when it is not written out, as in `inputs[inputs.which]`. */
  readonly name: string | undefined;
  readonly path: Path;
  /** Where the name stands in the string at `path`. */
  readonly offset: number;
}

export interface CompileOptions {
  /** Where in the workflow this stands, for messages. @default [] */
  readonly path?: Path;
  /** Gets every problem; without it the first one is thrown. */
  readonly onFinding?: (finding: Finding) => void;
  readonly onReference?: (reference: Reference) => void;
}

/**
 * A condition: a string that is one `${{ … }}` around an expression whose value is true or false.
 * @throws {WorkflowInvalidError} WORKFLOW_INVALID when it can't be one, unless `onFinding` takes the problem.
 */
export function compileCondition(source: string, options: CompileOptions = {}): Expression {
  const path = options.path ?? [];
  const { parts, unclosedAt } = splitTemplate(source);
  const [part] = parts;
  if (unclosedAt !== undefined || parts.length !== 1 || part?.type !== 'expression') {
    const message = `must be one expression, \${{ … }}, not ${JSON.stringify(shorten(source))}`;
    const suggestion = source.includes('${{') || source.includes('}}') ? undefined : `\${{ ${source} }}`;
    report(options, { path, message: `${formatPath(path.slice(-1))} ${message}`, suggestion });
    return never(source);
  }
  const compiled = compile(part.text, part.at, options);
  if (compiled === undefined) return never(source);
  if (compiled.type !== 'bool' && compiled.type !== 'dyn') {
    const message = `${formatPath(path.slice(-1))} must give true or false; this gives ${typeName(compiled.type)}`;
    report(options, { path, offset: part.at + leadingSpace(part.text), message });
  }
  return {
    source: part.text.trim(),
    references: compiled.references,
    evaluate(scope) {
      const value = compiled.evaluate(scope);
      if (typeof value === 'boolean') return value;
      throw failed(path, part.text, `it must give true or false, and gave ${shorten(JSON.stringify(value))}`);
    },
  };
}

/**
 * The expression of a text without its `${{ }}`. Nothing is evaluated.
 * @throws {WorkflowInvalidError} WORKFLOW_INVALID for what is no CEL, unless `onFinding` takes the problem.
 */
export function compileExpression(source: string, options: CompileOptions = {}): Expression {
  const { references, evaluate } = compile(source, 0, options) ?? never(source);
  return { source: source.trim(), references, evaluate };
}

/**
 * A JSON value whose strings may hold `${{ … }}`. Nothing is evaluated; a constant value costs nothing to evaluate.
 * @throws {WorkflowInvalidError} WORKFLOW_INVALID for an expression that is no CEL, unless `onFinding` takes the problem.
 */
export function compileTemplate(source: JsonValue, options: CompileOptions = {}): Template {
  const references = new Set<string>();
  const evaluate = compileValue(source, options.path ?? [], options, references);
  if (evaluate === undefined) return { source, constant: true, references: [], evaluate: () => source };
  return { source, constant: false, references: [...references], evaluate };
}

/** How a value stands in a text: strings as they are, everything else as compact JSON. */
export function toText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

type Evaluate = (scope: Scope) => JsonValue;

interface Compiled {
  readonly type: string;
  readonly references: readonly string[];
  readonly evaluate: Evaluate;
}

/** Undefined: constant. */
function compileValue(
  source: JsonValue,
  path: Path,
  options: CompileOptions,
  references: Set<string>,
): Evaluate | undefined {
  if (typeof source === 'string') {
    return source.includes('${{') ? compileText(source, { ...options, path }, references) : undefined;
  }
  if (source === null || typeof source !== 'object') return undefined;
  if (Array.isArray(source)) return compileList(source, path, options, references);
  return compileMap(Object.entries(source), path, options, references);
}

function compileList(
  items: readonly JsonValue[],
  path: Path,
  options: CompileOptions,
  references: Set<string>,
): Evaluate | undefined {
  const parts = items.map((item, index) => compileValue(item, [...path, index], options, references));
  if (parts.every((part) => part === undefined)) return undefined;
  return (scope) =>
    items.map((item, index) => {
      const part = parts[index];
      return part === undefined ? item : part(scope);
    });
}

function compileMap(
  entries: readonly (readonly [string, JsonValue])[],
  path: Path,
  options: CompileOptions,
  references: Set<string>,
): Evaluate | undefined {
  for (const [key] of entries) {
    if (!key.includes('${{')) continue;
    report(options, {
      path: [...path, key],
      at: 'key',
      message: 'expressions are evaluated in values only, not in keys',
    });
  }
  const parts = entries.map(([key, value]) => compileValue(value, [...path, key], options, references));
  if (parts.every((part) => part === undefined)) return undefined;
  return (scope) =>
    Object.fromEntries(
      entries.map(([key, value], index) => {
        const part = parts[index];
        return [key, part === undefined ? value : part(scope)];
      }),
    );
}

function compileText(source: string, options: CompileOptions, references: Set<string>): Evaluate | undefined {
  const { parts, unclosedAt } = splitTemplate(source);
  if (unclosedAt !== undefined) {
    const message = `this "\${{" has no "}}"; close it, or write \${{ "\${{" }} to mean the characters`;
    report(options, { path: options.path ?? [], offset: unclosedAt, message });
  }
  const compiled = parts.map((part) => {
    if (part.type === 'text') return part.text;
    const expression = compile(part.text, part.at, options);
    for (const reference of expression?.references ?? []) references.add(reference);
    return expression?.evaluate ?? '';
  });
  const [only] = compiled;
  if (compiled.length === 1 && typeof only === 'function') return only;
  if (compiled.every((part) => typeof part === 'string')) return undefined;
  return (scope) => compiled.map((part) => (typeof part === 'string' ? part : toText(part(scope)))).join('');
}

const environment = createEnvironment();

function compile(source: string, at: number, options: CompileOptions): Compiled | undefined {
  const path = options.path ?? [];
  const refuse = (error: unknown) => {
    if (!(error instanceof Error)) throw error;
    const { message, start } = celFault(error, source);
    report(options, { path, offset: at + start, message: `expression: ${message}` });
    return undefined;
  };
  let parsed: ParseResult;
  try {
    parsed = environment.parse(source);
  } catch (error) {
    return refuse(error);
  }
  const checked = parsed.check();
  if (!checked.valid) return refuse(checked.error);
  const found = referencesOf(parsed.ast);
  for (const { root, name, start } of found) options.onReference?.({ root, name, path, offset: at + start });
  return {
    type: checked.type ?? 'dyn',
    references: [...new Set(found.map(({ root, name }) => (name === undefined ? root : `${root}.${name}`)))],
    evaluate(scope) {
      try {
        return fromCel(parsed(scope));
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        throw failed(path, source, celFault(error, source).message, error);
      }
    },
  };
}

/**
 * CEL keeps integers and floating-point numbers apart and has no arithmetic between them. JSON has one kind of number,
 * so `inputs.count + 1` would fail: the mixed operators are added, with a floating-point result.
 */
function createEnvironment(): Environment {
  const made = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 5000, maxDepth: 100 },
  })
    .registerVariable('inputs', 'map<string, dyn>')
    .registerVariable('tasks', 'map<string, dyn>');
  const operators: readonly [string, (a: number, b: number) => number][] = [
    ['+', (a, b) => a + b],
    ['-', (a, b) => a - b],
    ['*', (a, b) => a * b],
    ['/', (a, b) => a / b],
    ['%', (a, b) => a % b],
  ];
  for (const [sign, apply] of operators) {
    const onNumbers = (a: unknown, b: unknown) => apply(Number(a), Number(b));
    made.registerOperator(`double ${sign} int`, onNumbers);
    made.registerOperator(`int ${sign} double`, onNumbers);
    if (sign === '%') made.registerOperator('double % double', onNumbers);
  }
  return made;
}

interface FoundReference {
  readonly root: 'inputs' | 'tasks';
  readonly name: string | undefined;
  readonly start: number;
}

function referencesOf(ast: ASTNode): readonly FoundReference[] {
  const found: FoundReference[] = [];
  visit(ast, new Set());
  return found;

  function visit(node: ASTNode, bound: ReadonlySet<string>): void {
    if (node.op === 'id') {
      if (isRoot(node.args, bound)) found.push({ root: node.args, name: undefined, start: node.start });
      return;
    }
    if (node.op === '.' || node.op === '[]') {
      const [object, member] = node.args;
      if (object.op === 'id' && isRoot(object.args, bound)) {
        const name = memberName(member);
        if (name !== undefined) {
          // The member itself begins behind the dot: `pos` of a selection.
          found.push({ root: object.args, name, start: typeof member === 'string' ? node.pos : member.start });
          return;
        }
      }
    }
    const inner = boundBy(node, bound);
    for (const child of childrenOf(node.args)) visit(child, inner);
  }
}

function isRoot(name: string, bound: ReadonlySet<string>): name is 'inputs' | 'tasks' {
  return (name === 'inputs' || name === 'tasks') && !bound.has(name);
}

function memberName(member: string | ASTNode): string | undefined {
  if (typeof member === 'string') return member;
  return member.op === 'value' && typeof member.args === 'string' ? member.args : undefined;
}

/** Names that a macro such as `list.map(item, …)` gives to what it goes over. */
function boundBy(node: ASTNode, bound: ReadonlySet<string>): ReadonlySet<string> {
  if (node.op !== 'rcall') return bound;
  const [first] = node.args[2];
  const macro = ['all', 'exists', 'exists_one', 'map', 'filter', 'bind'].includes(node.args[0]);
  return macro && first?.op === 'id' ? new Set([...bound, first.args]) : bound;
}

function* childrenOf(args: unknown): Generator<ASTNode> {
  if (Array.isArray(args)) for (const item of args) yield* childrenOf(item);
  else if (isAstNode(args)) yield args;
}

function isAstNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

function celFault(error: Error, source: string): { readonly message: string; readonly start: number } {
  const summary = 'summary' in error && typeof error.summary === 'string' ? error.summary : error.message;
  const range = 'range' in error ? (error.range as { start?: unknown } | undefined) : undefined;
  const start = typeof range?.start === 'number' ? Math.min(range.start, source.length) : leadingSpace(source);
  const unknownRoot = /^Unknown variable: (.*)$/.exec(summary);
  if (unknownRoot === null) return { message: summary.replaceAll('EOF', 'the end'), start };
  return { message: `unknown name "${unknownRoot[1]}"; an expression can see inputs and tasks`, start };
}

function failed(path: Path, source: string, reason: string, cause?: unknown): WorkflowError {
  const place = path.length === 0 ? '' : `${formatPath(path)}: `;
  const message = `${place}the expression \${{ ${shorten(source.trim())} }} failed: ${reason}`;
  return new WorkflowError('WORKFLOW_EXPRESSION_FAILED', message, cause === undefined ? {} : { cause });
}

function report(options: CompileOptions, finding: Finding): void {
  if (options.onFinding !== undefined) {
    options.onFinding(finding);
    return;
  }
  const { message, suggestion, path } = finding;
  const problem = { message, file: undefined, line: 0, column: 0, path: formatPath(path) };
  throw new WorkflowInvalidError('The expression', [suggestion === undefined ? problem : { ...problem, suggestion }]);
}

/** Stands where a faulty expression would, in a workflow that is never handed out. */
function never(source: string): Expression & Compiled {
  const evaluate = () => {
    throw new WorkflowError('WORKFLOW_EXPRESSION_FAILED', `"${shorten(source)}" is no valid expression`);
  };
  return { source, type: 'dyn', references: [], evaluate };
}

function leadingSpace(text: string): number {
  return text.length - text.trimStart().length;
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

function typeName(type: string): string {
  const names: Record<string, string> = {
    int: 'a whole number',
    double: 'a number',
    string: 'text',
    null_type: 'null',
  };
  return names[type] ?? `a ${type.replace(/<.*/, '')}`;
}
