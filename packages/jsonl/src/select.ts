/**
 * The raw-byte filter: rules lines out before they are parsed, and never one that matches.
 *
 * A string's bytes stand in a line as they are, between quotes, unless the writer escaped something. So a line that
 * holds neither `"value"` nor an escape that could hide it can't match. Every other line is parsed and asked.
 */
import type { BlockScanner } from './block-scanner.ts';
import { type LineBlock, ruledOut } from './split-lines.ts';

/** Top-level string fields and the value, or one of the values, each must have. */
export type LineFilter = Readonly<Record<string, string | readonly string[]>>;

interface Field {
  readonly name: string;
  readonly values: ReadonlySet<string>;
  /** A line that holds none of them can't match. None at all: the field rules no line out. */
  readonly needles: readonly Buffer[];
}

/** With more, looking for them would cost what parsing does. */
const mostNeedles = 32;

/** A block that shows which field rules out most. */
const sampleBytes = 4096;

/** What JSON may write with a two-character escape, so that `\u` is not the only disguise. */
const shortEscape = /["\\/\b\f\n\r\t]/;
const asciiOnly = /^[\u0000-\u007f]*$/;

export class LineSelector {
  /** The one that rules out most comes first, once there was something to tell by. */
  readonly #fields: Field[];
  #isTuned: boolean;

  constructor(filter: LineFilter) {
    this.#fields = Object.entries(filter).map(([name, wanted]) => toField(name, wanted));
    this.#isTuned = this.#fields.length < 2;
  }

  /** Rules out the lines of a block, which the scanner must hold, that can't match. */
  ruleOut(block: LineBlock, scanner: BlockScanner): void {
    if (!this.#isTuned && block.end - block.start >= sampleBytes) this.#tune(block, scanner);
    const [first, ...others] = this.#fields;
    if (first === undefined) return;
    ruleOutByField(first, block, scanner);
    for (const field of others) ruleOutMore(field, block, scanner);
  }

  /** False only for a line that can't match. */
  mayMatch(line: Buffer): boolean {
    return this.#fields.every(({ needles }) => needles.length === 0 || needles.some((needle) => line.includes(needle)));
  }

  matches(value: unknown): boolean {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    return this.#fields.every(({ name, values }) => {
      const actual: unknown = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
      return typeof actual === 'string' && values.has(actual);
    });
  }

  #tune(block: LineBlock, scanner: BlockScanner): void {
    this.#isTuned = true;
    const rows = this.#fields.map((field) => {
      const entries = block.entries.slice(0, block.count);
      ruleOutByField(field, { ...block, entries }, scanner);
      return { field, left: entries.filter((entry) => entry < ruledOut).length };
    });
    rows.sort((a, b) => a.left - b.left);
    this.#fields.splice(0, rows.length, ...rows.map(({ field }) => field));
  }
}

/** All lines but those that hold one of the needles: one search of the whole block for each. */
function ruleOutByField({ needles }: Field, { entries, count }: LineBlock, scanner: BlockScanner): void {
  if (needles.length === 0) return;
  const blockEnd = (entries[count - 1] ?? 0) >>> 1;
  for (let index = 0; index < count; index++) entries[index] = (entries[index] ?? 0) | ruledOut;
  for (const needle of needles) {
    let index = 0;
    for (let at = scanner.find(needle, 0, blockEnd); at !== -1; ) {
      while (endOf(entries[index]) < at) index++;
      entries[index] = (entries[index] ?? 0) & ~ruledOut;
      at = scanner.find(needle, endOf(entries[index]), blockEnd);
    }
  }
}

/** Of the lines that are left, those that hold none of the needles. */
function ruleOutMore({ needles }: Field, { entries, count }: LineBlock, scanner: BlockScanner): void {
  if (needles.length === 0) return;
  for (let index = 0; index < count; index++) {
    const entry = entries[index] ?? 0;
    if (entry >= ruledOut) continue;
    const start = index === 0 ? 0 : endOf(entries[index - 1]) + 1;
    const isPossible = needles.some((needle) => scanner.find(needle, start, endOf(entry)) !== -1);
    if (!isPossible) entries[index] = entry | ruledOut;
  }
}

function endOf(entry = 0): number {
  return (entry & ~ruledOut) >>> 1;
}

function toField(name: string, wanted: string | readonly string[]): Field {
  const values = typeof wanted === 'string' ? [wanted] : wanted;
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) {
    throw new TypeError(`Expected \`where.${name}\` to be a string or an array of strings, got \`${String(wanted)}\``);
  }
  const needles = [...values.map((value) => `"${value}"`), shortestDisguise([name, ...values].join(''))];
  return {
    name,
    values: new Set(values),
    needles: needles.length > mostNeedles ? [] : needles.map((needle) => Buffer.from(needle)),
  };
}

/** What a line must hold if it says one of these characters in another way than as itself. */
function shortestDisguise(characters: string): string {
  if (shortEscape.test(characters)) return '\\';
  return asciiOnly.test(characters) ? '\\u00' : '\\u';
}
