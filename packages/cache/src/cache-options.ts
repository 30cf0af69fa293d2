/** What a cache and its calls can be told, and what that comes to. */
import { CacheError, type StoreUnavailableError } from './errors.ts';
import { memoryStore } from './memory.ts';
import { createSealer } from './seal.ts';
import type { EntryTimes } from './staleness.ts';
import type { Store } from './store.ts';
import { createTiers, exportTier, type Tiers } from './tiered.ts';

export interface CacheOptions {
  /** Keeps caches apart that share a store: 1 to 128 characters, none of them a control character. @default 'default' */
  readonly namespace?: string;
  /** Nearest first; each store's name once. The cache owns them: closing it closes them. @default [memoryStore()] */
  readonly stores?: readonly Store[];
  /**
   * At least 32 bytes each: the first seals new entries, any of them opens old ones, so `[new, old]` rotates. Needed as
   * soon as a store keeps entries outside this process; `openSecretFile` makes one.
   */
  readonly secrets?: readonly Uint8Array[];
  /** For calls that don't say. Infinity = until evicted. @default Infinity */
  readonly ttlMs?: number;
  /**
   * How long a process that computes a key may be silent before another of those that share the store takes over. The
   * holder renews every third of it. 0 = processes don't wait for each other; at most a day. @default 30,000
   */
  readonly leaseMs?: number;
  /** How long any call waits for a remote store, all that it asks of one counted together for a read. @default 250 */
  readonly remoteTimeoutMs?: number;
  /** Failures in a row after which a remote store is left alone. @default 5 */
  readonly breakerFailures?: number;
  /** For so long it is left alone; then one call tries it. @default 5,000 */
  readonly breakerOpenMs?: number;
  /** How long what was learnt about a tag counts before a shared store is asked again: what other processes delete shows that much later. @default 0 */
  readonly tagCheckMs?: number;
  /** @default Date */
  readonly clock?: { now(): number };
  /** Told of every failure of a store, those included that no caller sees because the value was there all the same. */
  readonly onStoreError?: (error: StoreUnavailableError) => void;
}

export interface SetOptions {
  /** How long the value is fresh. 0 = not kept; Infinity = until evicted. @default the cache's ttlMs */
  readonly ttlMs?: number;
  /** Up to 32 names of up to 256 characters; `deleteByTag` of any of them ends the entry. @default none */
  readonly tags?: readonly string[];
}

export interface GetOptions {
  /** Ends this caller's waiting, and nobody else's. */
  readonly signal?: AbortSignal;
}

export interface GetOrSetOptions<T> extends SetOptions, GetOptions {
  /** False: the value is returned and not kept. @default every value is kept */
  readonly cacheIf?: (value: T) => boolean;
  /** For so long past its ttl a value is returned at once while a new one is computed behind it. @default 0 */
  readonly staleWhileRevalidateMs?: number;
  /** For so long past its ttl a value stands in when computing a new one fails. @default 0 */
  readonly staleIfErrorMs?: number;
}

export interface ComputeContext {
  /** Aborts when nobody waits for the value any more. */
  readonly signal: AbortSignal;
}

/** Makes the value that is missing. What it throws reaches every caller that waited, and is not kept. */
export type Compute<T> = (context: ComputeContext) => Promise<T> | T;

/** A call's options, complete. */
export interface Plan<T> {
  readonly ttlMs: number;
  readonly tags: readonly string[];
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly cacheIf: (value: T) => boolean;
}

export interface ResolvedCacheOptions {
  readonly namespace: string;
  readonly ttlMs: number;
  readonly now: () => number;
  readonly tiers: Tiers;
}

