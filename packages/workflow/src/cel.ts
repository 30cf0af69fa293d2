/**
 * CEL as this package uses it: parsed once and checked, with what it reads and where its faults are. The parser, the checks
 * and the bounds on the size of an expression are those of `@marcbachmann/cel-js`.
 */
import { type ASTNode, Environment, type ParseResult } from '@marcbachmann/cel-js';
import { fromCel } from './cel-values.ts';
import type { JsonValue, Scope } from './workflow.ts';

export interface CelProgram {
  /** The type of its value as far as that is known: `bool`, `int`, `string`, …; `dyn` when it is not. */
  readonly type: string;
  readonly reads: readonly CelRead[];
  /** @throws {Error} whose `summary` or `message` says why it has no value, or none that is JSON. */
  evaluate(scope: Scope): JsonValue;
}

/** Something of the scope that a program reads. */
export interface CelRead {
  readonly root: 'inputs' | 'tasks';
  /** The name after the root; undefined when it is not written out, as in `inputs[inputs.which]`. */
  readonly name: string | undefined;
  /** Where the name (or, without one, the root) stands in the source. */
  readonly start: number;
}

export interface CelFault {
  readonly fault: string;
  readonly start: number;
}

/** A program, or why the source is none. Large graphs say the same thing often: the last 1,000 sources are kept. */
export function parseCel(source: string): CelProgram | CelFault {
  let parsed = known.get(source);
  if (parsed === undefined) {
    parsed = parseAnew(source);
    if (known.size >= 1000) known.clear();
    known.set(source, parsed);
  }
  return parsed;
}

/** What an error of the parser or of an evaluation says, and the place in the source that it is about. */
export function celFault(error: Error, source: string): CelFault {
  const summary = 'summary' in error && typeof error.summary === 'string' ? error.summary : error.message;
  const range: unknown = 'range' in error ? error.range : undefined;
  const given = typeof range === 'object' && range !== null && 'start' in range ? range.start : undefined;
  const start = typeof given === 'number' ? Math.min(given, source.length) : source.length - source.trimStart().length;
  const [, unknownName] = /^Unknown variable: (.*)$/.exec(summary) ?? [];
  if (unknownName === undefined) return { fault: withTokens(summary), start };
  const hyphenated = /\b(inputs|tasks)\.(\w+(?:-\w+)+)/.exec(source);
  const hint = hyphenated === null ? '' : `; a name with "-" is written ${hyphenated[1]}["${hyphenated[2]}"]`;
  return { fault: `unknown name "${unknownName}", only inputs and tasks are there${hint}`, start };
}

const tokens: Readonly<Record<string, string>> = {
  EOF: 'the end',
  IDENTIFIER: 'a name',
  LPAREN: '"("',
  RPAREN: '")"',
  LBRACKET: '"["',
  RBRACKET: '"]"',
  LBRACE: '"{"',
  RBRACE: '"}"',
  DOT: '"."',
  COMMA: '","',
  COLON: '":"',
  QUESTION: '"?"',
  PLUS: '"+"',
  MINUS: '"-"',
  MULTIPLY: '"*"',
  DIVIDE: '"/"',
  MODULO: '"%"',
  EQ: '"=="',
  NE: '"!="',
  LT: '"<"',
  LE: '"<="',
  GT: '">"',
  GE: '">="',
  AND: '"&&"',
  OR: '"||"',
  NOT: '"!"',
  IN: '"in"',
  NUMBER: 'a number',
  STRING: 'text',
};

/** The parser names tokens as its source does. */
function withTokens(summary: string): string {
  if (!/^(Unexpected token|Expected [A-Z]+)/.test(summary)) return summary;
  return summary.replace(/\b[A-Z]{2,}\b/g, (name) => tokens[name] ?? name);
}

const known = new Map<string, CelProgram | CelFault>();
const environment = createEnvironment();

function parseAnew(source: string): CelProgram | CelFault {
  let parsed: ParseResult;
  try {
    parsed = environment.parse(source);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return celFault(error, source);
  }
  const { valid, error, type = 'dyn' } = parsed.check();
  if (!valid && error !== undefined) return celFault(error, source);
  return { type, reads: readsOf(parsed.ast), evaluate: (scope) => fromCel(parsed(scope)) };
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
  });
  made.registerVariable('inputs', 'map<string, dyn>').registerVariable('tasks', 'map<string, dyn>');
  const operators: Readonly<Record<string, (a: number, b: number) => number>> = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
    '%': (a, b) => a % b,
  };
  for (const [sign, apply] of Object.entries(operators)) {
    const onNumbers = (a: unknown, b: unknown) => apply(Number(a), Number(b));
    made.registerOperator(`double ${sign} int`, onNumbers);
    made.registerOperator(`int ${sign} double`, onNumbers);
    if (sign === '%') made.registerOperator('double % double', onNumbers);
  }
  return made;
}

function readsOf(ast: ASTNode): readonly CelRead[] {
  const reads: CelRead[] = [];
  visit(ast, new Set());
  return reads;

  function visit(node: ASTNode, bound: ReadonlySet<string>): void {
    if (node.op === 'id') {
      if (isRoot(node.args, bound)) reads.push({ root: node.args, name: undefined, start: node.start });
      return;
    }
    if (node.op === '.' || node.op === '[]') {
      const [object, member] = node.args;
      const name = memberName(member);
      if (name !== undefined && object.op === 'id' && isRoot(object.args, bound)) {
        // Of a selection `a.b` the parser calls the place of `b` its `pos`.
        reads.push({ root: object.args, name, start: typeof member === 'string' ? node.pos : member.start });
        return;
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
