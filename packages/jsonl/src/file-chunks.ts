/**
 * A file as chunks of bytes.
 *
 * A file is read into a few buffers in turn: while the values of one are parsed, the thread pool fills the others. So
 * nothing is allocated for bytes, the disk is waited for less than with synchronous reads, and the event loop gets its
 * turn between any two of them.
 */
import { close, fstat, read } from 'node:fs';
import { promisify } from 'node:util';

/** What is asked of the disk at a time, and handed on before the event loop gets a turn. */
export const chunkBytes = 256 * 1024;

const closeFile = promisify(close);
const statFile = promisify(fstat);

/** Reads that are under way while a chunk is being parsed: the second one hides the way back from the thread pool. */
const readsAhead = 2;

interface Reading {
  readonly buffer: Buffer;
  readonly position: number;
  readonly byteCount: Promise<number>;
}

/** Closes the file at its end, or when the loop is left. Each chunk stands in a buffer that is filled again once the next chunk has been asked for. */
export async function* fileChunks(file: number, path: string, startOffset: number): AsyncGenerator<Buffer, void, void> {
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