/** @throws {TypeError | RangeError} naming the option, when one is unusable */
export function resolveCacheOptions(options: CacheOptions): ResolvedCacheOptions {
  const { namespace = 'default', stores = [memoryStore()], secrets, clock = Date, onStoreError } = options;
  if (typeof namespace !== 'string' || !/^[^\p{Cc}\p{Cs}]{1,128}$/u.test(namespace)) {
    throw new TypeError(
      `Expected namespace to be 1 to 128 characters without control characters, got ${JSON.stringify(namespace)}`,
    );
  }
  assertStores(stores, secrets !== undefined);
  const { breakerFailures = 5 } = options;
  if (!Number.isSafeInteger(breakerFailures) || breakerFailures < 1) {
    throw new RangeError(`Expected breakerFailures to be a whole number of at least 1, got ${breakerFailures}`);
  }
  const leaseMs = duration('leaseMs', options.leaseMs ?? 30_000);
  if (leaseMs > maxLeaseMs) {
    throw new RangeError(
      `Expected leaseMs to be at most ${maxLeaseMs} (a day), got ${leaseMs}; leases are renewed while needed`,
    );
  }
  const now = () => clock.now();
  const tiers = createTiers({
    namespace,
    stores,
    sealer: secrets === undefined ? undefined : createSealer(secrets),
    now,
    leaseMs,
    remoteTimeoutMs: duration('remoteTimeoutMs', options.remoteTimeoutMs ?? 250),
    breakerFailures,
    breakerOpenMs: duration('breakerOpenMs', options.breakerOpenMs ?? 5_000),
    tagCheckMs: duration('tagCheckMs', options.tagCheckMs ?? 0),
    onStoreError(error) {
      // In its own turn: what the callback throws must not cost a caller the value.
      if (onStoreError !== undefined) queueMicrotask(() => onStoreError(error));
    },
  });
  return { namespace, ttlMs: duration('ttlMs', options.ttlMs ?? Infinity), now, tiers };
}

/** @throws {TypeError | RangeError} naming the option, when one is unusable */
export function resolvePlan<T>(options: GetOrSetOptions<T>, defaultTtlMs: number): Plan<T> {
  const {
    ttlMs = defaultTtlMs,
    tags = noTags,
    staleWhileRevalidateMs = 0,
    staleIfErrorMs = 0,
    cacheIf = keepAll,
  } = options;
  if (tags !== noTags) assertTags(tags);
  return {
    ttlMs: duration('ttlMs', ttlMs),
    tags,
    staleWhileRevalidateMs: duration('staleWhileRevalidateMs', staleWhileRevalidateMs),
    staleIfErrorMs: duration('staleIfErrorMs', staleIfErrorMs),
    cacheIf,
  };
}

/** Of an entry made at `createdAtMs`. */
export function timesOf(plan: Plan<never>, createdAtMs: number): EntryTimes {
  const freshUntilMs = createdAtMs + plan.ttlMs;
  const expiresAtMs = freshUntilMs + Math.max(plan.staleWhileRevalidateMs, plan.staleIfErrorMs);
  return { createdAtMs, freshUntilMs, expiresAtMs };
}

const maxLeaseMs = 24 * 60 * 60 * 1000;
const maxTags = 32;
const maxTagLength = 256;

export function assertTags(tags: readonly string[]): void {
  if (!Array.isArray(tags) || tags.length > maxTags) {
    const got = Array.isArray(tags) ? tags.length : typeof tags;
    throw new RangeError(`Expected tags to be a list of at most ${maxTags}, got ${got}`);
  }
  for (const [index, tag] of tags.entries()) {
    if (typeof tag !== 'string' || tag.length < 1 || tag.length > maxTagLength || /\p{Surrogate}/u.test(tag)) {
      throw new TypeError(
        `Expected tags[${index}] to be 1 to ${maxTagLength} characters without lone surrogates, got ${JSON.stringify(tag)?.slice(0, 80)}`,
      );
    }
  }
}

const maxKeyLength = 65_536;

export function assertKey(key: string): void {
  if (typeof key !== 'string') throw new TypeError(`Expected key to be a string, got ${typeof key}`);
  if (key.length > maxKeyLength) {
    throw new RangeError(
      `Expected key to have at most ${maxKeyLength} characters, got ${key.length}; cacheKey makes a short one of any value`,
    );
  }
}

export function closedError(): CacheError {
  return new CacheError('CACHE_CLOSED', 'The cache is closed');
}

const noTags: readonly string[] = [];

function keepAll(): boolean {
  return true;
}

function assertStores(stores: readonly Store[], hasSecrets: boolean): void {
  if (stores.length === 0) throw new TypeError('Expected stores to hold at least one store, got none');
  const names = stores.map(({ name }) => name);
  if (names.includes(exportTier))
    throw new TypeError(`Expected no store to be named '${exportTier}', which exports are`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TypeError(`Expected the names of stores to differ, got '${twice}' twice`);
  const leaving = stores.find((store) => !store.supports.references);
  if (leaving !== undefined && !hasSecrets) {
    throw new TypeError(
      `Expected secrets, since store '${leaving.name}' keeps entries outside this process; openSecretFile makes one`,
    );
  }
}

function duration(option: string, value: number): number {
  if (typeof value !== 'number' || !(value >= 0)) {
    throw new RangeError(`Expected ${option} to be a number of milliseconds of at least 0, got ${value}`);
  }
  return value;
}
