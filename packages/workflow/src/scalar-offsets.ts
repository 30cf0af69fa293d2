/**
 * Where a character of a YAML string stands in the file. Quotes, escapes, folded lines and the indentation of block
 * scalars make the two differ. The text is walked beside the value: what both have is passed over together, white space
 * in runs (folding and indentation only ever change those), an escape as the characters it stands for.
 */
import { Scalar } from 'yaml';

/**
 * A function from an offset in the scalar's value to one in the text. It goes on from where its last call ended, so
 * that rising offsets together cost one walk.
 */
export function scalarOffsets(text: string, scalar: Scalar): (offset: number) => number {
  const value = String(scalar.value);
  const start = contentStart(text, scalar);
  const end = scalar.range?.[1] ?? start;
  let at = start;
  let passed = 0;

  return (offset) => {
    if (offset < passed) {
      at = start;
      passed = 0;
    }
    while (at < end) {
      const gap = spaceEnd(text, at, end, scalar.type);
      const valueGap = spaceEnd(value, passed, value.length, undefined);
      if (offset < valueGap) return Math.min(at + (offset - passed), gap);
      at = gap;
      passed = valueGap;
      if (offset <= passed || at >= end) return at;
      const unit = unitAt(text, at, scalar.type);
      if (offset < passed + unit.produced) return at;
      at += unit.length;
      passed += unit.produced;
    }
    return end;
  };
}

function contentStart(text: string, scalar: Scalar): number {
  const start = scalar.range?.[0] ?? 0;
  if (scalar.type === Scalar.QUOTE_DOUBLE || scalar.type === Scalar.QUOTE_SINGLE) return start + 1;
  if (scalar.type !== Scalar.BLOCK_LITERAL && scalar.type !== Scalar.BLOCK_FOLDED) return start;
  const headerEnd = text.indexOf('\n', start);
  return headerEnd === -1 ? text.length : headerEnd + 1;
}

function spaceEnd(text: string, from: number, end: number, type: Scalar.Type | null | undefined): number {
  let at = from;
  while (at < end) {
    if (' \t\r\n'.includes(text.charAt(at))) at += 1;
    else if (type === Scalar.QUOTE_DOUBLE && text[at] === '\\') {
      const [escaped] = escapedSpace.exec(text.slice(at, at + 6)) ?? [];
      if (escaped === undefined) break;
      at += escaped.length;
    } else break;
  }
  return at;
}

/** An escape that stands for white space, or the backslash that joins two lines. */
const escapedSpace = /^\\(?:[ntr \t]|\r?\n|x(?:20|09|0[adAD])|u00(?:20|09|0[adAD]))/;

/** What stands at a place that is no white space: its length in the text, and of what it stands for. */
function unitAt(text: string, at: number, type: Scalar.Type | null | undefined): { length: number; produced: number } {
  if (type === Scalar.QUOTE_SINGLE && text.startsWith("''", at)) return { length: 2, produced: 1 };
  if (type !== Scalar.QUOTE_DOUBLE || text[at] !== '\\') return { length: 1, produced: 1 };
  const kind = text.charAt(at + 1);
  if (kind === 'x') return { length: 4, produced: 1 };
  if (kind === 'u') return { length: 6, produced: 1 };
  if (kind === 'U') return { length: 10, produced: Number.parseInt(text.slice(at + 2, at + 10), 16) > 0xffff ? 2 : 1 };
  return { length: 2, produced: 1 };
}
