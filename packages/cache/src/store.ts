/**
 * What a cache asks of the places where entries are kept. A store knows nothing of values, seals or freshness: bytes
 * and a deadline go in, the same bytes come out, or nothing. The cache verifies what comes out, so a store that loses
 * or damages entries costs time and never correctness.
 *
 * Terms: a *store* is a driver; a *tier* is a store in its place in one cache; a *namespace* keeps caches apart that
 * share a store, and may hold any character. The suite in `@cadre/cache/testing` says in tests what the comments here
 * say in words.
 */

export interface StoredEntry {
  readonly bytes: Uint8Array;
  /** When the entry may be forgotten, in milliseconds since the epoch; Infinity = never. The cache checks times itself. */
  readonly expiresAtMs: number;
  /** What the entry takes in memory for a store that `supports.references`. @default bytes.byteLength */
  readonly heldBytes?: number;
}

export interface StoreUsage {
  readonly entries: number;
  /** What counts against the store's limit. */
  readonly bytes: number;
  /** Infinity: somebody else's limit. */
  readonly maxBytes: number;
  /** Entries removed to make room, since the store was opened. */
  readonly evictions: number;
  /** Entries the store itself removed because their deadline had passed. */
  readonly expirations: number;
}

export interface StoreSupport {
  /** `get` returns, synchronously, the very object that `set` was given: entries never leave this process. */
  readonly references: boolean;
  /** Other processes may read and write the same entries. */
  readonly shared: boolean;
  /** It is asked over a network: the cache bounds how long it waits, and stops asking for a while when it fails. */
  readonly remote: boolean;
  /** `usage()` counts entries and bytes, and `maxBytes` is held; else they are 0 and the limit is its server's. */
  readonly counts: boolean;
}

/** A result that may be there at once: a store that answers without waiting spares its caller a turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>;

export interface Store {
  /** Names the tier in statistics, errors and seals: an entry sealed for one name doesn't open under another. */
  readonly name: string;
  readonly supports: StoreSupport;
  /** Undefined: processes that share the store can't agree on who computes. */
  readonly leases: LeaseSource | undefined;
  get(namespace: string, key: string): MaybePromise<StoredEntry | undefined>;
  /** Replaces what was there, whole or not at all, and ends a lease of the key. False: the entry is larger than the store takes, and what was there is gone. */
  set(namespace: string, key: string, entry: StoredEntry): MaybePromise<boolean>;
  /** True when there was an entry. A lease of the key ends. */
  delete(namespace: string, key: string): MaybePromise<boolean>;
  /** Removes the entries of this namespace and of no other, and ends its leases. */
  clear(namespace: string): MaybePromise<void>;
  /** Every entry of the namespace, in no order. What is written meanwhile may be in it or not, or, rarely, twice. */
  scan(namespace: string): AsyncIterable<StoredEntry>;
  usage(): StoreUsage;
  /** Idempotent. Afterwards every other method fails. */
  close(): MaybePromise<void>;
}

export interface LeaseSource {
  /** Undefined while somebody else holds the lease of the key; a holder that is gone, or silent for its ttl, holds none. */
  acquire(namespace: string, key: string, ttlMs: number): MaybePromise<Lease | undefined>;
}

/** The right to compute a key, until its ttl is over. It is fenced: what a holder writes after it was lost is refused. */
export interface Lease {
  /** The ttl begins anew. False: the lease was lost. */
  renew(): MaybePromise<boolean>;
  /** Stores the entry and ends the lease, in one step that nobody can come between; 'lost' when it is not ours any more. */
  commit(entry: StoredEntry): MaybePromise<'stored' | 'too-large' | 'lost'>;
  /** Idempotent; harmless once the lease was lost. */
  release(): MaybePromise<void>;
}
