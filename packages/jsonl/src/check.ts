/**
 * Looks through a file, or all parts of a log that rotates, and tells what in it is not a record.
 *
 * A line is sound, blank or damaged, by the rules that readers go by (`DecodeOptions`). A torn tail is a last line
 * without its newline; a NUL run is what file systems leave where a power loss kept a file's length and not its bytes.
 */
import { createReadStream } from 'node:fs';
import { type DecodeOptions, JsonlDecoder } from './decode.ts';
import { type InvalidLine, type InvalidLineReason, JsonlError } from './errors.ts';
import { type JsonlPart, openPartAt, readPartIndex } from './parts.ts';

export interface CheckOptions extends Omit<DecodeOptions, 'onInvalid' | 'where'> {
  /** How many damaged lines the report lists; the rest is counted. @default 100 */
  readonly maxDamages?: number;
  /** Told of every damaged line, listed or not. What it throws ends the check. */
  readonly onDamage?: (damage: JsonlDamage) => void;
  /** Ends the check with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * A damaged line. Its number, and what the message says, count within its file; its `byteOffset` is of the whole log, as
 * readers have it.
 */
export interface JsonlDamage extends InvalidLine {
  /** The path of the file it stands in. */
  readonly part: string;
  /** Where the line starts within that file. */
  readonly partByteOffset: number;
}

export interface JsonlCheck {
  readonly path: string;
  /** Nothing is damaged and no part is missing. */
  readonly isSound: boolean;
  /** Files that were looked through. */
  readonly parts: number;
  readonly bytes: number;
  /** Valid, blank and damaged ones. */
  readonly lines: number;
  readonly valid: number;
  readonly blank: number;
  readonly damaged: number;
  /** Of damaged lines, without their newlines. */
  readonly damagedBytes: number;
  readonly reasons: Readonly<Record<InvalidLineReason, number>>;
  /** The first ones, `maxDamages` at most. */
  readonly damages: readonly JsonlDamage[];
  readonly unlistedDamages: number;
  /** Of the last file. Null: it ends with a newline, or with white space. */
  readonly tornTail: { readonly byteOffset: number; readonly byteLength: number } | null;
  readonly nulRuns: number;
  readonly nulBytes: number;
  /** Parts in the index that are gone. */
  readonly missingParts: readonly JsonlPart[];
  /** Sealed parts that are not as long as the index says. */
  readonly misfitParts: readonly (JsonlPart & { readonly foundBytes: number })[];
}

/**
 * Looks through all there is at a path, older parts first. Memory does not grow with the file. Safe beside a log in use,
 * whose latest record may then be seen half written and told as a torn tail.
 * @throws {JsonlError} JSONL_INDEX_INVALID
 */
export async function checkJsonl(path: string, options: CheckOptions = {}): Promise<JsonlCheck> {
  const { maxDamages, onDamage, signal, decoding } = resolveCheckOptions(options);
  signal?.throwIfAborted();
  const count = { parts: 0, bytes: 0, lines: 0, valid: 0, damaged: 0, damagedBytes: 0 };
  const reasons = noReasons();
  const damages: JsonlDamage[] = [];
  const missingParts: JsonlPart[] = [];
  const misfitParts: (JsonlPart & { foundBytes: number })[] = [];
  const nuls = new NulRuns();
  let tail: JsonlCheck['tornTail'] = null;
  for (let offset: number | undefined; ; ) {
    const part = await openPresentPart(path, offset, missingParts);
    if (part === undefined) break;
    const { startOffset, nextOffset } = part;
    tail = null;
    const onInvalid = (line: InvalidLine) => {
      count.damaged += 1;
      count.damagedBytes += line.byteLength;
      reasons[line.reason] += 1;
      if (line.reason === 'cut-off') tail = { byteOffset: startOffset + line.byteOffset, byteLength: line.byteLength };
      if (damages.length >= maxDamages && onDamage === undefined) return;
      const damage = {
        ...line,
        ...{ part: part.path, byteOffset: startOffset + line.byteOffset, partByteOffset: line.byteOffset },
      };
      if (damages.length < maxDamages) damages.push(damage);
      onDamage?.(damage);
    };
    const decoder = new JsonlDecoder({ ...decoding, onInvalid });
    let foundBytes = 0;
    let lastByte: number | undefined = newline;
    const chunks: AsyncIterable<Buffer> = createReadStream(part.path, { fd: part.file, highWaterMark: chunkBytes });
    for await (const chunk of chunks) {
      foundBytes += chunk.length;
      lastByte = chunk.at(-1);
      count.lines += countNewlines(chunk);
      nuls.look(chunk);
      for (let start = 0; start < chunk.length; start += pieceBytes) {
        count.valid += decoder.push(chunk.subarray(start, start + pieceBytes)).length;
      }
      signal?.throwIfAborted();
    }
    count.valid += decoder.end().length;
    if (lastByte !== newline) count.lines += 1;
    nuls.endRun();
    count.parts += 1;
    count.bytes += foundBytes;
    if (nextOffset === undefined) break;
    if (foundBytes !== nextOffset - startOffset) {
      misfitParts.push({ path: part.path, startOffset, byteLength: nextOffset - startOffset, foundBytes });
    }
    offset = nextOffset;
  }
  return {
    path,
    isSound: count.damaged === 0 && missingParts.length === 0 && misfitParts.length === 0,
    ...count,
    blank: count.lines - count.valid - count.damaged,
    reasons,
    damages,
    unlistedDamages: count.damaged - damages.length,
    tornTail: tail,
    ...{ nulRuns: nuls.runs, nulBytes: nuls.bytes, missingParts, misfitParts },
  };
}

/** What is decoded at a time: values that live long are what makes memory grow. */
export const pieceBytes = 32 * 1024;

export function noReasons(): Record<InvalidLineReason, number> {
  return { syntax: 0, encoding: 0, 'too-long': 0, 'too-deep': 0, 'cut-off': 0, checksum: 0 };
}

const newline = 0x0a;
const chunkBytes = 256 * 1024;

function resolveCheckOptions({ maxDamages = 100, onDamage, signal, ...decoding }: CheckOptions) {
  if (!(Number.isSafeInteger(maxDamages) && maxDamages >= 0) && maxDamages !== Number.POSITIVE_INFINITY) {
    throw new RangeError(`Expected \`maxDamages\` to be an integer from 0 up or Infinity, got \`${maxDamages}\``);
  }
  if (onDamage !== undefined && typeof onDamage !== 'function') {
    throw new TypeError(`Expected \`onDamage\` to be a function, got \`${typeof onDamage}\``);
  }
  return { maxDamages, onDamage, signal, decoding };
}

/** The part at an offset, or the first one after it that is there. */
async function openPresentPart(path: string, offset: number | undefined, missingParts: JsonlPart[]) {
  for (let wanted = offset; ; ) {
    try {
      return await openPartAt(path, wanted);
    } catch (error) {
      if (!(error instanceof JsonlError) || error.code !== 'JSONL_PART_MISSING') throw error;
      const index = await readPartIndex(path);
      const first = index?.sealed[0]?.startOffset ?? index?.activeOffset ?? 0;
      const from = wanted ?? first;
      const missing = index?.sealed.find(
        (part) => from >= part.startOffset && from < part.startOffset + part.byteLength,
      );
      // What lies before the first part was removed by the log itself, to keep to its `maxParts`.
      if (missing !== undefined) missingParts.push(missing);
      wanted = missing === undefined ? first : missing.startOffset + missing.byteLength;
    }
  }
}

function countNewlines(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) count += 1;
  return count;
}

class NulRuns {
  runs = 0;
  bytes = 0;
  #isInRun = false;

  look(chunk: Buffer): void {
    if (chunk[0] !== 0) this.#isInRun = false;
    for (let start = chunk.indexOf(0); start !== -1; start = chunk.indexOf(0, start)) {
      let end = start + 1;
      while (chunk[end] === 0) end += 1;
      if (start > 0 || !this.#isInRun) this.runs += 1;
      this.bytes += end - start;
      start = end;
    }
    this.#isInRun = chunk.at(-1) === 0;
  }

  endRun(): void {
    this.#isInRun = false;
  }
}
