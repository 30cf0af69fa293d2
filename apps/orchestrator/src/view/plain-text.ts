/**
 * Text from agents, files and other strangers, made harmless: nothing in it can move the cursor, colour what follows,
 * change the order in which it is read, or pretend to be lines of ours.
 */
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';

/** One line. Line breaks and tabs become spaces. */
export function plainLine(text: string): string {
  return harmless(text.length > longest ? text.slice(0, longest) : text)
    .replace(/[\n\t]+/g, ' ')
    .trim();
}

/** Many lines; a tab becomes two spaces. */
export function plainLines(text: string): readonly string[] {
  const lines = harmless(text).replaceAll('\t', '  ').split('\n');
  while (lines.at(-1)?.trim() === '') lines.pop();
  return lines.map((line) => line.trimEnd());
}

/** Columns that the text takes on a terminal. */
export function widthOf(text: string): number {
  return isAscii(text) ? text.length : stringWidth(text);
}

/** At most `width` columns; what is cut off is marked by an ellipsis. */
export function truncate(text: string, width: number): string {
  if (width <= 0) return '';
  if (widthOf(text) <= width) return text;
  if (isAscii(text)) return `${text.slice(0, width - 1)}…`;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const more = stringWidth(segment);
    if (used + more > width - 1) break;
    kept += segment;
    used += more;
  }
  return `${kept}…`;
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}

/** Nobody reads a longer line, and each is looked through several times. */
const longest = 4096;
const graphemes = new Intl.Segmenter();

// Unassigned controls, marks that reorder text (Unicode TR36, section 2.5), separators that some terminals break at, and
// the invisible tag characters, halves of characters.
const unwanted =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\p{Surrogate}]|[\u{e0000}-\u{e007f}]/gu;

function harmless(text: string): string {
  return stripVTControlCharacters(text).replace(/\r\n?/g, '\n').replace(unwanted, '');
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
