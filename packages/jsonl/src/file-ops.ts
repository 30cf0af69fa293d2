/**
 * The seam between the log and the operating system: every operation whose failure the log must survive.
 * Fault tests replace it; programs use `nodeFileOperations`.
 *
 * An operation may answer at once or later. `write` reports how many bytes were taken, which may be fewer than given
 * without any error, as write(2) does on a disk that fills up.
 */
import { close, fdatasync, fstat, fsync, ftruncate, open, read, statSync, write, writeSync } from 'node:fs';
import { link, readdir, realpath, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/** Which file a path or descriptor means, and its length in bytes. */
export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: number;
  readonly isFile: boolean;
}

type Now<T> = T | Promise<T>;

export interface FileOperations {
  open(path: string, flags: number, mode: number): Promise<number>;
  close(file: number): Promise<void>;
  /** At a position, into the whole buffer; answers the bytes read. */
  read(file: number, buffer: Uint8Array, position: number): Promise<number>;
  /** At the end of the file; answers the bytes written. */
  write(file: number, bytes: Uint8Array): Now<number>;
  truncate(file: number, size: number): Promise<void>;
  /** The file's data, and its length, are on disk. */
  datasync(file: number): Now<void>;
  /** The directory entry by which the file is found is on disk. */
  syncEntry(path: string): Promise<void>;
  /** Of a path (undefined: nothing is there) or a descriptor. */
  stat(target: string | number): Now<FileIdentity | undefined>;
  /** Gives a file a second name; an error where there is something by that name. */
  link(path: string, name: string): Promise<void>;
  /** In the place of what is there, if anything is. */
  rename(from: string, to: string): Promise<void>;
  /** The names in a directory. */
  list(directory: string): Promise<readonly string[]>;
  /** Nothing there is fine. */
  remove(path: string): Promise<void>;
}

/** Writes up to this size go to the page cache faster than a thread could be asked to do it. */
const synchronousWriteBytes = 256 * 1024;

export const nodeFileOperations: FileOperations = {
  open: promisify(open),
  close: promisify(close),
  truncate: promisify(ftruncate),
  datasync: promisify(fdatasync),
  async read(file, buffer, position) {
    const { bytesRead } = await promisify(read)(file, buffer, 0, buffer.length, position);
    return bytesRead;
  },
  write(file, bytes) {
    if (bytes.length <= synchronousWriteBytes) return writeSync(file, bytes);
    return promisify(write)(file, bytes).then(({ bytesWritten }) => bytesWritten);
  },
  async syncEntry(path) {
    // Windows can't open a directory, and its file systems order the entry before the data.
    if (process.platform === 'win32') return;
    const directory = await promisify(open)(dirname(await realpath(path)), 'r');
    try {
      await promisify(fsync)(directory);
    } finally {
      await promisify(close)(directory);
    }
  },
  stat(target) {
    if (typeof target === 'string') {
      const found = statSync(target, { bigint: true, throwIfNoEntry: false });
      return found === undefined ? undefined : toIdentity(found);
    }
    return promisify(fstat)(target, { bigint: true }).then(toIdentity);
  },
  link,
  rename,
  list: (directory) => readdir(directory),
  remove: (path) => rm(path, { force: true }),
};

function toIdentity(stats: { dev: bigint; ino: bigint; size: bigint; isFile(): boolean }): FileIdentity {
  return { device: stats.dev, inode: stats.ino, size: Number(stats.size), isFile: stats.isFile() };
}
