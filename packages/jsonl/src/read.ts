/** A file, with its older parts where it has any, a stream, an iterable or a buffer, to batches of values. */
import { fileURLToPath } from 'node:url';
import { type DecodeOptions, LineDecoder } from './decode.ts';
import { chunkBytes, fileChunks } from './file-chunks.ts';
import { openPartAt } from './parts.ts';

/** A path, a `file:` URL, the bytes themselves, or chunks of them, such as a Node stream without an encoding. */
export type JsonlSource = string | URL | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface ReadOptions extends DecodeOptions {
  /**
   * Where to begin, in bytes, such as the `nextOffset` of an earlier reading; it must be the start of a line. Line numbers
   * then count from there. Of a log that rotates, from its first byte ever. @default the first byte there is
   */
  readonly startOffset?: number;
  /**
   * How many bytes of lines are decoded for one batch, at most, or one longer line. It bounds what a batch holds: values that live through a
   * garbage collection are what makes memory grow. @default 32768
   */
  readonly batchBytes?: number;
  /**
   * True: a file is read on the event loop's own thread while its reads take less than 1 ms, one chunk of 256 KiB a turn;
   * after a slower one the thread pool reads the next 32. Costs less processor time; on a mount that hangs, the process
   * hangs too. @default false
   */
  readonly synchronousReads?: boolean;
  /** Ends the reading: the iteration rejects with the signal's reason, and the file is closed. */
  readonly signal?: AbortSignal;
}

/** Batches of values, and how far they go. */
export interface JsonlReading<T> extends AsyncGenerator<T[], void, void> {
  /** Where the first line begins that is in no batch so far: the `startOffset` that goes on after the latest batch. */
  readonly nextOffset: number;
}

/**
 * The values of a source, in order, in non-empty arrays. Of a path, those of its older parts come first (`jsonlParts`).
 *
 * Leaving the loop closes what was opened. Under `onInvalid: 'throw'` the values before the bad line come first.
 * @throws {JsonlInvalidLineError} JSONL_INVALID_LINE under `onInvalid: 'throw'`
 * @throws {JsonlError} JSONL_PART_MISSING, JSONL_INDEX_INVALID
 */
export function readJsonl<T = unknown>(source: JsonlSource, options: ReadOptions = {}): JsonlReading<T> {
  return startReading(source, options, (path, startOffset) => new LineDecoder<T>(options, path, startOffset));
}

/** A value and the line it stands in. */
export interface JsonlEntry<T> {
  readonly value: T;
  /** Counted from 1 where reading began, blank lines included. */
  readonly lineNumber: number;
  /** Where the line starts, in bytes from the start of the source. */
  readonly byteOffset: number;
  /** Without its newline. */
  readonly byteLength: number;
}

/** The same, each value with the place of its line, which is where a later reading may start. */
export function readJsonlEntries<T = unknown>(
  source: JsonlSource,
  options: ReadOptions = {},
): JsonlReading<JsonlEntry<T>> {
  return startReading(source, options, (path, startOffset) => {
    return new LineDecoder<JsonlEntry<T>>(options, path, startOffset, 'entries');
  });
}

/** The same, one value at a time; slower by what a promise costs, about 0.2 µs a value. */
export async function* readJsonlValues<T = unknown>(
  source: JsonlSource,
  options: ReadOptions = {},
): AsyncGenerator<T, void, void> {
  for await (const batch of readJsonl<T>(source, options)) yield* batch;
}

export function resolveReadOptions(options: ReadOptions) {
  const { startOffset, batchBytes = 32 * 1024, synchronousReads = false, signal } = options;
  if (startOffset !== undefined && !(Number.isSafeInteger(startOffset) && startOffset >= 0)) {
    throw new RangeError(`Expected \`startOffset\` to be a safe integer from 0 up, got \`${startOffset}\``);
  }
  if (!Number.isSafeInteger(batchBytes) || batchBytes < 1 || batchBytes > 2 ** 30) {
    throw new RangeError(`Expected \`batchBytes\` to be an integer from 1 to ${2 ** 30}, got \`${batchBytes}\``);
  }
  if (typeof synchronousReads !== 'boolean') {
    throw new TypeError(`Expected \`synchronousReads\` to be a boolean, got \`${typeof synchronousReads}\``);
  }
  return Object.freeze({ startOffset, batchBytes, synchronousReads, signal });
}

