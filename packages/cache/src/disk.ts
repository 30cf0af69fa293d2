/**
 * The tier that outlives the process: one file per entry, written under a temporary name and renamed, so that any
 * number of processes share a directory and damage stays inside one entry.
 *
 *     <directory>/<2 hex>/<sha-256 of namespace and key>.<16 hex of the namespace's>
 *     <directory>/tmp/<host>-<pid>-<random>
 *     <directory>/leases/…                               (see disk-lease.ts)
 *
 * A file's modification time holds the entry's deadline (0 = none) and its access time when it was last used, written
 * by us: the first spares opening files to find the expired ones, and the second can't be had from mounts with
 * `noatime`. Small files are read and written synchronously: from the page cache that takes some microseconds, where a
 * trip through the thread pool takes hundreds. Nothing is synced: after a power failure an entry may be cut, which its
 * seal shows.
 */
import { statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireDiskLease, removeDeadLease, revokeDiskLease } from './disk-lease.ts';
import { DiskReader } from './disk-reader.ts';
import { listFolder, removeFile, removeOrphans, type ScannedFile, scanEntries } from './disk-scan.ts';
import { DiskWriter, renameInto } from './disk-writer.ts';
import { CacheError, StoreUnavailableError } from './errors.ts';
import type { Lease, LeaseSource, MaybePromise, Store, StoredEntry, StoreUsage } from './store.ts';
import { storeAddresses } from './store-address.ts';

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

const keptAfterTrimming = 0.9;

class Directory implements DiskStore {
  readonly name: string;
  readonly supports = { references: false, shared: true, remote: false, counts: true };
  readonly leases: LeaseSource = { acquire: (namespace, key, ttlMs) => this.#acquire(namespace, key, ttlMs) };
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #maxEntryBytes: number;
  readonly #clock: { now(): number };
  readonly #reader: DiskReader;
  readonly #writer: DiskWriter;
  readonly #addresses = storeAddresses();
  #bytes = 0;
  #entries = 0;
  #evictions = 0;
  #expirations = 0;
  #state: 'open' | 'closed' = 'open';
  /** The scan under way: it counts, so nothing else may write meanwhile. */
  #scan: Promise<void> | undefined;
  #scanFailure: unknown;

  constructor({ name, directory, maxBytes, maxEntryBytes, clock }: Required<DiskStoreOptions>) {
    this.name = name;
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.#maxEntryBytes = maxEntryBytes;
    this.#clock = clock;
    this.#reader = new DiskReader({ maxEntryBytes, clock });
    this.#writer = new DiskWriter(join(directory, 'tmp'), clock);
    this.#startScan(undefined);
  }

  get(namespace: string, key: string): MaybePromise<StoredEntry | undefined> {
    this.#assertOpen();
    return this.#reader.read(this.#pathOf(this.#digest(namespace, key)));
  }

  async set(namespace: string, key: string, entry: StoredEntry): Promise<boolean> {
    this.#assertOpen();
    // A scan that failed has counted nothing, so there is no limit to hold: it has to succeed first.
    if (this.#scanFailure !== undefined) this.#startScan(undefined);
    if (this.#scan !== undefined) await this.settled();
    const digest = this.#digest(namespace, key);
    const path = this.#pathOf(digest);
    revokeDiskLease(this.#leaseFolder(digest));
    if (entry.bytes.byteLength > this.#maxEntryBytes) {
      this.#remove(path);
      return false;
    }
    const temporary = this.#writer.newName();
    try {
      await this.#writer.write(temporary, entry);
      await this.#publish(temporary, path, entry.bytes.byteLength);
    } catch (error) {
      removeFile(temporary);
      throw error;
    }
    return true;
  }

  delete(namespace: string, key: string): MaybePromise<boolean> {
    this.#assertOpen();
    const digest = this.#digest(namespace, key);
    const remove = () => {
      revokeDiskLease(this.#leaseFolder(digest));
      return this.#remove(this.#pathOf(digest));
    };
    return this.#scan === undefined ? remove() : this.settled().then(remove);
  }

  async clear(namespace: string): Promise<void> {
    this.#assertOpen();
    const suffix = `.${this.#addresses.namespaceTag(namespace)}`;
    await this.settled();
    for (const { name } of listFolder(join(this.#directory, 'leases'))) {
      if (name.endsWith(suffix)) revokeDiskLease(join(this.#directory, 'leases', name));
    }
    for await (const files of scanEntries(this.#directory)) {
      for (const { path } of files) if (path.endsWith(suffix)) this.#remove(path);
    }
  }

  async *scan(namespace: string): AsyncGenerator<StoredEntry, void, void> {
    this.#assertOpen();
    const suffix = `.${this.#addresses.namespaceTag(namespace)}`;
    for await (const files of scanEntries(this.#directory)) {
      for (const { path } of files) {
        const entry = path.endsWith(suffix) ? await this.#reader.read(path) : undefined;
        if (entry !== undefined) yield entry;
      }
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

  #acquire(namespace: string, key: string, ttlMs: number): Lease | undefined {
    this.#assertOpen();
    const digest = this.#digest(namespace, key);
    return acquireDiskLease(this.#leaseFolder(digest), ttlMs, {
      temporaryFolder: join(this.#directory, 'tmp'),
      now: () => this.#clock.now(),
      takes: (entry) => entry.bytes.byteLength <= this.#maxEntryBytes,
      publish: async (file, entry) => {
        this.#assertOpen();
        return this.#publish(file, this.#pathOf(digest), entry.bytes.byteLength);
      },
    });
  }

  /** Never while another entry is over the limit: so it is exceeded by one entry at most. False: the file is gone. */
  async #publish(temporary: string, path: string, byteLength: number): Promise<boolean> {
    while (this.#scan !== undefined) await this.settled();
    const replaced = statSync(path, { throwIfNoEntry: false });
    if (!renameInto(temporary, path)) return false;
    this.#bytes += byteLength - (replaced?.size ?? 0);
    if (replaced === undefined) this.#entries += 1;
    if (this.#bytes > this.#maxBytes) {
      this.#startScan(path);
      await this.settled();
    }
    return true;
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
    const nowMs = this.#clock.now();
    await this.#removeLeftovers(nowMs);
    const kept: ScannedFile[] = [];
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

  async #removeLeftovers(nowMs: number): Promise<void> {
    await removeOrphans(join(this.#directory, 'tmp'));
    const leases = join(this.#directory, 'leases');
    for (const { name } of listFolder(leases)) removeDeadLease(join(leases, name), nowMs);
  }

  /** No character of the key reaches the path. */
  #digest(namespace: string, key: string): string {
    return `${this.#addresses.digest(namespace, key)}.${this.#addresses.namespaceTag(namespace)}`;
  }

  #pathOf(digest: string): string {
    return `${this.#directory}/${digest.slice(0, 2)}/${digest}`;
  }

  #leaseFolder(digest: string): string {
    return `${this.#directory}/leases/${digest}`;
  }

  #assertOpen(): void {
    if (this.#state === 'closed') throw new CacheError('CACHE_CLOSED', `Store '${this.name}' is closed`);
  }
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
