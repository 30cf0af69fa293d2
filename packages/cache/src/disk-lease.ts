/**
 * Leases in a directory that processes share.
 *
 *     <directory>/leases/<digest>.<namespace's>/<host>-<pid>-<start of the process>-<ttl>-<random>
 *
 * A lease is a folder with one file in it, whose name says who holds it and whose access time says until when. It is
 * made elsewhere and renamed to its place, which fails while a folder with a file is there: so one of many gets it.
 * Taking a lease away is unlinking the file by its name, which nobody else's has.
 *
 * The fence: a holder writes its result into that very file and renames it to the entry's place. Once the lease was
 * taken away the file is gone and the rename fails, however late it comes; the kernel lets nobody in between.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  futimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { deadlineSeconds, overwriteAsync, synchronousBelowBytes, writeWhole } from './disk-file.ts';
import { hostTag, isErrno, isProcessGone, processStart } from './disk-scan.ts';
import type { Lease, StoredEntry } from './store.ts';

export interface DiskLeaseOptions {
  /** In which folders are made before they are in their place. */
  readonly temporaryFolder: string;
  readonly now: () => number;
  /** Puts the file of a committed lease in the entry's place: false when there is no such file any more. */
  readonly publish: (file: string, entry: StoredEntry) => Promise<boolean>;
  readonly takes: (entry: StoredEntry) => boolean;
}

/** Undefined while somebody holds it. */
export function acquireDiskLease(folder: string, ttlMs: number, options: DiskLeaseOptions): Lease | undefined {
  const { now } = options;
  // Twice at most: once to find that the holder is gone, once to take its place.
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const name = `${hostTag()}-${process.pid}-${processStart(process.pid) ?? 0}-${Math.ceil(ttlMs)}-${randomUUID()}`;
    if (tryToPlace(folder, name, ttlMs, options)) return createLease(join(folder, name), folder, ttlMs, options);
    if (!removeDeadLease(folder, now())) return undefined;
  }
  return undefined;
}

/** Whoever holds it holds it no more. Costs little where there is none. */
export function revokeDiskLease(folder: string): void {
  for (const name of listNames(folder)) unlinkIfThere(join(folder, name));
  removeEmptyFolder(folder);
}

/** False while the lease is alive. Removes it when its holder is gone, or its time is up. */
export function removeDeadLease(folder: string, nowMs: number): boolean {
  for (const name of listNames(folder)) {
    const path = join(folder, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && isAlive(name, stats.atimeMs, nowMs)) return false;
    unlinkIfThere(path);
  }
  removeEmptyFolder(folder);
  return true;
}

function isAlive(name: string, untilMs: number, nowMs: number): boolean {
  const [, host, pid, start, ttl] = /^([0-9a-f]{16})-(\d+)-(\d+)-(\d+)-/.exec(name) ?? [];
  if (host === undefined) return false;
  const ttlMs = Number(ttl);
  // From the future, a clock having been set back: it must not count for years.
  if (nowMs >= untilMs || nowMs < untilMs - 2 * ttlMs - 1_000) return false;
  return host !== hostTag() || !isProcessGone(Number(pid), Number(start));
}

function tryToPlace(folder: string, name: string, ttlMs: number, { temporaryFolder, now }: DiskLeaseOptions): boolean {
  const made = join(temporaryFolder, `${hostTag()}-${process.pid}-${randomUUID()}`);
  mkdirSync(made, { recursive: true, mode: 0o700 });
  let isPlaced = false;
  try {
    const file = openSync(join(made, name), 'wx', 0o600);
    try {
      futimesSync(file, (now() + ttlMs) / 1000, 1);
    } finally {
      closeSync(file);
    }
    isPlaced = place(made, folder);
    return isPlaced;
  } finally {
    if (!isPlaced) {
      unlinkIfThere(join(made, name));
      removeEmptyFolder(made);
    }
  }
}

function place(made: string, folder: string): boolean {
  for (let attempt = 0; ; attempt += 1) {
    try {
      renameSync(made, folder);
      return true;
    } catch (error) {
      if (isErrno(error, 'ENOTEMPTY') || isErrno(error, 'EEXIST')) return false;
      if (attempt > 0 || !isErrno(error, 'ENOENT')) throw error;
      // The first lease of a directory: others may be making the folder of leases, or have made it since.
      mkdirSync(join(folder, '..'), { recursive: true, mode: 0o700 });
    }
  }
}

function createLease(file: string, folder: string, ttlMs: number, options: DiskLeaseOptions): Lease {
  const { now, takes, publish } = options;
  const untilSeconds = () => (now() + ttlMs) / 1000;
  const release = () => {
    unlinkIfThere(file);
    removeEmptyFolder(folder);
  };
  return {
    renew() {
      try {
        utimesSync(file, untilSeconds(), 1);
        return true;
      } catch (error) {
        if (isErrno(error, 'ENOENT')) return false;
        throw error;
      }
    },
    async commit(entry) {
      if (!takes(entry)) {
        release();
        return 'too-large';
      }
      try {
        const deadline = deadlineSeconds(entry.expiresAtMs);
        if (entry.bytes.byteLength < synchronousBelowBytes) overwrite(file, entry.bytes, untilSeconds(), deadline);
        else await overwriteAsync(file, entry.bytes, untilSeconds(), deadline);
        return (await publish(file, entry)) ? 'stored' : 'lost';
      } catch (error) {
        if (isErrno(error, 'ENOENT') && statSync(file, { throwIfNoEntry: false }) === undefined) return 'lost';
        throw error;
      } finally {
        release();
      }
    },
    release,
  };
}

function overwrite(path: string, bytes: Uint8Array, usedSeconds: number, deadline: number): void {
  const file = openSync(path, 'r+');
  try {
    writeWhole(file, bytes);
    futimesSync(file, usedSeconds, deadline);
  } finally {
    closeSync(file);
  }
}

function listNames(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** One that isn't empty is the next holder's already. */
function removeEmptyFolder(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTEMPTY') && !isErrno(error, 'EEXIST')) throw error;
  }
}
