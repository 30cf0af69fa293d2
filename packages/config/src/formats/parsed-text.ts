/** What every file format hands over: raw data, and for each part of it the place where it was written. */

export interface ParsedText {
  /** Not yet trusted: objects have no prototype, so that a `__proto__` key is an ordinary member here. */
  readonly value: unknown;
  readonly root: Located;
  readonly problems: readonly TextProblem[];
}

/** Offsets are in UTF-16 units from the start of the text. An array's elements have their index as key. */
export interface Located {
  readonly keyOffset: number;
  readonly valueOffset: number;
  readonly children: Map<string, Located>;
}

interface TextProblem {
  readonly offset: number;
  readonly message: string;
}

export interface TextLimits {
  readonly maxDepth: number;
}

export function located(keyOffset: number, valueOffset = keyOffset): Located {
  return { keyOffset, valueOffset, children: new Map() };
}

export function rawObject(): Record<string, unknown> {
  return Object.create(null);
}

/** A parser that recurses ends a hostile nesting by overflowing the stack; that is an answer, not a crash. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && /call stack/i.test(error.message);
}

/** Line and column from 1. Cost: one pass over the text before `offset`. */
export function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  let line = 1;
  let lineStart = 0;
  for (;;) {
    const newline = text.indexOf('\n', lineStart);
    if (newline === -1 || newline >= offset) return { line, column: offset - lineStart + 1 };
    line++;
    lineStart = newline + 1;
  }
}
