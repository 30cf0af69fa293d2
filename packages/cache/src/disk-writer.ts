/** Writes entry files: whole under a temporary name first, which the process they are of is told by, and then renamed. */
import { randomUUID } from 'node:crypto';
import { closeSync, futimesSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { deadlineSeconds, overwriteAsync, synchronousBelowBytes, writeWhole } from './disk-file.ts';
import { isErrno, temporaryPrefix } from './disk-scan.ts';
import type { StoredEntry } from './store.ts';

export class DiskWriter {
  readonly #folder: string;
  readonly #prefix: string;
  readonly #clock: { now(): number };
  #count = 0;

  /** @param folder For the temporary files; made when it is needed. */
  constructor(folder: string, clock: { now(): number }) {
    this.#folder = folder;
    this.#prefix = join(folder, `${temporaryPrefix()}${randomUUID()}-`);
    this.#clock = clock;
  }

  newName(): string {
    this.#count += 1;
    return `${this.#prefix}${this.#count}`;
  }

  /** Through the thread pool from a megabyte on. Where it fails, part of the file may be there. */
  async write(temporary: string, entry: StoredEntry): Promise<void> {
    const usedSeconds = this.#clock.now() / 1000;
    const deadline = deadlineSeconds(entry.expiresAtMs);
    const file = this.#create(temporary);
    try {
      if (entry.bytes.byteLength < synchronousBelowBytes) {
        writeWhole(file, entry.bytes);
        futimesSync(file, usedSeconds, deadline);
        return;
      }
    } finally {
      closeSync(file);
    }
    await overwriteAsync(temporary, entry.bytes, usedSeconds, deadline);
  }

  #create(temporary: string): number {
    try {
      return openSync(temporary, 'wx', 0o600);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      return openSync(temporary, 'wx', 0o600);
    }
  }
}

/** The folder it leads to is made when it is needed. False: there is no such file. */
export function renameInto(from: string, to: string): boolean {
  for (let attempt = 0; ; attempt += 1) {
    try {
      renameSync(from, to);
      return true;
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      if (attempt > 0) return false;
      mkdirSync(join(to, '..'), { recursive: true, mode: 0o700 });
    }
  }
}
