/**
 * What a cache asks of the places where entries are kept. A store knows nothing of values, seals or freshness: bytes
 * and a deadline go in, the same bytes come out, or nothing. The cache verifies what comes out, so a store that loses
 * or damages entries costs time and never correctness.
 *
 * Terms: a *store* is a driver; a *tier* is a store in its place in one cache; a *namespace* keeps caches apart that
 * share a store. The suite in `@cadre/cache/testing` says in tests what the comments here say in words.
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
  readonly maxBytes: number;
  /** Entries removed to make room, since the store was opened. */
  readonly evictions: number;
  /** Entries the store itself removed because their deadline had passed. */
  readonly expirations: number;
}

/** A result that may be there at once: a store that answers without waiting spares its caller a turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>;

export interface Store {
  /** Names the tier in statistics, errors and seals: an entry sealed for one name doesn't open under another. */
  readonly name: string;
  readonly supports: {
    /** `get` returns, synchronously, the very object that `set` was given: entries never leave this process. */
    readonly references: boolean;
    /** Other processes may read and write the same entries. */
    readonly shared: boolean;
  };
  get(namespace: string, key: string): MaybePromise<StoredEntry | undefined>;
  /** Replaces what was there, whole or not at all. False: the entry is larger than the store takes, and what was there is gone. */
  set(namespace: string, key: string, entry: StoredEntry): MaybePromise<boolean>;
  /** True when there was an entry. */
  delete(namespace: string, key: string): MaybePromise<boolean>;
  /** Removes the entries of this namespace and of no other. */
  clear(namespace: string): MaybePromise<void>;
  usage(): StoreUsage;
  /** Idempotent. Afterwards every other method fails. */
  close(): MaybePromise<void>;
}
