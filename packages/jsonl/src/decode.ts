/**
 * Line to value, with its number and offset, and what happens to a line that is not a value.
 *
 * `JsonlDecoder` is for bytes that somebody else receives, the output of a process above all; `LineDecoder` is the
 * same without the exception, for the readers of this package, which hand out what came before the damage first.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import type { BlockScanner } from './block-scanner.ts';
import { BlockText } from './block-text.ts';
import { findChecksum } from './checksum.ts';
import { type InvalidLine, type InvalidLineReason, JsonlInvalidLineError } from './errors.ts';
import { type LineFilter, LineSelector } from './select.ts';
import { type LineBlock, type LineReceiver, LineSplitter } from './split-lines.ts';

export interface DecodeOptions {
  /**
   * What to do about a line that is not a value: throw `JSONL_INVALID_LINE`, leave it out, or be told and go on.
   * Every valid line after it is still returned, except by `'throw'`.
   * @default 'throw'
   */
  readonly onInvalid?: 'throw' | 'skip' | ((line: InvalidLine) => void);
  /**
   * What a last line without a newline is. A writer that died in mid-record leaves one, and even one that parses may
   * be half of what was meant (`12` of `123`), so it is reported as cut off; `'accept'` is for files made by hand.
   * @default 'invalid'
   */
  readonly unterminatedTail?: 'invalid' | 'accept';
  /** Longest line in bytes. A longer one is an invalid line and holds no memory. @default 16 MiB */
  readonly maxLineBytes?: number;
  /** Deepest nesting of arrays and objects. @default 1000 */
  readonly maxDepth?: number;
  /**
   * What the checksums mean that a log writes with `checksum: 'crc32'`: nothing, or that a line whose checksum is wrong
   * is invalid (`'verify'`), or that one without any is too (`'require'`), with which every changed line is reported,
   * those that `where` would rule out included. Costs about 0.5 µs for a line of 1 KB.
   * @default 'ignore'
   */
  readonly checksum?: 'ignore' | 'verify' | 'require';
  /**
   * Only objects whose top-level string fields have these values (one of them, for an array). Lines that can't match
   * are ruled out by their bytes and not parsed, so damage within them is not reported; with more than 31 values for a
   * field all are parsed.
   */
  readonly where?: LineFilter;
}

/** Bytes in, values out, at whatever places the chunks are cut. */
export class JsonlDecoder<T = unknown> {
  readonly #lines: LineDecoder<T>;

  constructor(options: DecodeOptions = {}) {
    this.#lines = new LineDecoder(options);
  }

  /**
   * The values of the lines that this chunk completed. The chunk may be reused after the call.
   * @throws {JsonlInvalidLineError} JSONL_INVALID_LINE under `onInvalid: 'throw'`; every later call throws it again,
   * and the values this chunk held before the bad line are lost with it: give a callback to keep them.
   */
  push(chunk: Uint8Array): T[] {
    return this.#orThrow(this.#lines.push(chunk));
  }

  /** Bytes from the start to the first line that is not complete yet: what was pushed beyond it has to be pushed again. */
  get nextOffset(): number {
    return this.#lines.nextOffset;
  }

  /** The value of an unterminated last line, where `unterminatedTail` accepts one. Throws as `push` does. */
  end(): T[] {
    return this.#orThrow(this.#lines.end());
  }

  #orThrow(values: T[]): T[] {
    if (this.#lines.failure !== undefined) throw this.#lines.failure.reason;
    return values;
  }
}

export class LineDecoder<T> implements LineReceiver {
  /** Why decoding stopped: an invalid line, or what the caller's own callback threw. */
  failure: { readonly reason: unknown } | undefined;
  readonly #splitter: LineSplitter;
  readonly #selector: LineSelector | undefined;
  readonly #onInvalid: 'throw' | 'skip' | ((line: InvalidLine) => void);
  readonly #acceptTail: boolean;
  readonly #maxLineBytes: number;
  readonly #maxDepth: number;
  readonly #checksum: 'ignore' | 'verify' | 'require';
  readonly #source: string | undefined;
  readonly #yields: 'values' | 'entries';
  #values: T[] = [];
  #lineNumber = 0;
  #block: LineBlock | undefined;
  #text: BlockText | undefined;

  constructor(options: DecodeOptions, source?: string, startOffset = 0, yields: 'values' | 'entries' = 'values') {
    const resolved = resolveDecodeOptions(options);
    this.#onInvalid = resolved.onInvalid;
    this.#acceptTail = resolved.unterminatedTail === 'accept';
    this.#maxLineBytes = resolved.maxLineBytes;
    this.#maxDepth = resolved.maxDepth;
    this.#checksum = resolved.checksum;
    this.#source = source;
    this.#yields = yields;
    this.#selector = resolved.where === undefined ? undefined : new LineSelector(resolved.where);
    this.#splitter = new LineSplitter(this, resolved.maxLineBytes, startOffset);
  }

