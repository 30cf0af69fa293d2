/**
 * The tier that outlives the process: one file per entry, written under a temporary name and renamed, so that any
 * number of processes share a directory and damage stays inside one entry.
 *
 *     <directory>/<2 hex>/<sha-256 of namespace and key>.<16 hex of the namespace's>
 *     <directory>/tmp/<host>-<pid>-<random>
 *
 * A file's modification time holds the entry's deadline (0 = none) and its access time when it was last used, written
 * by us: the first spares opening files to find the expired ones, and the second can't be had from mounts with
 * `noatime`. Small files are read and written synchronously: from the page cache that takes some microseconds, where a
 * trip through the thread pool takes hundreds. Nothing is synced: after a power failure an entry may be cut, which its
 * seal shows.
 */
import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  mkdirSync,
  openSync,
  read,
  readSync,
  renameSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isErrno, removeFile, removeOrphans, type ScannedFile, scanEntries, temporaryPrefix } from './disk-scan.ts';
import { CacheError, StoreUnavailableError } from './errors.ts';
import type { MaybePromise, Store, StoredEntry, StoreUsage } from './store.ts';

export { openSecretFile } from './secret-file.ts';

export interface DiskStoreOptions {
  /** Made, with mode 0700, if it isn't there. */
  readonly directory: string;
  /** Of all entry files together, other processes' included as of the last scan. @default 1 GiB */
  readonly maxBytes?: number;
  /** A larger entry is not kept in this tier. @default 64 MiB, at most maxBytes */
  readonly maxEntryBytes?: number;
  /** @default 'disk' */
  readonly name?: string;
  /** @default Date */
  readonly clock?: { now(): number };
}

export interface DiskStore extends Store {
  /**
   * Resolves when the scan begun at open, and any trimming, is done: `usage()` then counts all that was in the
   * directory. Reads never wait for it; writes do.
   */
  settled(): Promise<void>;
}

/**
 * A store in a directory that other processes may use at the same time.
 * @throws {StoreUnavailableError} CACHE_STORE_UNAVAILABLE when the directory can't be made
 * Cost: a scan of the directory in the background, some 5 µs an entry, at open and whenever maxBytes was exceeded; the
 * least recently used entries then go until nine tenths of it are left.
 */
