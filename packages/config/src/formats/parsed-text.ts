/** What every file format hands over: raw data, and for each part of it the place where it was written. */

export interface ParsedText {
  /** Not yet trusted: objects have no prototype, so that a `__proto__` key is an ordinary member here. */
  readonly value: unknown;
  /** Where everything stands. Cost: for TOML, the first call reads the text once more. */
  root(): Located;
  readonly problems: readonly TextProblem[];
}

/** Offsets are in UTF-16 units from the start of the text. An array's elements have their index as key. */
export interface Located {
  readonly keyOffset: number;
  readonly valueOffset: number;
  readonly children: Map<string, Located>;
}

export interface TextProblem {
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

/** Line and column from 1. Cost: the first look goes over the text once; later ones are a binary search. */
export function lineFinder(text: string): (offset: number) => { readonly line: number; readonly column: number } {
  let starts: number[] | undefined;
  return (offset) => {
    starts ??= lineStarts(text);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let newline = text.indexOf('\n'); newline !== -1; newline = text.indexOf('\n', newline + 1)) {
    starts.push(newline + 1);
  }
  return starts;
}
