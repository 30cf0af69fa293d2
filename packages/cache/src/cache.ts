/**
 * The cache: one `getOrSet` over all tiers. It exists so that a result once computed, and paid for, is not computed
 * again while it is good; and so that the cache itself can never be the reason why a caller gets a wrong value or none.
 *
 * Over 400 lines, most of them the contract of its options: reading, computing and writing share which write of a key is
 * the latest, and apart each would have to be told of it by the others.
 */

import { Entry } from './entry.ts';
import { CacheError, type StoreUnavailableError } from './errors.ts';
import { memoryStore } from './memory.ts';
import { createSealer } from './seal.ts';
import { type Flight, SingleFlight } from './single-flight.ts';
import { staleness } from './staleness.ts';
import type { Store } from './store.ts';
import { createTiers, type TierStats, type Tiers } from './tiered.ts';
import { encodeValue } from './value.ts';

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
  /** @default Date */
  readonly clock?: { now(): number };
  /** Told of every failure of a store, those included that no caller sees because the value was there all the same. */
  readonly onStoreError?: (error: StoreUnavailableError) => void;
}

export interface SetOptions {
  /** How long the value is fresh. 0 = not kept; Infinity = until evicted. @default the cache's ttlMs */
  readonly ttlMs?: number;
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

export interface CacheStats {
  /** Calls of get, getOrSet and peek that found a value, stale ones included, in whichever tier. */
  readonly hits: number;
  readonly misses: number;
  readonly staleHits: number;
  readonly computations: number;
  readonly failedComputations: number;
  /** Calls of getOrSet that waited for a computation another call had begun. */
  readonly coalesced: number;
  readonly tiers: readonly TierStats[];
}

export interface Cache extends AsyncDisposable {
  /**
   * The value under the key; where there is none, what `compute` gives, kept for the next caller. Of concurrent callers
   * in this process one computes and all get its result, with the first one's options. A failed computation rejects
   * for all who wait and is not kept. A store that fails is counted and reported, and the value returned all the same.
   * A kept value is returned deeply frozen, or, if it holds dates or bytes, as a copy of each caller's own; a value that
   * isn't kept is returned as it was computed.
   * @throws {UnsupportedValueError} CACHE_VALUE_UNSUPPORTED when the computed value would not come back equal
   * @throws {CacheError} CACHE_CLOSED
   */
  getOrSet<T>(
    key: string,
    compute: (context: ComputeContext) => Promise<T> | T,
    options?: GetOrSetOptions<T>,
  ): Promise<T>;
  /** Undefined: no fresh value. */
  get<T>(key: string, options?: GetOptions): Promise<T | undefined>;
  /** From memory alone, at once. Cost: one lookup in a map. */
  peek<T>(key: string): T | undefined;
  /**
   * @throws {StoreUnavailableError} CACHE_STORE_UNAVAILABLE when a store failed; the others have the value
   * @throws {CacheError} CACHE_ENTRY_TOO_LARGE when no store takes an entry of this size
   * @throws {UnsupportedValueError} CACHE_VALUE_UNSUPPORTED
   */
  set(key: string, value: unknown, options?: SetOptions): Promise<void>;
  /** From every tier; true when one of them had it. A computation under way for the key will not be kept. */
  delete(key: string): Promise<boolean>;
  /** Every entry of this namespace, in every tier. Computations under way will not be kept. */
  clear(): Promise<void>;
  stats(): CacheStats;
  /**
   * Refuses new calls, waits for computations under way, closes the stores. The signal cuts the waiting short: what is
   * still computing is aborted.
   */
  close(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/**
 * @throws {TypeError | RangeError} naming the option, when one is unusable
 */
export function createCache(options: CacheOptions = {}): Cache {
  return new TieredCache(resolveCacheOptions(options));
}

interface ResolvedCacheOptions {
  readonly ttlMs: number;
  readonly now: () => number;
  readonly tiers: Tiers;
}

class TieredCache implements Cache {
  readonly #tiers: Tiers;
  readonly #now: () => number;
  readonly #ttlMs: number;
  readonly #flights = new SingleFlight<Result>();
  readonly #counts = { hits: 0, misses: 0, staleHits: 0, computations: 0, failedComputations: 0, coalesced: 0 };
  #state: 'open' | 'closing' | 'closed' = 'open';
  #closing: Promise<void> | undefined;

  constructor({ tiers, now, ttlMs }: ResolvedCacheOptions) {
    this.#tiers = tiers;
    this.#now = now;
    this.#ttlMs = ttlMs;
  }

  async getOrSet<T>(
    key: string,
    compute: (context: ComputeContext) => Promise<T> | T,
    options: GetOrSetOptions<T> = {},
  ): Promise<T> {
    this.#assertUsable(key);
    options.signal?.throwIfAborted();
    const plan = this.#resolvePlan(options);
    const acceptsStale = plan.staleWhileRevalidateMs > 0 || plan.staleIfErrorMs > 0;
    let flight = this.#flights.get(key);
    let standIn: Entry | undefined;
    if (flight === undefined || acceptsStale) {
      // What stores answer at once needs no flight. An answer to wait for is awaited inside one, or two callers whose
      // waits overlap could compute one after the other.
      const found = this.#tiers.read(key);
      const waited = found instanceof Promise && acceptsStale ? abortable(found, options.signal) : undefined;
      const entry = found instanceof Promise ? await waited : found;
      options.signal?.throwIfAborted();
      if (entry !== undefined && this.#isFresh(entry)) return this.#hit<T>(entry);
      if (entry !== undefined && this.#isWithin(entry, plan.staleWhileRevalidateMs)) {
        if (this.#flights.get(key) === undefined) void this.#revalidate(key, compute, plan);
        return this.#hit<T>(entry, 'stale');
      }
      if (entry !== undefined && this.#isWithin(entry, plan.staleIfErrorMs)) standIn = entry;
      flight = this.#flights.get(key);
      if (flight === undefined) {
        const lookup = found instanceof Promise && !acceptsStale ? found : undefined;
        return this.#await<T>(this.#depart(key, compute, plan, lookup), options.signal, standIn);
      }
    }
    this.#counts.coalesced += 1;
    return this.#await<T>(flight, options.signal, standIn);
  }

  async get<T>(key: string, options: GetOptions = {}): Promise<T | undefined> {
    this.#assertUsable(key);
    options.signal?.throwIfAborted();
    const found = this.#tiers.read(key);
    const entry = found instanceof Promise ? await abortable(found, options.signal) : found;
    if (entry !== undefined && this.#isFresh(entry)) return this.#hit<T>(entry);
    this.#counts.misses += 1;
    return undefined;
  }

  peek<T>(key: string): T | undefined {
    if (this.#state !== 'open') throw closedError();
    const entry = this.#tiers.peek(key);
    if (entry === undefined) return undefined;
    this.#counts.hits += 1;
    return (entry.shared ?? entry.value()) as T;
  }

  async set(key: string, value: unknown, options: SetOptions = {}): Promise<void> {
    this.#assertUsable(key);
    const plan = this.#resolvePlan(options);
    this.#flights.supersede(key);
    const entry = this.#entryOf(value, plan);
    if (plan.ttlMs === 0) {
      await this.#tiers.delete(key);
      return;
    }
    const { stored, tooLarge, errors } = await this.#tiers.write(key, entry);
    const [error] = errors;
    if (error !== undefined) throw error;
    if (stored === 0) {
      throw new CacheError(
        'CACHE_ENTRY_TOO_LARGE',
        `The value of '${abbreviate(key)}' takes ${entry.heldBytes} bytes, more than any store takes (${tooLarge.join(', ')}); raise maxEntryBytes or split the value`,
      );
    }
  }

  async delete(key: string): Promise<boolean> {
    this.#assertUsable(key);
    this.#flights.supersede(key);
    return this.#tiers.delete(key);
  }

  async clear(): Promise<void> {
    if (this.#state !== 'open') throw closedError();
    this.#flights.supersedeAll();
    await this.#tiers.clear();
  }

  stats(): CacheStats {
    return { ...this.#counts, tiers: this.#tiers.stats() };
  }

  close(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const cutShort = () => this.#flights.abortAll(closedError());
    if (options.signal?.aborted) cutShort();
    options.signal?.addEventListener('abort', cutShort, { once: true });
    this.#closing ??= this.#close();
    return this.#closing.finally(() => options.signal?.removeEventListener('abort', cutShort));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#state = 'closing';
    await this.#flights.settled();
    this.#state = 'closed';
    await this.#tiers.close();
  }

  /** Starts the computation of a key, preceded by the lookup that was already begun, if one was. */
  #depart<T>(
    key: string,
    compute: (context: ComputeContext) => Promise<T> | T,
    plan: Plan<T>,
    lookup: Promise<Entry | undefined> | undefined,
  ): Flight<Result> {
    return this.#flights.start(key, async ({ signal, flight }) => {
      const entry = await lookup;
      if (entry !== undefined && this.#isFresh(entry)) {
        this.#counts.hits += 1;
        return entry;
      }
      this.#counts.misses += 1;
      return this.#compute(key, compute, plan, signal, flight);
    });
  }

  async #compute<T>(
    key: string,
    compute: (context: ComputeContext) => Promise<T> | T,
    plan: Plan<T>,
    signal: AbortSignal,
    flight: Flight<Result>,
  ): Promise<Result> {
    this.#counts.computations += 1;
    let value: T;
    try {
      value = await compute({ signal });
    } catch (error) {
      this.#counts.failedComputations += 1;
      throw error;
    }
    if (plan.ttlMs === 0 || !plan.cacheIf(value)) return { value: () => value };
    const entry = this.#entryOf(value, plan);
    if (flight.current) await this.#tiers.write(key, entry);
    return entry;
  }

  async #revalidate<T>(
    key: string,
    compute: (context: ComputeContext) => Promise<T> | T,
    plan: Plan<T>,
  ): Promise<void> {
    const flight = this.#depart(key, compute, plan, undefined);
    await flight.join().then(undefined, () => {
      // Counted as a failed computation; the next caller within the time tries again, a later one gets the error.
    });
  }

  async #await<T>(flight: Flight<Result>, signal: AbortSignal | undefined, standIn: Entry | undefined): Promise<T> {
    try {
      return (await flight.join(signal)).value() as T;
    } catch (error) {
      if (standIn === undefined || signal?.aborted) throw error;
      return this.#hit<T>(standIn, 'stale');
    }
  }

  #hit<T>(entry: Entry, kind: 'fresh' | 'stale' = 'fresh'): T {
    this.#counts.hits += 1;
    if (kind === 'stale') this.#counts.staleHits += 1;
    return entry.value() as T;
  }

  #isFresh(entry: Entry): boolean {
    return entry.freshUntilMs === Infinity || staleness(entry, this.#now()) === 'fresh';
  }

  #isWithin(entry: Entry, allowedMs: number): boolean {
    return allowedMs > 0 && this.#now() < entry.freshUntilMs + allowedMs;
  }

  #entryOf(value: unknown, plan: Plan<never>): Entry {
    const createdAtMs = this.#now();
    const freshUntilMs = createdAtMs + plan.ttlMs;
    const expiresAtMs = freshUntilMs + Math.max(plan.staleWhileRevalidateMs, plan.staleIfErrorMs);
    return new Entry({ createdAtMs, freshUntilMs, expiresAtMs }, encodeValue(value));
  }

