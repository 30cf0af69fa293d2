/**
 * Where trust is kept: a folder of the user's own with one small file for each trusted settings file. Nothing in it is
 * believed that anyone else could have written: owner, mode and kind are checked on what was opened, not on its name.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { isPlainObject } from './plain-data.ts';

/** Binds the bytes of one file to the real path at which they were trusted. */
export interface TrustRecord {
  /** The folder, without symbolic links. */
  readonly directory: string;
  readonly fileName: string;
  /** Of the file's bytes, in hexadecimal. */
  readonly sha256: string;
  readonly trustedAtMs: number;
}

/** `refused` says why what is there is not believed. */
export type ReadRecord =
  | { readonly type: 'record'; readonly record: TrustRecord }
  | { readonly type: 'none' }
  | { readonly type: 'refused'; readonly reason: string };

const maxRecordBytes = 64 * 1024;
const maxRecords = 10_000;

export function readTrustRecord(store: string, directory: string, fileName: string): ReadRecord {
  const unsafe = whyUnsafe(store);
  if (unsafe !== undefined) return { type: 'refused', reason: unsafe };
  const read = readRecordFile(join(store, recordName(directory, fileName)));
  if (read.type !== 'record') return read;
  const { record } = read;
  if (record.directory === directory && record.fileName === fileName) return read;
  return { type: 'refused', reason: `the record of trust is that of ${join(record.directory, record.fileName)}` };
}

/** Makes the store where it is missing. @returns why it could not be written safely */
export function writeTrustRecord(store: string, record: TrustRecord): string | undefined {
  mkdirSync(store, { recursive: true, mode: 0o700 });
  const unsafe = whyUnsafe(store);
  if (unsafe !== undefined) return unsafe;
  const path = join(store, recordName(record.directory, record.fileName));
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    const bytes = Buffer.from(`${JSON.stringify({ version: 1, ...record }, undefined, 2)}\n`);
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path);
  return undefined;
}

export function removeTrustRecord(store: string, { directory, fileName }: TrustRecord): void {
  unlinkSync(join(store, recordName(directory, fileName)));
}

/** What is believed of the store, by path. Whatever else lies there is left out. */
export function listTrustRecords(store: string): readonly TrustRecord[] {
  if (whyUnsafe(store) !== undefined) return [];
  const names = readNames(store)
    .filter((name) => name.endsWith('.json'))
    .slice(0, maxRecords);
  const records = names.flatMap((name) => {
    const read = readRecordFile(join(store, name));
    if (read.type !== 'record' || recordName(read.record.directory, read.record.fileName) !== name) return [];
    return [read.record];
  });
  return records.sort((a, b) => (join(a.directory, a.fileName) < join(b.directory, b.fileName) ? -1 : 1));
}

function recordName(directory: string, fileName: string): string {
  return `${createHash('sha256').update(`${directory}\0${fileName}`).digest('hex')}.json`;
}

function readRecordFile(path: string): ReadRecord {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { type: 'none' };
    const reason = codeOf(error) === 'ELOOP' ? 'is a symbolic link' : `can't be read (${String(error)})`;
    return refusedRecord(path, reason);
  }
  try {
    const stats = fstatSync(descriptor);
    const unsafe = stats.isFile() ? whyNotOwn(stats, 0o077, '0600') : 'is not a regular file';
    if (unsafe !== undefined) return refusedRecord(path, unsafe);
    if (stats.nlink > 1) return refusedRecord(path, 'has another name (a hard link)');
    if (stats.size > maxRecordBytes) return refusedRecord(path, `is ${stats.size} bytes long, over ${maxRecordBytes}`);
    const record = parseRecord(readFileSync(descriptor, 'utf8'));
    return record === undefined ? refusedRecord(path, 'is damaged') : { type: 'record', record };
  } finally {
    closeSync(descriptor);
  }
}

function parseRecord(text: string): TrustRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
  if (!isPlainObject(value) || value.version !== 1) return undefined;
  const { directory, fileName, sha256, trustedAtMs } = value;
  const isRight =
    typeof directory === 'string' &&
    typeof fileName === 'string' &&
    typeof sha256 === 'string' &&
    typeof trustedAtMs === 'number';
  return isRight ? { directory, fileName, sha256, trustedAtMs } : undefined;
}

function refusedRecord(path: string, reason: string): ReadRecord {
  return { type: 'refused', reason: `the record of trust ${path} ${reason}` };
}

/** Why nothing in the store may be believed; undefined when it may, or when there is no store. */
function whyUnsafe(store: string): string | undefined {
  const stats = lstatSync(store, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const what = `the folder of trust ${store}`;
  if (stats.isSymbolicLink()) return `${what} is a symbolic link`;
  if (!stats.isDirectory()) return `${what} is no folder`;
  const reason = whyNotOwn(stats, 0o022, '0700');
  return reason === undefined ? undefined : `${what} ${reason}`;
}

/** Windows has neither ids nor modes: there the user's own profile folder is what protects the store. */
function whyNotOwn({ uid, mode }: Stats, forbidden: number, wanted: string): string | undefined {
  const own = process.getuid?.();
  if (own === undefined) return undefined;
  if (uid !== own) return `belongs to user ${uid}, not to you (${own})`;
  if ((mode & forbidden) === 0) return undefined;
  return `has mode 0${(mode & 0o777).toString(8)}, so that others can reach it; it must be ${wanted}`;
}

function readNames(store: string): readonly string[] {
  try {
    return readdirSync(store).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
