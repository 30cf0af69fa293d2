/** What lies in a disk store's directory: its entries by folder, and what processes left there that are gone. */
import { createHash } from 'node:crypto';
import { type Dirent, readdirSync, readFileSync, readlinkSync, rmSync, statSync, unlinkSync } from 'node:fs';
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
const orphansPerTurn = 64;

/**
 * Removes what dead processes left half written, thousands of files too without keeping the event loop. A process of
 * another host or container can't be asked whether it lives; its files go when nothing has touched them for an hour.
 */
export async function removeOrphans(directory: string): Promise<void> {
  const gone = new Map<string, boolean>();
  for (const [index, entry] of listFolder(directory).entries()) {
    if (index % orphansPerTurn === orphansPerTurn - 1) await setImmediate();
    const path = join(directory, entry.name);
    const [, host, pid = ''] = /^([0-9a-f]{16})-(\d+)-/.exec(entry.name) ?? [];
    if (host === hostTag()) {
      const isGone = gone.get(pid) ?? isProcessGone(Number(pid), 0);
      gone.set(pid, isGone);
      if (isGone) removeOrphan(path, entry);
      continue;
    }
    // The kernel's own change time, which nobody can set, against the clock it was taken from.
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats !== undefined && Date.now() - stats.ctimeMs > orphanAfterMs) removeOrphan(path, entry);
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

export function listFolder(path: string): readonly Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** The same for all processes whose ids mean the same: one machine, one start of it, one container. */
export function hostTag(): string {
  knownHostTag ??= createHash('sha256')
    .update([hostname(), bootId(), processNamespace()].join('\n'))
    .digest('hex')
    .slice(0, 16);
  return knownHostTag;
}

/** When it was started, in clock ticks since the machine was; undefined where the system doesn't say. */
export function processStart(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may hold anything; the 20th field after it is the start.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}

/** @param start 0 = not known: then an id that another process has got since counts as alive. */
export function isProcessGone(pid: number, start: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return isErrno(error, 'ESRCH');
  }
  const found = start === 0 ? undefined : processStart(pid);
  return found !== undefined && found !== start;
}

let knownHostTag: string | undefined;

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1');
  } catch {
    // Not Linux: ids that survive a restart of the machine are taken for live ones a little more often.
    return '';
  }
}

function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    // Not Linux, where there are none.
    return '';
  }
}

function removeOrphan(path: string, entry: Dirent): void {
  if (entry.isDirectory()) rmSync(path, { recursive: true, force: true });
  else removeFile(path);
}
