/** The tier nearest to the caller: entries by reference, the least recently used ones forgotten beyond a bound in bytes. */
import { LRUCache } from 'lru-cache';
import { CacheError } from './errors.ts';
import type { Store, StoredEntry } from './store.ts';

export interface MemoryStoreOptions {
  /** Estimated memory of all entries together, keys and bookkeeping included. @default 64 MiB */
  readonly maxBytes?: number;
  /** A larger entry is not kept in this tier. @default a quarter of maxBytes */
  readonly maxEntryBytes?: number;
  /** @default 'memory' */
  readonly name?: string;
}

export function memoryStore(options: MemoryStoreOptions = {}): Store {
  const { maxBytes, maxEntryBytes, name } = resolveMemoryStoreOptions(options);
  let state: 'open' | 'closed' = 'open';
  let evictions = 0;
  const entries = new LRUCache<string, StoredEntry>({
    maxSize: maxBytes,
    maxEntrySize: maxEntryBytes,
    sizeCalculation: (entry, key) => (entry.heldBytes ?? entry.bytes.byteLength) + key.length * 2 + bookkeepingBytes,
    dispose: (_entry, _key, reason) => {
      if (reason === 'evict') evictions += 1;
    },
  });
  /** The namespace whose keys stand as they are: nearly every store has but one, and joining strings costs as much as a lookup. */
  let plainNamespace: string | undefined;

  return {
    name,
    supports: { references: true, shared: false, remote: false, counts: true },
    leases: undefined,
    get(namespace, key) {
      assertOpen();
      return entries.get(address(namespace, key));
    },
    set(namespace, key, entry) {
      assertOpen();
      plainNamespace ??= namespace;
      const at = address(namespace, key);
      entries.set(at, entry);
      return entries.has(at);
    },
    delete(namespace, key) {
      assertOpen();
      return entries.delete(address(namespace, key));
    },
    clear(namespace) {
      assertOpen();
      for (const at of [...entries.keys()]) if (isIn(namespace, at)) entries.delete(at);
    },
    async *scan(namespace) {
      assertOpen();
      for (const at of [...entries.keys()]) {
        const entry = isIn(namespace, at) ? entries.peek(at) : undefined;
        if (entry !== undefined) yield entry;
      }
    },
    usage: () => ({ entries: entries.size, bytes: entries.calculatedSize, maxBytes, evictions, expirations: 0 }),
    close() {
      state = 'closed';
      entries.clear();
    },
  };

  /** No two addresses meet: a plain one never begins with NUL, any other does and carries its namespace's length. */
  function address(namespace: string, key: string): string {
    if (namespace === plainNamespace && key.charCodeAt(0) !== 0) return key;
    return `\0${namespace.length}:${namespace}${key}`;
  }

  function isIn(namespace: string, at: string): boolean {
    return (
      at.startsWith(`\0${namespace.length}:${namespace}`) || (namespace === plainNamespace && !at.startsWith('\0'))
    );
  }

  function assertOpen(): void {
    if (state === 'closed') throw new CacheError('CACHE_CLOSED', `Store '${name}' is closed`);
  }
}

/** What the map, the list and the entry object take beside key and value. */
const bookkeepingBytes = 256;

function resolveMemoryStoreOptions(options: MemoryStoreOptions): Required<MemoryStoreOptions> {
  const { maxBytes = 64 * 1024 * 1024, name = 'memory' } = options;
  assertByteCount('maxBytes', maxBytes);
  const { maxEntryBytes = Math.ceil(maxBytes / 4) } = options;
  assertByteCount('maxEntryBytes', maxEntryBytes);
  return { maxBytes, maxEntryBytes, name };
}

function assertByteCount(option: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`Expected ${option} to be a positive whole number of bytes, got ${value}`);
  }
}
