/** Entry files: their names, times and bytes. */

import { closeSync, read, readSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';

/** From here on reading or writing would keep the event loop waiting for longer than the thread pool takes. */
export const synchronousBelowBytes = 1024 * 1024;

/** Beyond this ext4 has no room for a time; whole seconds, never early. */
const latestSeconds = 15_000_000_000;

/** As it is kept in a file's modification time; 0 = none. */
export function deadlineSeconds(expiresAtMs: number): number {
  if (expiresAtMs === Infinity) return 0;
  return Math.min(Math.max(Math.ceil(expiresAtMs / 1000), 1), latestSeconds);
}

/** Shorter than the buffer when the file was cut meanwhile. */
export function readWhole(file: number, buffer: Buffer): Uint8Array {
  let filled = 0;
  while (filled < buffer.byteLength) {
    const count = readSync(file, buffer, filled, buffer.byteLength - filled, null);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

/** Closes the file. */
export async function readWholeAsync(file: number, buffer: Buffer): Promise<Uint8Array> {
  try {
    let filled = 0;
    while (filled < buffer.byteLength) {
      const { bytesRead } = await readAsync(file, buffer, filled, buffer.byteLength - filled, null);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  } finally {
    closeSync(file);
  }
}

/** A write can come back short; the bytes go to the file's current position. */
export function writeWhole(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.byteLength; ) written += writeSync(file, bytes, written);
}

/** Through the thread pool, over what the file holds. */
export async function overwriteAsync(
  path: string,
  bytes: Uint8Array,
  usedSeconds: number,
  deadline: number,
): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.writeFile(bytes);
    await file.utimes(usedSeconds, deadline);
  } finally {
    await file.close();
  }
}

const readAsync = promisify(read);