export async function openDiskStore(options: DiskStoreOptions): Promise<DiskStore> {
  const resolved = resolveDiskStoreOptions(options);
  try {
    await mkdir(resolved.directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StoreUnavailableError(resolved.name, 'open', error);
  }
  return new Directory(resolved);
}

/** From here on reading or writing would keep the event loop waiting for longer than the thread pool takes. */
const synchronousBelowBytes = 1024 * 1024;
/** How exactly the last use is known; writing it at every read would double the cost of one. */
const lastUseStepMs = 60_000;
const keptAfterTrimming = 0.9;
const readAsync = promisify(read);

class Directory implements DiskStore {
  readonly name: string;
  readonly supports = { references: false, shared: true };
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #maxEntryBytes: number;
  readonly #clock: { now(): number };
  readonly #temporaryPrefix: string;
  #temporaryCount = 0;
  #bytes = 0;
  #entries = 0;
  #evictions = 0;
  #expirations = 0;
  #readFlags = constants.O_RDONLY | constants.O_NONBLOCK | (constants.O_NOATIME ?? 0);
  #notesUse = true;
  #state: 'open' | 'closed' = 'open';
  /** The scan under way: it counts, so nothing else may write meanwhile. */
  #scan: Promise<void> | undefined;
  #scanFailure: unknown;
  readonly #namespaceTags = new Map<string, string>();

  constructor({ name, directory, maxBytes, maxEntryBytes, clock }: Required<DiskStoreOptions>) {
    this.name = name;
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.#maxEntryBytes = maxEntryBytes;
    this.#clock = clock;
    this.#temporaryPrefix = join(directory, 'tmp', `${temporaryPrefix()}${randomUUID()}-`);
    this.#startScan(undefined);
  }

  get(namespace: string, key: string): MaybePromise<StoredEntry | undefined> {
    this.#assertOpen();
    const path = this.#path(namespace, key);
    const file = this.#openToRead(path);
    if (file === undefined) return undefined;
    let handedOver = false;
    try {
      const stats = fstatSync(file);
      if (!stats.isFile()) throw new Error(`${path} is not a file; remove it`);
      // No entry of ours is so large: to the cache nothing at all is an entry that was cut.
      if (stats.size > this.#maxEntryBytes) return { bytes: new Uint8Array(0), expiresAtMs: 0 };
      this.#noteUse(file, stats);
      const bytes = Buffer.allocUnsafeSlow(stats.size);
      const expiresAtMs = stats.mtimeMs === 0 ? Infinity : stats.mtimeMs;
      if (stats.size < synchronousBelowBytes) return { bytes: readWhole(file, bytes), expiresAtMs };
      handedOver = true;
      return readWholeAsync(file, bytes).then((whole) => ({ bytes: whole, expiresAtMs }));
    } finally {
      if (!handedOver) closeSync(file);
    }
  }

  async set(namespace: string, key: string, entry: StoredEntry): Promise<boolean> {
    this.#assertOpen();
    // A scan that failed has counted nothing, so there is no limit to hold: it has to succeed first.
    if (this.#scanFailure !== undefined) this.#startScan(undefined);
    if (this.#scan !== undefined) await this.settled();
    const path = this.#path(namespace, key);
    if (entry.bytes.byteLength > this.#maxEntryBytes) {
      this.#remove(path);
      return false;
    }
    this.#temporaryCount += 1;
    const temporary = `${this.#temporaryPrefix}${this.#temporaryCount}`;
    try {
      if (entry.bytes.byteLength < synchronousBelowBytes) this.#write(temporary, entry);
      else await this.#writeAsync(temporary, entry);
      this.#publish(temporary, path, entry.bytes.byteLength);
    } catch (error) {
      removeFile(temporary);
      throw error;
    }
    if (this.#bytes > this.#maxBytes) {
      this.#startScan(path);
      await this.settled();
    }
    return true;
  }

  delete(namespace: string, key: string): MaybePromise<boolean> {
    this.#assertOpen();
    const path = this.#path(namespace, key);
    return this.#scan === undefined ? this.#remove(path) : this.settled().then(() => this.#remove(path));
  }

  async clear(namespace: string): Promise<void> {
    this.#assertOpen();
    const suffix = `.${this.#namespaceTag(namespace)}`;
    await this.settled();
    for await (const files of scanEntries(this.#directory)) {
      for (const { path } of files) if (path.endsWith(suffix)) this.#remove(path);
    }
  }

  usage(): StoreUsage {
    return {
      entries: this.#entries,
      bytes: this.#bytes,
      maxBytes: this.#maxBytes,
      evictions: this.#evictions,
      expirations: this.#expirations,
    };
  }

  async settled(): Promise<void> {
    while (this.#scan !== undefined) await this.#scan;
    if (this.#scanFailure !== undefined) throw this.#scanFailure;
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    while (this.#scan !== undefined) await this.#scan;
  }

  #openToRead(path: string): number | undefined {
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

  #write(temporary: string, entry: StoredEntry): void {
    const file = this.#openTemporary(temporary);
    try {
      for (let written = 0; written < entry.bytes.byteLength; ) {
        written += writeSync(file, entry.bytes, written);
      }
      futimesSync(file, this.#clock.now() / 1000, deadlineSeconds(entry.expiresAtMs));
    } finally {
      closeSync(file);
    }
  }

  async #writeAsync(temporary: string, entry: StoredEntry): Promise<void> {
    closeSync(this.#openTemporary(temporary));
    const file = await open(temporary, 'r+');
    try {
      await file.writeFile(entry.bytes);
      await file.utimes(this.#clock.now() / 1000, deadlineSeconds(entry.expiresAtMs));
    } finally {
      await file.close();
    }
  }

  #openTemporary(temporary: string): number {
    try {
      return openSync(temporary, 'wx', 0o600);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      mkdirSync(join(this.#directory, 'tmp'), { recursive: true, mode: 0o700 });
      return openSync(temporary, 'wx', 0o600);
    }
  }

  #publish(temporary: string, path: string, byteLength: number): void {
    const replaced = statSync(path, { throwIfNoEntry: false });
    try {
      renameSync(temporary, path);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
      renameSync(temporary, path);
    }
    this.#bytes += byteLength - (replaced?.size ?? 0);
    if (replaced === undefined) this.#entries += 1;
  }

  #remove(path: string): boolean {
    const size = removeFile(path);
    if (size === undefined) return false;
    this.#bytes -= size;
    this.#entries -= 1;
    return true;
  }

  #startScan(newest: string | undefined): void {
    this.#scanFailure = undefined;
    this.#scan = this.#count(newest)
      .catch((error: unknown) => {
        this.#scanFailure = error;
      })
      .finally(() => {
        this.#scan = undefined;
      });
  }

  /** Counts what is there, removes what has expired and, beyond the limit, what was used longest ago, save `newest`. */
  async #count(newest: string | undefined): Promise<void> {
    removeOrphans(join(this.#directory, 'tmp'));
    const kept: ScannedFile[] = [];
    const nowMs = this.#clock.now();
    for await (const files of scanEntries(this.#directory)) {
      for (const file of files) {
        if (file.expiresAtMs > nowMs) kept.push(file);
        else if (removeFile(file.path) !== undefined) this.#expirations += 1;
      }
    }
    this.#entries = kept.length;
    this.#bytes = kept.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (this.#bytes <= this.#maxBytes) return;
    kept.sort((left, right) => left.usedAtMs - right.usedAtMs);
    for (const { path } of kept) {
      if (this.#bytes <= this.#maxBytes * keptAfterTrimming) break;
      if (path !== newest && this.#remove(path)) this.#evictions += 1;
    }
  }

  /** No character of the key reaches the path. As UTF-16, since UTF-8 makes all lone surrogates one character. */
  #path(namespace: string, key: string): string {
    const digest = sha256(`${namespace.length}:${namespace}${key}`);
    return `${this.#directory}/${digest.slice(0, 2)}/${digest}.${this.#namespaceTag(namespace)}`;
  }

  #namespaceTag(namespace: string): string {
    const known = this.#namespaceTags.get(namespace);
    if (known !== undefined) return known;
    const tag = sha256(namespace).slice(0, 16);
    this.#namespaceTags.set(namespace, tag);
    return tag;
  }

  #assertOpen(): void {
    if (this.#state === 'closed') throw new CacheError('CACHE_CLOSED', `Store '${this.name}' is closed`);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf16le').digest('hex');
}

/** Shorter than the buffer when the file was cut meanwhile. */
function readWhole(file: number, buffer: Buffer): Uint8Array {
  let filled = 0;
  while (filled < buffer.byteLength) {
    const count = readSync(file, buffer, filled, buffer.byteLength - filled, null);
    if (count === 0) break;
    filled += count;
  }
  return buffer.subarray(0, filled);
}

async function readWholeAsync(file: number, buffer: Buffer): Promise<Uint8Array> {
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

/** Beyond this ext4 has no room for a time; whole seconds, never early. */
const latestSeconds = 15_000_000_000;

function deadlineSeconds(expiresAtMs: number): number {
  if (expiresAtMs === Infinity) return 0;
  return Math.min(Math.max(Math.ceil(expiresAtMs / 1000), 1), latestSeconds);
}

function resolveDiskStoreOptions(options: DiskStoreOptions): Required<DiskStoreOptions> {
  const { directory, maxBytes = 1024 ** 3, name = 'disk', clock = Date } = options;
  if (typeof directory !== 'string' || directory === '') {
    throw new TypeError(`Expected directory to be a path, got ${JSON.stringify(directory)}`);
  }
  assertByteCount('maxBytes', maxBytes);
  const { maxEntryBytes = Math.min(64 * 1024 * 1024, maxBytes) } = options;
  assertByteCount('maxEntryBytes', maxEntryBytes);
  return { directory, maxBytes, maxEntryBytes: Math.min(maxEntryBytes, maxBytes), name, clock };
}

function assertByteCount(option: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`Expected ${option} to be a positive whole number of bytes, got ${value}`);
  }
}
