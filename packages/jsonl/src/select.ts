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

export class LineSelector {
  readonly #fields: readonly Field[];
  #region: Buffer = Buffer.alloc(0);

  constructor(filter: LineFilter) {
    this.#fields = Object.entries(filter).map(([name, wanted]) => toField(name, wanted));
  }

  region(bytes: Buffer): void {
    this.#region = bytes;
    for (const field of this.#fields) {
      for (const needle of field.needles) needle.next = -1;
      field.escape.next = -1;
    }
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
    if (needle.next < start) {
      const found = this.#region.indexOf(needle.bytes, start);
      needle.next = found === -1 ? Number.POSITIVE_INFINITY : found;
    }
    return needle.next < end;
  }
}

function toField(name: string, wanted: string | readonly string[]): Field {
  const values = typeof wanted === 'string' ? [wanted] : wanted;
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) {
    throw new TypeError(`Expected \`where.${name}\` to be a string or an array of strings, got \`${String(wanted)}\``);
  }
  const onlyUnicodeEscapes = ![name, ...values].some((text) => shortEscape.test(text));
  return {
    name,
    values: new Set(values),
    needles: values.map((value) => ({ bytes: Buffer.from(`"${value}"`), next: -1 })),
    escape: { bytes: Buffer.from(onlyUnicodeEscapes ? '\\u' : '\\'), next: -1 },
  };
}
