/**
 * A file as chunks of bytes.
 *
 * What the system holds in memory, or a fast disk, gives 256 KiB in less time than a thread takes to be asked for them,
 * so such a file is read at once, one chunk for each turn of the event loop. A read that was slow hands the next ones to
 * the thread pool, which fills some buffers while the values of others are parsed; later one is tried at once again. A
 * slow disk so holds the loop up for one read in `readsAfterSlow`.
 * Nothing is allocated for bytes but a few buffers, used in turn.
 */
import { close, fstat, read, readSync } from 'node:fs';
import { promisify } from 'node:util';

/** What is asked of the disk at a time, and handed on before the event loop gets a turn. */
export const chunkBytes = 256 * 1024;

const closeFile = promisify(close);
const statFile = promisify(fstat);

/** Reads that are under way while a chunk is being parsed: the second one hides the way back from the thread pool. */
const readsAhead = 2;

/** Ten times what the system takes for a chunk that it holds, and about what parsing a chunk takes. */
const slowReadMs = 1;

/** How many chunks the thread pool fetches after a slow read: 8 MiB, so that the trial after them is rare. */
const readsAfterSlow = 32;

interface Reading {
  readonly buffer: Buffer;
  readonly position: number;
  readonly byteCount: Promise<number>;
}

/** A file whose reads are for the thread pool. */
interface PooledFile {
  readonly file: number;
  readonly isSeekable: boolean;
  readonly bufferBytes: number;
}

/**
 * Closes the file at its end, or when the loop is left. Each chunk stands in a buffer that is filled again once the next
 * chunk has been asked for.
 * @param synchronousReads  false: the thread pool reads everything
 */
export async function* fileChunks(
  file: number,
  path: string,
  startOffset: number,
  synchronousReads: boolean,
  clock: { now(): number } = performance,
): AsyncGenerator<Buffer, void, void> {
  try {
    const stats = await statFile(file);
    // A pipe or a terminal has no positions, so there reads can't overtake each other safely.
    const isSeekable = stats.isFile();
    if (!isSeekable && startOffset > 0) throw new RangeError(`${path} is not a regular file, so startOffset must be 0`);
    // A size of 0 says nothing: files under /proc have it, and some of those wait for their next byte.
    const bufferBytes = stats.size > 0 ? Math.min(chunkBytes, Math.max(4096, stats.size)) : chunkBytes;
    const pooled = { file, isSeekable, bufferBytes };
    if (!synchronousReads || !isSeekable || stats.size === 0) {
      yield* pooledChunks(pooled, startOffset, Number.POSITIVE_INFINITY);
      return;
    }
    const buffer = Buffer.allocUnsafeSlow(bufferBytes);
    for (let position = startOffset; ; ) {
      const started = clock.now();
      const byteCount = readSync(file, buffer, 0, bufferBytes, position);
      const isSlow = clock.now() - started > slowReadMs;
      if (byteCount === 0) return;
      position += byteCount;
      yield buffer.subarray(0, byteCount);
      // Promises alone never let the event loop turn.
      if (isSlow) position = yield* pooledChunks(pooled, position, readsAfterSlow);
      else await new Promise<void>((resolve) => setImmediate(resolve));
    }
  } finally {
    await closeFile(file);
  }
}

/** Up to `limit` chunks, read ahead of their parsing; returns where the next one begins. */
async function* pooledChunks(
  { file, isSeekable, bufferBytes }: PooledFile,
  startOffset: number,
  limit: number,
): AsyncGenerator<Buffer, number, void> {
  let underWay: Reading[] = [];
  let end = startOffset;
  try {
    const idle: Buffer[] = Array.from({ length: isSeekable ? readsAhead : 1 }, () =>
      Buffer.allocUnsafeSlow(bufferBytes),
    );
    let spare: Buffer = Buffer.allocUnsafeSlow(bufferBytes);
    let position = startOffset;
    for (let count = 0; count < limit; count++) {
      for (let buffer = idle.pop(); buffer !== undefined; buffer = idle.pop()) {
        underWay.push({ buffer, position, byteCount: readInto(file, buffer, isSeekable ? position : null) });
        position += bufferBytes;
      }
      const [first, ...later] = underWay;
      if (first === undefined) break;
      underWay = later;
      const byteCount = await first.byteCount;
      if (byteCount === 0) break;
      end = first.position + byteCount;
      if (byteCount < bufferBytes) {
        // What was asked for behind the gap has to be asked for again.
        await Promise.all(later.map((reading) => reading.byteCount));
        idle.push(...later.map((reading) => reading.buffer));
        underWay = [];
        position = end;
      }
      idle.push(spare);
      spare = first.buffer;
      yield spare.subarray(0, byteCount);
    }
    return end;
  } finally {
    // The descriptor must outlive its reads; whether one of them failed matters to nobody any more.
    await Promise.allSettled(underWay.map((reading) => reading.byteCount));
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
