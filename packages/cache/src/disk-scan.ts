/** What lies in a disk store's directory: its entries by folder, and the temporary files of processes that are gone. */
import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, statSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

export interface ScannedFile {
  readonly path: string;
  readonly byteLength: number;
  readonly expiresAtMs: number;
  readonly usedAtMs: number;
}

/** The entries of a directory, one folder at a time with a turn of the event loop between. Other files are passed over. */
export async function* scanEntries(directory: string): AsyncGenerator<readonly ScannedFile[], void, void> {
  for (const folder of listFolder(directory)) {
    if (!folder.isDirectory() || !/^[0-9a-f]{2}$/.test(folder.name)) continue;
    const files: ScannedFile[] = [];
    for (const file of listFolder(join(directory, folder.name))) {
      if (!/^[0-9a-f]{64}\.[0-9a-f]{16}$/.test(file.name)) continue;
      const path = `${directory}/${folder.name}/${file.name}`;
      const stats = statSync(path, { throwIfNoEntry: false });
      if (!stats?.isFile()) continue;
      const expiresAtMs = stats.mtimeMs === 0 ? Infinity : stats.mtimeMs;
      files.push({ path, byteLength: stats.size, expiresAtMs, usedAtMs: stats.atimeMs });
    }
    yield files;
    await setImmediate();
  }
}

/** Begins the name of every temporary file of this process: `<host>-<pid>-`. */
export function temporaryPrefix(): string {
  return `${hostTag()}-${process.pid}-`;
}

const orphanAfterMs = 60 * 60 * 1000;

/**
 * Removes what dead processes left half written. A process of another host or container can't be asked whether it
 * lives; its files go when nothing has touched them for an hour.
 */
export function removeOrphans(directory: string): void {
  for (const { name } of listFolder(directory)) {
    const [, host, pid] = /^([0-9a-f]{16})-(\d+)-/.exec(name) ?? [];
    const path = join(directory, name);
    if (host === hostTag() && pid !== undefined) {
      if (!isAlive(Number(pid))) removeFile(path);
      continue;
    }
    // The kernel's own change time, which nobody can set, against the clock it was taken from.
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() && Date.now() - stats.ctimeMs > orphanAfterMs) removeFile(path);
  }
}

/** The size of the file that was removed; undefined when there was none. */
export function removeFile(path: string): number | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return undefined;
    unlinkSync(path);
    return stats.size;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function listFolder(path: string): readonly Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function hostTag(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 16);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isErrno(error, 'ESRCH');
  }
}