  #resolvePlan<T>(options: GetOrSetOptions<T>): Plan<T> {
    return {
      ttlMs: duration('ttlMs', options.ttlMs ?? this.#ttlMs),
      staleWhileRevalidateMs: duration('staleWhileRevalidateMs', options.staleWhileRevalidateMs ?? 0),
      staleIfErrorMs: duration('staleIfErrorMs', options.staleIfErrorMs ?? 0),
      cacheIf: options.cacheIf ?? keepAll,
    };
  }

  #assertUsable(key: string): void {
    if (this.#state !== 'open') throw closedError();
    if (typeof key !== 'string') throw new TypeError(`Expected key to be a string, got ${typeof key}`);
    if (key.length > maxKeyLength) {
      throw new RangeError(`Expected key to have at most ${maxKeyLength} characters, got ${key.length}; use cacheKey`);
    }
  }
}

/** An entry, or a value that isn't kept. Each waiter takes the value itself, since some must be decoded for each. */
interface Result {
  value(): unknown;
}

interface Plan<T> {
  readonly ttlMs: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly cacheIf: (value: T) => boolean;
}

const maxKeyLength = 65_536;

function keepAll(): boolean {
  return true;
}

function resolveCacheOptions(options: CacheOptions): ResolvedCacheOptions {
  const { namespace = 'default', stores = [memoryStore()], secrets, clock = Date, onStoreError } = options;
  if (typeof namespace !== 'string' || !/^[^\p{Cc}\p{Cs}]{1,128}$/u.test(namespace)) {
    throw new TypeError(
      `Expected namespace to be 1 to 128 characters without control characters, got ${JSON.stringify(namespace)}`,
    );
  }
  if (stores.length === 0) throw new TypeError('Expected stores to hold at least one store, got none');
  const names = stores.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TypeError(`Expected the names of stores to differ, got '${twice}' twice`);
  const leaving = stores.find((store) => !store.supports.references);
  if (leaving !== undefined && secrets === undefined) {
    throw new TypeError(
      `Expected secrets, since store '${leaving.name}' keeps entries outside this process; openSecretFile makes one`,
    );
  }
  const now = () => clock.now();
  const tiers = createTiers({
    namespace,
    stores,
    sealer: secrets === undefined ? undefined : createSealer(secrets),
    now,
    onStoreError(error) {
      // In its own turn: what the callback throws must not cost a caller the value.
      if (onStoreError !== undefined) queueMicrotask(() => onStoreError(error));
    },
  });
  return { ttlMs: duration('ttlMs', options.ttlMs ?? Infinity), now, tiers };
}

function duration(option: string, value: number): number {
  if (typeof value !== 'number' || !(value >= 0)) {
    throw new RangeError(`Expected ${option} to be a number of milliseconds of at least 0, got ${value}`);
  }
  return value;
}

function closedError(): CacheError {
  return new CacheError('CACHE_CLOSED', 'The cache is closed');
}

function abbreviate(key: string): string {
  return key.length <= 80 ? key : `${key.slice(0, 77)}...`;
}

async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let leave: (() => void) | undefined;
  const left = new Promise<never>((_resolve, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([promise, left]);
  } finally {
    if (leave !== undefined) signal.removeEventListener('abort', leave);
  }
}
