/**
 * What is wrong with a workflow. Checks report into one list instead of throwing, so that a person who mends a file sees
 * everything at once; the list is bounded, since a file of garbage could otherwise hold a problem per character.
 */

export interface Problem {
  /** What is wrong, with the value at fault. */
  readonly message: string;
  /** Absolute path of the file; undefined for a workflow made in code and for given inputs. */
  readonly file: string | undefined;
  /** From 1; 0 where there is no file. */
  readonly line: number;
  /** From 1, in UTF-16 units as editors count; 0 where there is no file. */
  readonly column: number;
  /** Where in the workflow, such as `tasks.files.needs[0]`; empty for the whole of it. */
  readonly path: string;
  /** What was probably meant. */
  readonly suggestion?: string;
  /** The line of the file, for showing the place. */
  readonly sourceLine?: string;
}

export type PathSegment = string | number;
export type Path = readonly PathSegment[];

/** A problem before its place in the file is known. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  /** `key` points at the key of the last segment, `value` at what it holds. @default 'value' */
  readonly at?: 'key' | 'value';
  /** Distance into the text of the value, for what stands inside a string. */
  readonly offset?: number;
  /** Offset in the whole text, for what a path can't reach. */
  readonly place?: number;
  /** It says that something is not there: not worth saying of a file that could be read in part only. */
  readonly absence?: boolean;
  readonly suggestion?: string | undefined;
}

/** Most problems that one check of a workflow lists. */
export const maxProblems = 1000;

export class Findings {
  readonly list: Finding[] = [];

  /** True once nothing more is listed: a check may stop looking. */
  get full(): boolean {
    return this.list.length >= maxProblems;
  }

  /** Room for suggestions: looking for each costs time, and nobody reads the hundredth. */
  get roomy(): boolean {
    return this.list.length < 100;
  }

  add(finding: Finding): void {
    if (!this.full) this.list.push(finding);
  }
}

/**
 * The problems as text, one block each: `file:line:column: message (Did you mean "x"?)`, then the line and a caret.
 * Problems without a file start with their path instead.
 */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join('\n');
}

/** `tasks.files.needs[0]`; a key that is no plain word is quoted: `with["a key"]`. */
export function formatPath(path: Path): string {
  let text = '';
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`;
    else if (!/^[\w$-]+$/.test(segment)) text += `[${JSON.stringify(segment)}]`;
    else text += text === '' ? segment : `.${segment}`;
  }
  return text;
}

const widestLine = 160;

function formatProblem(problem: Problem): string {
  const place = problem.line > 0 ? `${problem.file ?? 'workflow'}:${problem.line}:${problem.column}` : problem.path;
  const head = place === '' ? problem.message : `${place}: ${problem.message}`;
  const line = problem.suggestion === undefined ? head : `${head} (Did you mean "${problem.suggestion}"?)`;
  return problem.sourceLine === undefined
    ? line
    : `${line}\n${frame(problem.sourceLine, problem.line, problem.column)}`;
}

function frame(sourceLine: string, line: number, column: number): string {
  const start = column <= widestLine ? 0 : column - 1 - widestLine / 2;
  const shown = sourceLine.slice(start, start + widestLine);
  const margin = `  ${line} | `;
  // Tabs stay tabs below their line, so that the caret stands under its character however wide they are shown.
  const indent = shown.slice(0, column - 1 - start).replace(/[^\t]/g, ' ');
  return `${margin}${shown}\n${' '.repeat(margin.length)}${indent}^`;
}