/** Chunks that stand side by side from an offset on. */
interface Section {
  readonly startOffset: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

function startReading<T>(
  source: JsonlSource,
  options: ReadOptions,
  makeDecoder: (path: string | undefined, startOffset: number) => LineDecoder<T>,
): JsonlReading<T> {
  const { startOffset, batchBytes, synchronousReads, signal } = resolveReadOptions(options);
  const path = source instanceof URL ? fileURLToPath(source) : source;
  const decoder = makeDecoder(typeof path === 'string' ? path : undefined, startOffset ?? 0);
  const sections =
    typeof path === 'string'
      ? partSections(path, startOffset, synchronousReads)
      : [chunkSection(path, startOffset ?? 0, signal)];
  const batches = decodeSections(sections, decoder, batchBytes, signal);
  Object.defineProperty(batches, 'nextOffset', { get: () => decoder.nextOffset });
  return batches as JsonlReading<T>;
}

async function* decodeSections<T>(
  sections: Iterable<Section> | AsyncIterable<Section>,
  decoder: LineDecoder<T>,
  batchBytes: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<T[], void, void> {
  signal?.throwIfAborted();
  for await (const { startOffset, chunks } of sections) {
    const before = decoder.seek(startOffset);
    if (before.length > 0) yield before;
    throwFailure(decoder);
    for await (const chunk of chunks) {
      for (const values of decoder.pushInBatches(chunk, batchBytes)) {
        yield values;
        signal?.throwIfAborted();
      }
      throwFailure(decoder);
      signal?.throwIfAborted();
    }
  }
  const last = decoder.end();
  if (last.length > 0) yield last;
  throwFailure(decoder);
}

function throwFailure(decoder: LineDecoder<unknown>): void {
  if (decoder.failure !== undefined) throw decoder.failure.reason;
}

/** Each part is opened when the one before it has been read, and found again by its offset, should the log rotate. */
async function* partSections(
  path: string,
  startOffset: number | undefined,
  synchronousReads: boolean,
): AsyncGenerator<Section, void, void> {
  for (let offset = startOffset; ; ) {
    const part = await openPartAt(path, offset);
    if (part === undefined) return;
    const from = offset ?? part.startOffset;
    yield { startOffset: from, chunks: fileChunks(part.file, part.path, from - part.startOffset, synchronousReads) };
    if (part.nextOffset === undefined) return;
    offset = part.nextOffset;
  }
}

function chunkSection(
  source: Exclude<JsonlSource, string | URL>,
  startOffset: number,
  signal: AbortSignal | undefined,
): Section {
  if (source instanceof Uint8Array) {
    return { startOffset, chunks: withTurns(slices(source.subarray(startOffset))) };
  }
  const ready = Symbol.asyncIterator in source ? source : withTurns(source);
  const chunks = signal === undefined ? ready : untilAborted(ready, signal);
  return { startOffset, chunks: startOffset === 0 ? chunks : afterOffset(chunks, startOffset) };
}

function* slices(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  for (let start = 0; start < bytes.length; start += chunkBytes) yield bytes.subarray(start, start + chunkBytes);
}

/** Promises alone never let the event loop turn, so a long run of ready chunks would stop timers and sockets. */
async function* withTurns(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let bytes = 0;
  for (const chunk of chunks) {
    yield chunk;
    bytes += chunk.length;
    if (bytes < chunkBytes) continue;
    bytes = 0;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

async function* afterOffset(
  chunks: AsyncIterable<Uint8Array>,
  startOffset: number,
): AsyncGenerator<Uint8Array, void, void> {
  let left = startOffset;
  for await (const chunk of chunks) {
    if (left < chunk.length) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/** A source may be silent for ever, so waiting for its next chunk has to end with the signal. */
async function* untilAborted(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const iterator = chunks[Symbol.asyncIterator]();
  let stop: (() => void) | undefined;
  const aborted = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
  });
  if (stop) signal.addEventListener('abort', stop, { once: true });
  let exhausted = false;
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), aborted]);
      signal.throwIfAborted();
      if (next === undefined || next.done) {
        exhausted = true;
        return;
      }
      yield next.value;
    }
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
    // Not awaited: the source may still be inside the very wait that the signal cut short.
    if (!exhausted) iterator.return?.().catch(() => undefined);
  }
}
