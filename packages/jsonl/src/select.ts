/**
 * The raw-byte filter: rules lines out before they are parsed, and never one that matches.
 *
 * A string's bytes stand in a line as they are, between quotes, unless the writer escaped something. So a line that
 * holds neither `"value"` nor an escape that could hide it can't match. Every other line is parsed and asked.
 * The next place of each needle is remembered for the whole region, so that a needle costs one scan, not one a line.
 */

/** Top-level string fields and the value, or one of the values, each must have. */
export type LineFilter = Readonly<Record<string, string | readonly string[]>>;

interface Needle {
  readonly bytes: Buffer;
  /** What is searched for: the piece of the needle that begins with its rarest byte, since that byte leads the search. */
  piece: Buffer;
  pieceStart: number;
  next: number;
}

interface Field {
  readonly name: string;
  readonly values: ReadonlySet<string>;
  readonly needles: readonly Needle[];
  readonly escape: Needle;
}

/** What JSON may write with a two-character escape, so that `\u` is not the only disguise. */
const shortEscape = /["\\/\b\f\n\r\t]/;
const asciiOnly = /^[\u0000-\u007f]*$/;

export class LineSelector {
  readonly #fields: readonly Field[];
  #isTuned = false;
  #region: Buffer = Buffer.alloc(0);

  constructor(filter: LineFilter) {
    this.#fields = Object.entries(filter).map(([name, wanted]) => toField(name, wanted));
  }

  region(bytes: Buffer): void {
    this.#region = bytes;
    if (!this.#isTuned && bytes.length >= 4096) this.#tune(bytes);
    for (const field of this.#fields) {
      for (const needle of field.needles) needle.next = -1;
      field.escape.next = -1;
    }
  }

  /** No line that begins at `start` or later, and ends at this place or before it, can match. */
  nextCandidate(start: number): number {
    let latest = start;
    for (const field of this.#fields) {
      let first = this.#next(field.escape, start);
      for (const needle of field.needles) first = Math.min(first, this.#next(needle, start));
      latest = Math.max(latest, first);
    }
    return latest;
  }

  /** False only for a line that can't match. Lines of a region must be asked in order. */
  mayMatch(start: number, end: number): boolean {
    for (const field of this.#fields) {
      if (
        !field.needles.some((needle) => this.#within(needle, start, end)) &&
        !this.#within(field.escape, start, end)
      ) {
        return false;
      }
    }
    return true;
  }

  matches(value: unknown): boolean {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    return this.#fields.every(({ name, values }) => {
      const actual: unknown = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
      return typeof actual === 'string' && values.has(actual);
    });
  }

  #within(needle: Needle, start: number, end: number): boolean {
    return this.#next(needle, start) < end;
  }

  #next(needle: Needle, start: number): number {
    if (needle.next < start) needle.next = findNeedle(this.#region, needle, start);
    return needle.next;
  }

  #tune(sample: Buffer): void {
    this.#isTuned = true;
    const counts = new Uint32Array(256);
    for (const byte of sample) counts[byte] = (counts[byte] ?? 0) + 1;
    for (const field of this.#fields)
      for (const needle of [...field.needles, field.escape]) choosePiece(needle, counts);
  }
}

/** Node's search for up to seven bytes leaps from one occurrence of the first to the next. */
const longestPiece = 7;

function choosePiece(needle: Needle, counts: Uint32Array): void {
  const { bytes } = needle;
  let rarest = 0;
  for (let index = 1; index < bytes.length - 1; index++) {
    if ((counts[bytes[index] ?? 0] ?? 0) < (counts[bytes[rarest] ?? 0] ?? 0)) rarest = index;
  }
  needle.piece = bytes.subarray(rarest, rarest + longestPiece);
  needle.pieceStart = rarest;
}

/** Where the needle stands, at `start` or after it; Infinity when it does not. */
function findNeedle(region: Buffer, needle: Needle, start: number): number {
  const { bytes, piece, pieceStart } = needle;
  for (let from = start + pieceStart; ; from++) {
    from = region.indexOf(piece, from);
    if (from === -1) return Number.POSITIVE_INFINITY;
    const at = from - pieceStart;
    if (piece.length === bytes.length || region.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0) return at;
  }
}

function toField(name: string, wanted: string | readonly string[]): Field {
  const values = typeof wanted === 'string' ? [wanted] : wanted;
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) {
    throw new TypeError(`Expected \`where.${name}\` to be a string or an array of strings, got \`${String(wanted)}\``);
  }
  return {
    name,
    values: new Set(values),
    needles: values.map((value) => toNeedle(`"${value}"`)),
    escape: toNeedle(shortestDisguise([name, ...values].join(''))),
  };
}

/** What a line must hold if it says one of these characters in another way than as itself. */
function shortestDisguise(characters: string): string {
  if (shortEscape.test(characters)) return '\\';
  return asciiOnly.test(characters) ? '\\u00' : '\\u';
}

function toNeedle(text: string): Needle {
  const bytes = Buffer.from(text);
  return { bytes, piece: bytes, pieceStart: 0, next: -1 };
}
