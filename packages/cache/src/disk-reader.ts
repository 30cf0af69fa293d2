/** Reads entry files, and notes in them when they were last used, which decides what is evicted. */
import { closeSync, constants, fstatSync, futimesSync, openSync, type Stats } from 'node:fs';
import { readWhole, readWholeAsync, synchronousBelowBytes } from './disk-file.ts';
import { isErrno } from './disk-scan.ts';
import type { MaybePromise, StoredEntry } from './store.ts';

export interface DiskReaderOptions {
  readonly maxEntryBytes: number;
  readonly clock: { now(): number };
}

/** How exactly the last use is known; writing it at every read would double the cost of one. */
const lastUseStepMs = 60_000;

/** Remembers what a mount doesn't allow, so that it isn't tried with every file. */
export class DiskReader {
  readonly #maxEntryBytes: number;
  readonly #clock: { now(): number };
  #readFlags = constants.O_RDONLY | constants.O_NONBLOCK | (constants.O_NOATIME ?? 0);
  #notesUse = true;

  constructor({ maxEntryBytes, clock }: DiskReaderOptions) {
    this.#maxEntryBytes = maxEntryBytes;
    this.#clock = clock;
  }

  /** Undefined: there is no such file. Cost: four system calls, at once for what is below a megabyte. */
  read(path: string): MaybePromise<StoredEntry | undefined> {
    const file = this.#open(path);
    if (file === undefined) return undefined;
    let handedOver = false;
    try {
      const stats = fstatSync(file);
      if (!stats.isFile()) throw new Error(`${path} is not a file; remove it`);
      // No entry of ours is so large: to the cache nothing at all is an entry that was cut.
      if (stats.size > this.#maxEntryBytes) return { bytes: new Uint8Array(0), expiresAtMs: 0 };
      this.#noteUse(file, stats);
      const expiresAtMs = stats.mtimeMs === 0 ? Infinity : stats.mtimeMs;
      // Not from Node's pool: an entry that is kept would keep a pool of 8 KiB.
      const bytes = Buffer.allocUnsafeSlow(stats.size);
      if (stats.size < synchronousBelowBytes) return { bytes: readWhole(file, bytes), expiresAtMs };
      handedOver = true;
      return readWholeAsync(file, bytes).then((whole) => ({ bytes: whole, expiresAtMs }));
    } finally {
      if (!handedOver) closeSync(file);
    }
  }

  #open(path: string): number | undefined {
    try {
      return openSync(path, this.#readFlags);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      const withoutNoatime = this.#readFlags & ~(constants.O_NOATIME ?? 0);
      // Only a file's owner may read it without its access time being noted.
      if (!isErrno(error, 'EPERM') || this.#readFlags === withoutNoatime) throw error;
      this.#readFlags = withoutNoatime;
      return openSync(path, withoutNoatime);
    }
  }

  #noteUse(file: number, stats: Stats): void {
    const nowMs = this.#clock.now();
    if (!this.#notesUse || Math.abs(nowMs - stats.atimeMs) < lastUseStepMs) return;
    try {
      futimesSync(file, nowMs / 1000, stats.mtimeMs / 1000);
    } catch {
      // Another user's file or a read-only mount: the entry reads all the same, and whoever may write there decides what is evicted.
      this.#notesUse = false;
    }
  }
}
