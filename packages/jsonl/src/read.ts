/**
 * A file, stream, iterable or buffer to batches of values.
 *
 * A file is read into a few buffers in turn: while the values of one are parsed, the thread pool fills the others. So
 * nothing is allocated for bytes, the disk is waited for less than with synchronous reads, and the event loop gets its
 * turn between any two of them.
 */
import { close, fstat, open, read } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type DecodeOptions, LineDecoder, requireBytes } from './decode.ts';

/** A path, a `file:` URL, the bytes themselves, or chunks of them, such as a Node stream without an encoding. */
export type JsonlSource = string | URL | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface ReadOptions extends DecodeOptions {
  /** Where to begin, in bytes; it must be the start of a line. Line numbers then count from there. @default 0 */
  readonly startOffset?: number;
  /**
   * How many bytes are decoded for one batch, at most, which bounds what a batch holds: values that live through a
   * garbage collection are what makes memory grow. @default 32768
   */
  readonly batchBytes?: number;
  /** Ends the reading: the iteration rejects with the signal's reason, and the file is closed. */
  readonly signal?: AbortSignal;
}

/**
 * The values of a source, in order, in non-empty arrays.
 *
 * Leaving the loop closes what was opened. Under `onInvalid: 'throw'` the values before the bad line come first.
 * @throws {JsonlInvalidLineError} JSONL_INVALID_LINE under `onInvalid: 'throw'`
 */
export async function* readJsonl<T = unknown>(
  source: JsonlSource,
  options: ReadOptions = {},
): AsyncGenerator<T[], void, void> {
  const { startOffset, batchBytes, signal } = resolveReadOptions(options);
  signal?.throwIfAborted();
  const path = pathOf(source);
  const decoder = new LineDecoder<T>(options, path, startOffset);
  for await (const chunk of chunksOf(path ?? source, startOffset, signal)) {
    requireBytes(chunk);
    for (let start = 0; start < chunk.length; start += batchBytes) {
      const values = decoder.push(
        start === 0 && chunk.length <= batchBytes ? chunk : chunk.subarray(start, start + batchBytes),
      );
      if (values.length > 0) yield values;
      if (decoder.failure !== undefined) throw decoder.failure.reason;
      signal?.throwIfAborted();
    }
  }
  const last = decoder.end();
  if (last.length > 0) yield last;
  if (decoder.failure !== undefined) throw decoder.failure.reason;
}

/** The same, one value at a time; slower by what a promise costs, about 0.2 µs a value. */
export async function* readJsonlValues<T = unknown>(
  source: JsonlSource,
  options: ReadOptions = {},
): AsyncGenerator<T, void, void> {
  for await (const batch of readJsonl<T>(source, options)) yield* batch;
}

export function resolveReadOptions(options: ReadOptions) {
  const { startOffset = 0, batchBytes = 32 * 1024, signal } = options;
  if (!Number.isSafeInteger(startOffset) || startOffset < 0) {
    throw new RangeError(`Expected \`startOffset\` to be a safe integer from 0 up, got \`${startOffset}\``);
  }
  if (!Number.isSafeInteger(batchBytes) || batchBytes < 1 || batchBytes > 2 ** 30) {
    throw new RangeError(`Expected \`batchBytes\` to be an integer from 1 to ${2 ** 30}, got \`${batchBytes}\``);
  }
  return Object.freeze({ startOffset, batchBytes, signal });
}

function pathOf(source: JsonlSource): string | undefined {
  if (source instanceof URL) return fileURLToPath(source);
  return typeof source === 'string' ? source : undefined;
}

function chunksOf(
  source: JsonlSource,
  startOffset: number,
  signal: AbortSignal | undefined,
): AsyncIterable<Uint8Array> {
  if (typeof source === 'string') return fileChunks(source, startOffset);
  if (source instanceof Uint8Array) return withTurns(slices(source.subarray(startOffset)));
  if (source instanceof URL) return fileChunks(fileURLToPath(source), startOffset);
  const ready = Symbol.asyncIterator in source ? source : withTurns(source);
  const chunks = signal === undefined ? ready : untilAborted(ready, signal);
  return startOffset === 0 ? chunks : afterOffset(chunks, startOffset);
}

/** What is asked of the disk at a time, and handed on before the event loop gets a turn. */
const chunkBytes = 256 * 1024;

const openFile = promisify(open);
const closeFile = promisify(close);
const statFile = promisify(fstat);

/** Reads that are under way while a chunk is being parsed: the second one hides the way back from the thread pool. */
const readsAhead = 2;

interface Reading {
  readonly buffer: Buffer;
  readonly position: number;
  readonly byteCount: Promise<number>;
}

/** Each chunk stands in a buffer that is filled again once the next chunk has been asked for. */
async function* fileChunks(path: string, startOffset: number): AsyncGenerator<Buffer, void, void> {
  const file = await openFile(path, 'r');
  let underWay: Reading[] = [];
  try {
    const stats = await statFile(file);
    // A pipe or a terminal has no positions, so there reads can't overtake each other safely.
    const seekable = stats.isFile();
    if (!seekable && startOffset > 0) throw new RangeError(`${path} is not a regular file, so startOffset must be 0`);
    // A size of 0 says nothing: files under /proc have it.
    const bufferBytes = stats.size > 0 ? Math.min(chunkBytes, Math.max(4096, stats.size)) : chunkBytes;
    const idle: Buffer[] = Array.from({ length: seekable ? readsAhead : 1 }, () => Buffer.allocUnsafeSlow(bufferBytes));
    let spare: Buffer = Buffer.allocUnsafeSlow(bufferBytes);
    for (let position = startOffset; ; ) {
      for (let buffer = idle.pop(); buffer !== undefined; buffer = idle.pop()) {
        underWay.push({ buffer, position, byteCount: readInto(file, buffer, seekable ? position : null) });
        position += bufferBytes;
      }
      const [first, ...later] = underWay;
      if (first === undefined) return;
      underWay = later;
      const byteCount = await first.byteCount;
      if (byteCount === 0) return;
      if (byteCount < bufferBytes) {
        // What was asked for behind the gap has to be asked for again.
        await Promise.all(later.map((reading) => reading.byteCount));
        idle.push(...later.map((reading) => reading.buffer));
        underWay = [];
        position = first.position + byteCount;
      }
      idle.push(spare);
      spare = first.buffer;
      yield spare.subarray(0, byteCount);
    }
  } finally {
    // The descriptor must outlive its reads; whether one of them failed matters to nobody any more.
    await Promise.allSettled(underWay.map((reading) => reading.byteCount));
    await closeFile(file);
  }
}

function readInto(file: number, buffer: Buffer, position: number | null): Promise<number> {
  const reading = new Promise<number>((resolve, reject) => {
    read(file, buffer, 0, buffer.length, position, (error, byteCount) => {
      if (error) reject(error);
      else resolve(byteCount);
    });
  });
  // It may fail while the chunk before it is being parsed, before anyone awaits it.
  reading.catch(() => 0);
  return reading;
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