  get nextOffset(): number {
    return this.#splitter.nextOffset;
  }

  push(chunk: Uint8Array): T[] {
    this.#begin(chunk);
    if (this.#splitter.hasMore) this.#splitter.proceed(Number.POSITIVE_INFINITY);
    return this.#take();
  }

  /** The same in batches that hold `limit` bytes of lines, or one line. All of them are taken before the next chunk. */
  *pushInBatches(chunk: Uint8Array, limit: number): Generator<T[], void, void> {
    this.#begin(chunk);
    if (this.#values.length > 0) yield this.#take();
    while (this.#splitter.hasMore) {
      this.#splitter.proceed(limit);
      if (this.#values.length > 0) yield this.#take();
    }
  }

  end(): T[] {
    if (this.failure === undefined) this.#splitter.finish();
    return this.#take();
  }

  /** What comes next stands at another place: the line under way is over. */
  seek(offset: number): T[] {
    if (offset === this.#splitter.nextOffset) return [];
    const values = this.end();
    if (this.failure === undefined) this.#splitter.seek(offset);
    return values;
  }

  block(block: LineBlock, scanner: BlockScanner): void {
    this.#block = block;
    this.#text = undefined;
    // A line that is ruled out has a checksum to be verified all the same.
    if (this.#selector !== undefined && this.#checksum === 'ignore') this.#selector.ruleOut(block, scanner);
    else this.#text = new BlockText(block, scanner);
  }

  skipped(count: number): void {
    this.#lineNumber += count;
  }

  line(start: number, end: number, byteOffset: number, isKnownAscii: boolean): boolean {
    this.#lineNumber++;
    const bytes = this.#block?.bytes;
    return start === end || bytes === undefined || this.#decode(bytes, start, end, byteOffset, isKnownAscii);
  }

  lone(line: Buffer, byteOffset: number): boolean {
    this.#lineNumber++;
    this.#text = undefined;
    if (this.#checksum === 'ignore' && this.#selector?.mayMatch(line) === false) return true;
    return line.length === 0 || this.#decode(line, 0, line.length, byteOffset, isAscii(line));
  }

  unterminated(line: Buffer, byteOffset: number): boolean {
    if (this.#acceptTail) return this.lone(line, byteOffset);
    this.#lineNumber++;
    if (isBlank(line.toString('latin1'))) return true;
    const about =
      "has no newline at its end, so its writer may have died in it; if the file is whole, end it with a newline or set unterminatedTail to 'accept'";
    return this.#report('cut-off', about, line, line.length, byteOffset);
  }

  tooLong(head: Buffer, byteLength: number, byteOffset: number): boolean {
    this.#lineNumber++;
    const about = `is ${byteLength} bytes, over maxLineBytes (${this.#maxLineBytes}); raise maxLineBytes or split the record`;
    return this.#report('too-long', about, head, byteLength, byteOffset);
  }

  #decode(bytes: Buffer, start: number, end: number, byteOffset: number, isKnownAscii: boolean): boolean {
    if (this.#checksum !== 'ignore') {
      const finding = findChecksum(bytes, start, end);
      if (finding === 'wrong' || (finding === 'absent' && this.#checksum === 'require')) {
        const about = finding === 'wrong' ? 'was changed: its checksum does not fit it' : 'has no checksum';
        return this.#report('checksum', about, bytes.subarray(start, end), end - start, byteOffset);
      }
      if (this.#selector?.mayMatch(bytes.subarray(start, end)) === false) return true;
    }
    const whole =
      this.#text?.cut(start, end, isKnownAscii) ?? bytes.toString(isKnownAscii ? 'latin1' : 'utf8', start, end);
    const text = byteOffset === 0 && whole.startsWith(byteOrderMark) ? whole.slice(1) : whole;
    // The replacement character is what bad UTF-8 turns into, but a line may also hold one of its own.
    if (!isKnownAscii && text.includes('\uFFFD') && !isUtf8(bytes.subarray(start, end))) {
      return this.#report('encoding', 'is not valid UTF-8', bytes.subarray(start, end), end - start, byteOffset);
    }
    if (text.length > 2 * this.#maxDepth && isDeeper(text, this.#maxDepth)) {
      const about = `is nested deeper than maxDepth (${this.#maxDepth})`;
      return this.#report('too-deep', about, bytes.subarray(start, end), end - start, byteOffset);
    }
    // `T` is what the caller says that a line holds, and it is believed as it is by JSON.parse.
    let value: ReturnType<typeof JSON.parse>;
    try {
      value = JSON.parse(text);
    } catch (error) {
      if (isBlank(text)) return true;
      const about = `is not valid JSON: ${error instanceof Error ? printable(error.message) : String(error)}`;
      return this.#report('syntax', about, bytes.subarray(start, end), end - start, byteOffset, error);
    }
    if (this.#selector?.matches(value) === false) return true;
    this.#values.push(this.#yields === 'values' ? value : this.#entry(value, end - start, byteOffset));
    return true;
  }

  #begin(chunk: Uint8Array): void {
    requireBytes(chunk);
    if (this.failure !== undefined || chunk.length === 0) return;
    this.#splitter.begin(
      Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength),
    );
  }

  #entry(value: unknown, byteLength: number, byteOffset: number): ReturnType<typeof JSON.parse> {
    return { value, lineNumber: this.#lineNumber, byteOffset, byteLength };
  }

  #report(
    reason: InvalidLineReason,
    about: string,
    bytes: Buffer,
    byteLength: number,
    byteOffset: number,
    cause?: unknown,
  ): boolean {
    if (this.#onInvalid === 'skip') return true;
    const preview = `${printable(bytes.toString('utf8', 0, previewBytes))}${byteLength > previewBytes ? '…' : ''}`;
    const lineNumber = this.#lineNumber;
    const message = `Line ${lineNumber} (byte offset ${byteOffset}) ${about}.`;
    const line: InvalidLine = { lineNumber, byteOffset, byteLength, reason, message, preview };
    if (this.#onInvalid === 'throw') {
      this.failure = { reason: new JsonlInvalidLineError(line, this.#source, cause === undefined ? {} : { cause }) };
      return false;
    }
    try {
      this.#onInvalid(line);
      return true;
    } catch (error) {
      this.failure = { reason: error };
      return false;
    }
  }

  #take(): T[] {
    const values = this.#values;
    this.#values = [];
    return values;
  }
}

const previewBytes = 80;
const byteOrderMark = '\uFEFF';

function requireBytes(chunk: unknown): void {
  if (chunk instanceof Uint8Array) return;
  throw new TypeError(
    `Expected a chunk to be a Uint8Array, got \`${typeof chunk}\`; leave the stream's encoding unset`,
  );
}

function resolveDecodeOptions(options: DecodeOptions) {
  const {
    onInvalid = 'throw',
    unterminatedTail = 'invalid',
    maxLineBytes = 16 * 1024 * 1024,
    maxDepth = 1000,
    checksum = 'ignore',
  } = options;
  if (onInvalid !== 'throw' && onInvalid !== 'skip' && typeof onInvalid !== 'function') {
    throw new TypeError(`Expected \`onInvalid\` to be 'throw', 'skip' or a function, got \`${String(onInvalid)}\``);
  }
  if (unterminatedTail !== 'invalid' && unterminatedTail !== 'accept') {
    throw new TypeError(
      `Expected \`unterminatedTail\` to be 'invalid' or 'accept', got \`${String(unterminatedTail)}\``,
    );
  }
  if (checksum !== 'ignore' && checksum !== 'verify' && checksum !== 'require') {
    throw new TypeError(`Expected \`checksum\` to be 'ignore', 'verify' or 'require', got \`${String(checksum)}\``);
  }
  requireCount('maxLineBytes', maxLineBytes, 1, longestString);
  requireCount('maxDepth', maxDepth, 1, Number.POSITIVE_INFINITY);
  return Object.freeze({ onInvalid, unterminatedTail, maxLineBytes, maxDepth, checksum, where: options.where });
}

/** V8's longest string: a longer line could not become text. */
const longestString = 536_870_888;

function requireCount(name: string, value: number, minimum: number, maximum: number): void {
  if (typeof value !== 'number') throw new TypeError(`Expected \`${name}\` to be a number, got \`${typeof value}\``);
  if (!(value >= minimum && value <= maximum)) {
    throw new RangeError(`Expected \`${name}\` to be from ${minimum} to ${maximum}, got \`${value}\``);
  }
}

function isBlank(text: string): boolean {
  return /^[ \t\r]*$/.test(text);
}

/** Whether brackets outside strings nest deeper than `limit`; the walk is taken only where there are enough of them. */
function isDeeper(text: string, limit: number): boolean {
  if (!hasMoreThan(text, '[', '{', limit)) return false;
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x22) index = endOfString(text, index);
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > limit) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

function hasMoreThan(text: string, first: string, second: string, limit: number): boolean {
  let count = 0;
  for (const bracket of [first, second]) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      if (++count > limit) return true;
    }
  }
  return false;
}

/** The index of the quote that ends the string opened at `start`, or of the text's last character. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === 0x5c) index++;
    else if (code === 0x22) return index;
  }
  return text.length;
}

/** Text from a damaged file, made fit for a terminal. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
