/**
 * Finds and cuts a torn tail: what stands after the last newline of a log whose writer died in mid-record. No record
 * in it was ever acknowledged, since a record is acknowledged with its newline on disk.
 */
import { JsonlError } from './errors.ts';
import type { FileOperations } from './file-ops.ts';

/** What opening a log cut off: the bytes behind its last newline, which nobody was told were on disk. */
export interface RecoveredTail {
  readonly cutBytes: number;
}

/**
 * Cuts the file behind its last newline. Undefined: there was nothing to cut.
 * @throws {JsonlError} JSONL_LOG_NOT_A_LOG when more than `maxTailBytes` follow the last newline: no log leaves that,
 * so the file is something else and is left as it is.
 * Cost: one read of the tail, backwards, in blocks of 64 KB.
 */
export async function cutTornTail(
  operations: FileOperations,
  file: number,
  path: string,
  size: number,
  maxTailBytes: number,
): Promise<RecoveredTail | undefined> {
  const wholeBytes = await endOfLastLine(operations, file, path, size, maxTailBytes);
  if (wholeBytes === size) return undefined;
  await operations.truncate(file, wholeBytes);
  return { cutBytes: size - wholeBytes };
}

async function endOfLastLine(
  operations: FileOperations,
  file: number,
  path: string,
  size: number,
  maxTailBytes: number,
): Promise<number> {
  const block = Buffer.allocUnsafe(Math.min(size, 64 * 1024));
  let end = size;
  while (end > 0) {
    if (size - end > maxTailBytes) {
      throw new JsonlError(
        'JSONL_LOG_NOT_A_LOG',
        `${path} holds no newline in its last ${size - end} bytes, more than a log can leave (${maxTailBytes}), so it was not touched; check the path.`,
      );
    }
    const start = Math.max(0, end - block.length);
    const wanted = block.subarray(0, end - start);
    await readWhole(operations, file, path, wanted, start);
    const newline = wanted.lastIndexOf(0x0a);
    if (newline !== -1) return start + newline + 1;
    end = start;
  }
  return 0;
}

async function readWhole(
  operations: FileOperations,
  file: number,
  path: string,
  buffer: Buffer,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < buffer.length) {
    const byteCount = await operations.read(file, buffer.subarray(done), position + done);
    if (byteCount === 0) {
      throw new JsonlError('JSONL_LOG_REPLACED', `${path} became shorter while it was being opened; open it again.`);
    }
    done += byteCount;
  }
}
