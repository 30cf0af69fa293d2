/**
 * The YAML that settings files are nearly always written in, read directly: block maps and lists, scalars and flow collections on
 * one line, comments. It takes only what it is sure of and answers `undefined` for all else (anchors, tags, block scalars, text over
 * several lines, anything wrong), which is then left to the complete parser: its import alone takes many times as long as
 * this. Whatever is taken has the same value and places as there; `simple-yaml.test.ts` holds the two against each other.
 */
import { type Located, located, rawObject, type TextLimits, type TextProblem } from './parsed-text.ts';

export interface SimpleYaml {
  readonly value: unknown;
  readonly root: Located;
  /** Keys that are given twice; there is nothing else that it takes and finds wrong. */
  readonly problems: readonly TextProblem[];
}

interface Line {
  /** Of its first character that is no space. */
  readonly start: number;
  readonly indent: number;
  /** Where the line ends. */
  readonly end: number;
}

/** A value, and how far it reaches. */
interface Piece {
  readonly value: unknown;
  readonly end: number;
}

// Tabs, carriage returns and whatever may not stand in YAML; document marks and directives; a byte order mark.
const beyond = /[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]|^(?:---|\.\.\.|%)/m;
const plainKey = /[A-Za-z_][\w./$-]{0,100}(?=:(?: |$))/my;
const quotedKey = /(?:"([^"\\\n]{0,100})"|'([^'\n]{0,100})')(?=:(?: |$))/my;
const doubleQuoted = /"(?:[^"\\\n]|\\["\\/bfnrt])*"/y;
const singleQuoted = /'(?:[^'\n]|'')*'/y;
// Up to a comment or the end of the line, without what could be a key.
const plainInBlock = /(?:[\w/.~+$(<=;^]|-(?=[^\s,[\]{}]))(?:[^\n:#]|:(?![ \n]|$)|(?<! )#)*/y;
const plainInFlow = /(?:[\w/.~+$(<=;^]|-(?=[^\s,[\]{}]))(?:[^\n:#,[\]{}]|:(?=[\w/])|(?<! )#)*/y;
const restOfLine = / *(?:(?<= )#[^\n]*)?(?=\n|$)/y;
/** In a longer one the patterns could exhaust the stack. */
const longestLine = 10_000;
const wordsWithMeaning = new Map<string, unknown>([
  ...['~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
]);

/** Cost: one pass over the text. */
export function parseSimpleYaml(text: string, limits: TextLimits): SimpleYaml | undefined {
  if (beyond.test(text)) return undefined;
  const lines = linesOf(text);
  if (lines[0]?.indent !== 0 || lines.some(({ start, end }) => end - start > longestLine)) return undefined;
  const root = located(0);
  const problems: TextProblem[] = [];
  let at = 0; // of `lines`
  try {
    const value = block(0, root, limits.maxDepth);
    return at === lines.length ? { value, root, problems } : undefined;
  } catch (error) {
    if (!(error instanceof NotSimple)) throw error;
    return undefined;
  }

  /** A map or list whose entries all begin at `indent`; the first of them is the current line. */
  function block(indent: number, place: Located, depthLeft: number): unknown {
    if (depthLeft <= 0) throw new NotSimple();
    const line = lines[at];
    if (line === undefined) throw new NotSimple();
    return isEntryOfList(line.start) ? list(indent, place, depthLeft) : map(indent, line.start, place, depthLeft);
  }

  function list(indent: number, place: Located, depthLeft: number): unknown[] {
    const elements: unknown[] = [];
    for (let line = lines[at]; line?.indent === indent && isEntryOfList(line.start); line = lines[at]) {
      let start = line.start + 1;
      while (text[start] === ' ') start++;
      // An empty entry, and a list that begins on the line of another's entry.
      if (start >= line.end || text[start] === '#' || isEntryOfList(start)) throw new NotSimple();
      const child = located(start);
      place.children.set(String(elements.length), child);
      if (keyAt(start) === undefined) {
        elements.push(restAsValue(start, indent, child, depthLeft - 1));
      } else {
        if (depthLeft <= 1) throw new NotSimple();
        elements.push(map(indent + (start - line.start), start, child, depthLeft - 1));
      }
    }
    return elements;
  }

  /** @param start of the first key, which need not be the first thing on its line */
  function map(indent: number, start: number, place: Located, depthLeft: number): unknown {
    const members = rawObject();
    let keyOffset = start;
    for (;;) {
      const key = keyAt(keyOffset);
      if (key === undefined) throw new NotSimple();
      reportTwice(key.name, keyOffset, place);
      let valueOffset = key.end + 1;
      while (text[valueOffset] === ' ') valueOffset++;
      const isHere = text[valueOffset] !== '\n' && valueOffset < text.length && text[valueOffset] !== '#';
      if (isHere) {
        const child = located(keyOffset, valueOffset);
        place.children.set(key.name, child);
        members[key.name] = restAsValue(valueOffset, indent, child, depthLeft - 1);
      } else {
        const next = lines[++at];
        if (next === undefined || next.indent < indent) throw new NotSimple();
        // A list may stand as far left as the key it belongs to.
        if (next.indent === indent && !isEntryOfList(next.start)) throw new NotSimple();
        const child = located(keyOffset, next.start);
        place.children.set(key.name, child);
        members[key.name] = block(next.indent, child, depthLeft - 1);
      }
      const next = lines[at];
      if (next === undefined || next.indent < indent) return members;
      if (next.indent > indent || isEntryOfList(next.start)) {
        if (next.indent === indent) return members;
        throw new NotSimple();
      }
      keyOffset = next.start;
    }
  }

  /** What stands from `start` to the end of the current line, which must be all of it. */
  function restAsValue(start: number, indent: number, place: Located, depthLeft: number): unknown {
    const first = text[start];
    const piece = first === '[' || first === '{' ? flow(start, place, depthLeft) : scalar(start, plainInBlock);
    if (matchAt(restOfLine, piece.end) === undefined) throw new NotSimple();
    const next = lines[++at];
    // Further in, it would go on there.
    if (next !== undefined && next.indent > indent) throw new NotSimple();
    return piece.value;
  }

  function flow(start: number, place: Located, depthLeft: number): Piece {
    if (depthLeft <= 0) throw new NotSimple();
    const isList = text[start] === '[';
    const close = isList ? ']' : '}';
    const elements: unknown[] = [];
    const members = rawObject();
    let end = afterSpaces(start + 1);
    if (text[end] === close) return { value: isList ? elements : members, end: end + 1 };
    for (;;) {
      const key = isList ? undefined : keyAt(end);
      if (!isList && key === undefined) throw new NotSimple();
      if (key !== undefined) reportTwice(key.name, end, place);
      const valueOffset = key === undefined ? end : afterSpaces(key.end + 1);
      const child = located(end, valueOffset);
      place.children.set(key === undefined ? String(elements.length) : key.name, child);
      const first = text[valueOffset];
      const piece =
        first === '[' || first === '{' ? flow(valueOffset, child, depthLeft - 1) : scalar(valueOffset, plainInFlow);
      if (key === undefined) elements.push(piece.value);
      else members[key.name] = piece.value;
      end = afterSpaces(piece.end);
      if (text[end] === close) return { value: isList ? elements : members, end: end + 1 };
      if (text[end] !== ',' || text[end + 1] !== ' ') throw new NotSimple();
      end = afterSpaces(end + 1);
    }
  }

  function reportTwice(name: string, offset: number, place: Located): void {
    if (place.children.has(name)) problems.push({ offset, message: `the key "${name}" is given twice` });
  }

  function scalar(start: number, plain: RegExp): Piece {
    const first = text[start];
    if (first === '"') return quoted(matchAt(doubleQuoted, start), start, (written) => String(JSON.parse(written)));
    if (first === "'") {
      return quoted(matchAt(singleQuoted, start), start, (written) => written.slice(1, -1).replaceAll("''", "'"));
    }
    const written = matchAt(plain, start)?.trimEnd();
    if (written === undefined || isEntryOfList(start)) throw new NotSimple();
    return { value: resolvePlain(written), end: start + written.length };
  }

  function keyAt(start: number): { readonly name: string; readonly end: number } | undefined {
    const plain = matchAt(plainKey, start);
    if (plain !== undefined) {
      if (wordsWithMeaning.has(plain)) throw new NotSimple();
      return { name: plain, end: start + plain.length };
    }
    const written = matchAt(quotedKey, start);
    return written === undefined ? undefined : { name: written.slice(1, -1), end: start + written.length };
  }

  function isEntryOfList(start: number): boolean {
    return text[start] === '-' && (text[start + 1] === ' ' || text[start + 1] === '\n' || start + 1 === text.length);
  }

  function matchAt(pattern: RegExp, start: number): string | undefined {
    pattern.lastIndex = start;
    return pattern.exec(text)?.[0];
  }

  function afterSpaces(start: number): number {
    let end = start;
    while (text[end] === ' ') end++;
    return end;
  }
}

/** Those that hold more than a comment. */
function linesOf(text: string): readonly Line[] {
  const lines: Line[] = [];
  for (let lineStart = 0; lineStart < text.length; ) {
    const newline = text.indexOf('\n', lineStart);
    const end = newline === -1 ? text.length : newline;
    let start = lineStart;
    while (text[start] === ' ') start++;
    if (start < end && text[start] !== '#') lines.push({ start, indent: start - lineStart, end });
    lineStart = end + 1;
  }
  return lines;
}

function quoted(written: string | undefined, start: number, read: (written: string) => string): Piece {
  if (written === undefined) throw new NotSimple();
  return { value: read(written), end: start + written.length };
}

/** YAML 1.2's core schema, for the forms in which nobody could read something else. */
function resolvePlain(written: string): unknown {
  if (wordsWithMeaning.has(written)) return wordsWithMeaning.get(written);
  if (/^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/.test(written)) return Number(written);
  if (/^[-+]?\.?(?:\d|inf|nan)/i.test(written)) throw new NotSimple();
  return written;
}

/** Leaves the text to the complete parser; never leaves this file. */
class NotSimple extends Error {
  readonly code = 'NOT_SIMPLE';

  constructor() {
    super('left to the complete parser');
    this.name = 'NotSimple';
  }
}
