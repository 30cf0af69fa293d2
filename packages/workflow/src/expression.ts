/**
 * Expressions `${{ … }}` in a workflow file are CEL, which cannot loop without bound or reach outside what it is given.
 * A template is any JSON value whose strings may hold expressions; a string that is one expression and nothing else
 * keeps the type of its value, otherwise values are written into the text.
 */
import { type CelRead, celFault, parseCel } from './cel.ts';
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

/** What an expression reads, and where it says so. */
export interface Reference extends Pick<CelRead, 'root' | 'name'> {
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
 * The expression of a text without its `${{ }}`. Nothing is evaluated.
 * @throws {WorkflowInvalidError} WORKFLOW_INVALID for what is no CEL, unless `onFinding` takes the problem.
 */
export function compileExpression(source: string, options: CompileOptions = {}): Expression {
  const { references, evaluate } = compile(source, 0, options);
  return { source: source.trim(), references, evaluate };
}

/**
 * A condition: a string that is one `${{ … }}` around an expression whose value is true or false.
 * @throws {WorkflowInvalidError} WORKFLOW_INVALID when it can't be one, unless `onFinding` takes the problem.
 */
export function compileCondition(source: string, options: CompileOptions = {}): Expression {
  const path = options.path ?? [];
  const name = formatPath(path.slice(-1)) || 'a condition';
  const { parts, unclosedAt } = splitTemplate(source.trim());
  const [part] = parts;
  if (unclosedAt !== undefined || parts.length !== 1 || part?.type !== 'expression') {
    const bare = !source.includes('${{') && !source.includes('}}');
    const message = `${name} must be one expression in \${{ }}, not ${JSON.stringify(shorten(source))}`;
    report(options, { path, message, suggestion: bare ? `\${{ ${source} }}` : undefined });
    return { source, references: [], evaluate: refuse };
  }
  const at = part.at + leadingSpace(source);
  const { type, references, evaluate } = compile(part.text, at, options);
  if (type !== 'bool' && type !== 'dyn') {
    const message = `${name} must give true or false, and this gives ${typeName(type)}`;
    report(options, { path, offset: at + leadingSpace(part.text), message });
  }
  return {
    source: part.text.trim(),
    references,
    evaluate(scope) {
      const value = evaluate(scope);
      if (typeof value === 'boolean') return value;
      throw failed(path, part.text, `it must give true or false, and gave ${shorten(JSON.stringify(value))}`);
    },
  };
}

/**
 * A JSON value whose strings may hold `${{ … }}`. Nothing is evaluated; a constant value costs nothing to evaluate.
 * @throws {WorkflowInvalidError} WORKFLOW_INVALID for an expression that is no CEL, unless `onFinding` takes the problem.
 */
export function compileTemplate(source: JsonValue, options: CompileOptions = {}): Template {
  const references = new Set<string>();
  const evaluate = holdsExpression(source) ? compileValue(source, options.path ?? [], options, references) : undefined;
  if (evaluate === undefined) return { source, constant: true, references: nothing, evaluate: () => source };
  return { source, constant: false, references: [...references], evaluate };
}

/** Whether a `${{` stands anywhere in it, keys included. */
export function holdsExpression(value: JsonValue): boolean {
  if (typeof value === 'string') return value.includes('${{');
  if (value === null || typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.some(holdsExpression);
  return Object.entries(value).some(([key, item]) => key.includes('${{') || holdsExpression(item));
}

/** How a value stands in a text: strings as they are, everything else as compact JSON. */
export function toText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

type Evaluate = (scope: Scope) => JsonValue;

const nothing: readonly string[] = [];

/** Undefined: constant. */
function compileValue(
  source: JsonValue,
  path: Path,
  options: CompileOptions,
  references: Set<string>,
): Evaluate | undefined {
  if (typeof source === 'string') return compileText(source, { ...options, path }, references);
  if (source === null || typeof source !== 'object') return undefined;
  if (Array.isArray(source)) {
    const items: readonly JsonValue[] = source;
    const parts = items.map((item, index) => compileValue(item, [...path, index], options, references));
    return (scope) => items.map((item, index) => evaluateOr(item, parts[index], scope));
  }
  const entries = Object.entries(source);
  const parts = entries.map(([key, value]) => {
    const inner = [...path, key];
    if (key.includes('${{')) {
      report(options, { path: inner, at: 'key', message: 'expressions are evaluated in values, not in keys' });
    }
    return compileValue(value, inner, options, references);
  });
  return (scope) =>
    Object.fromEntries(entries.map(([key, value], index) => [key, evaluateOr(value, parts[index], scope)]));
}

function evaluateOr(constant: JsonValue, evaluate: Evaluate | undefined, scope: Scope): JsonValue {
  return evaluate === undefined ? constant : evaluate(scope);
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
    for (const reference of expression.references) references.add(reference);
    return expression.evaluate;
  });
  const [only] = compiled;
  if (compiled.length === 1 && typeof only === 'function') return only;
  if (compiled.every((part) => typeof part === 'string')) return undefined;
  return (scope) => compiled.map((part) => (typeof part === 'string' ? part : toText(part(scope)))).join('');
}

interface Compiled {
  readonly type: string;
  readonly references: readonly string[];
  readonly evaluate: Evaluate;
}

function compile(source: string, at: number, options: CompileOptions): Compiled {
  const path = options.path ?? [];
  const program = parseCel(source);
  if ('fault' in program) {
    report(options, { path, offset: at + program.start, message: `expression: ${program.fault}` });
    return { type: 'dyn', references: nothing, evaluate: refuse };
  }
  for (const { root, name, start } of program.reads) options.onReference?.({ root, name, path, offset: at + start });
  return {
    type: program.type,
    references: [...new Set(program.reads.map(({ root, name }) => (name === undefined ? root : `${root}.${name}`)))],
    evaluate(scope) {
      try {
        return program.evaluate(scope);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        throw failed(path, source, celFault(error, source).fault, error);
      }
    },
  };
}

/** Stands where a faulty expression would, in a workflow that is never handed out. */
function refuse(): never {
  throw new WorkflowError('WORKFLOW_EXPRESSION_FAILED', 'This expression was found faulty when it was compiled.');
}

function failed(path: Path, source: string, reason: string, cause?: unknown): WorkflowError {
  const place = path.length === 0 ? '' : `${formatPath(path)}: `;
  const message = `${place}the expression \${{ ${shorten(source.trim())} }} failed: ${reason}`;
  return new WorkflowError('WORKFLOW_EXPRESSION_FAILED', message, { cause });
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

function leadingSpace(text: string): number {
  return text.length - text.trimStart().length;
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

function typeName(type: string): string {
  const names: Readonly<Record<string, string>> = { int: 'a whole number', double: 'a number', string: 'text' };
  return names[type] ?? `a ${type.replace(/<.*/, '')}`;
}
