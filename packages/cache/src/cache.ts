/**
 * The cache: one `getOrSet` over all tiers. It exists so that a result once computed, and paid for, is not computed
 * again while it is good; and so that the cache itself can never be the reason why a caller gets a wrong value or none.
 */

import {
  assertKey,
  assertTags,
  type CacheOptions,
  type Compute,
  closedError,
  type GetOptions,
  type GetOrSetOptions,
  type Plan,
  type ResolvedCacheOptions,
  resolveCacheOptions,
  resolvePlan,
  type SetOptions,
  timesOf,
} from './cache-options.ts';
import { Computations, type Result } from './computations.ts';
import { Entry } from './entry.ts';
import { CacheError } from './errors.ts';
import { publish } from './events.ts';
import type { Flight, SingleFlight } from './single-flight.ts';
import type { TierStats } from './tier.ts';
import type { Tiers } from './tiered.ts';
import { exportEntries, type ImportReport, importEntries, type VerifyReport, verifyEntries } from './transfer.ts';
import { encodeValue } from './value.ts';
import { type WarmOptions, type WarmReport, warmKeys } from './warm.ts';

export interface CacheStats {
  /** Calls of get, getOrSet and peek that found a value, stale ones included, in whichever tier. */
  readonly hits: number;
  readonly misses: number;
  readonly staleHits: number;
  readonly computations: number;
  readonly failedComputations: number;
  /** Calls of getOrSet that waited for a computation another call had begun. */
  readonly coalesced: number;
  /** Misses for which another process, whose lease was waited for, had a value in the end. */
  readonly computedElsewhere: number;
  readonly tiers: readonly TierStats[];
}

export interface Cache extends AsyncDisposable {
  /**
   * The value under the key; where there is none, what `compute` gives, kept for the next caller. Of concurrent callers
   * in this process one computes and all get its result, with the first one's options; processes that share a tier
   * wait for each other too. A failed computation rejects for all who wait in this process and is not kept; those who
   * wait in other processes then compute for themselves, one after the other. A store that fails is counted and
   * reported, and the value returned all the same. A kept value is returned deeply frozen, or, if it holds dates or
   * bytes, as a copy of each caller's own; a value that isn't kept is returned as it was computed.
   * @throws {UnsupportedValueError} CACHE_VALUE_UNSUPPORTED when the computed value would not come back equal
   * @throws {CacheError} CACHE_CLOSED
   */
  getOrSet<T>(key: string, compute: Compute<T>, options?: GetOrSetOptions<T>): Promise<T>;
  /** Undefined: no fresh value. */
  get<T>(key: string, options?: GetOptions): Promise<T | undefined>;
  /** From memory alone, at once; of tags it knows what this process knows. Cost: one lookup in a map. */
  peek<T>(key: string): T | undefined;
  /**
   * @throws {StoreUnavailableError} CACHE_STORE_UNAVAILABLE when a store failed; the others have the value
   * @throws {CacheError} CACHE_ENTRY_TOO_LARGE when no store takes an entry of this size
   * @throws {UnsupportedValueError} CACHE_VALUE_UNSUPPORTED
   */
  set(key: string, value: unknown, options?: SetOptions): Promise<void>;
  /** From every tier; true when one of them had it. A computation under way for the key, in any process, will not be kept. */
  delete(key: string): Promise<boolean>;
  /**
   * Every entry with the tag, at once and in every process that shares a tier, whatever their number; what is being
   * computed with it will not be kept. The entries' room is freed when they are next asked for, or evicted.
   * @throws {StoreUnavailableError} CACHE_STORE_UNAVAILABLE when a tier could not be told
   */
  deleteByTag(tag: string): Promise<void>;
  /** Every entry of this namespace, in every tier. Computations under way will not be kept. */
  clear(): Promise<void>;
  /**
   * Brings the keys into the nearest tier before they are asked for: from farther tiers, else by computing, if there
   * is a `compute`. Never rejects for a key; the report has what failed.
   */
  warm<T>(
    keys: Iterable<string> | AsyncIterable<string>,
    compute?: (key: string, context: { readonly signal: AbortSignal }) => Promise<T> | T,
    options?: WarmOptions<T>,
  ): Promise<WarmReport>;
  /**
   * Every entry that is not expired, each once, sealed for the way: write the chunks to a file in their order. Cost: a
   * scan of all tiers; memory for the keys.
   */
  export(): AsyncIterable<Uint8Array>;
  /**
   * Takes in what `export` gave, in chunks of any size. An entry that was altered, or sealed with a secret that isn't
   * among ours, is counted and left out. Tags count as if the entries had been set now.
   */
  import(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<ImportReport>;
  /** Opens every entry of every tier, and removes those not to be believed. Cost: reads all of them. */
  verify(): Promise<readonly VerifyReport[]>;
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

class TieredCache implements Cache {
  readonly #namespace: string;
  readonly #tiers: Tiers;
  readonly #now: () => number;
  readonly #ttlMs: number;
  readonly #defaultPlan: Plan<unknown>;
  readonly #computations: Computations;
  readonly #flights: SingleFlight<Result>;
  /** Writes whose tags are being looked up: later ones to the same key must not come before them. */
  readonly #tagged = new Map<string, Promise<unknown>>();
  readonly #counts = { hits: 0, misses: 0, staleHits: 0, coalesced: 0 };
  #state: 'open' | 'closing' | 'closed' = 'open';
  #closing: Promise<void> | undefined;

  constructor({ namespace, tiers, now, ttlMs }: ResolvedCacheOptions) {
    this.#namespace = namespace;
    this.#tiers = tiers;
    this.#now = now;
    this.#ttlMs = ttlMs;
    this.#defaultPlan = resolvePlan<unknown>({}, ttlMs);
    this.#computations = new Computations({
      namespace,
      tiers,
      now,
      onLook: (key, outcome) => {
        if (outcome === 'miss') this.#missed(key);
        else this.#counts.hits += 1;
      },
    });
    this.#flights = this.#computations.flights;
  }

  // Not async: what memory has costs one promise and no turn.
  getOrSet<T>(key: string, compute: Compute<T>, options?: GetOrSetOptions<T>): Promise<T> {
    try {
      this.#assertUsable(key);
      options?.signal?.throwIfAborted();
      const plan: Plan<T> = options === undefined ? this.#defaultPlan : resolvePlan(options, this.#ttlMs);
      const entry = this.#tiers.peek(key);
      // What other processes did to its tags is not for `peek` to know.
      if (entry === undefined || entry.tags !== undefined)
        return this.#getOrCompute(key, compute, plan, options?.signal);
      this.#counts.hits += 1;
      return Promise.resolve((entry.shared ?? entry.value()) as T);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async get<T>(key: string, options: GetOptions = {}): Promise<T | undefined> {
    this.#assertUsable(key);
    options.signal?.throwIfAborted();
    const found = this.#tiers.read(key);
    const entry = found instanceof Promise ? await abortable(found, options.signal) : found;
    if (entry !== undefined && this.#tiers.isFresh(entry)) return this.#hit<T>(entry);
    this.#missed(key);
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
    const plan = resolvePlan(options, this.#ttlMs);
    // Before anything waits: the caller may go on to change the value.
    const encoded = encodeValue(value);
    this.#flights.supersede(key);
    await this.#inTagOrder(key, plan.tags.length > 0, async () => {
      if (plan.ttlMs === 0) {
        await this.#tiers.delete(key);
        return;
      }
      const tags = plan.tags.length === 0 ? undefined : await this.#tiers.tags.claim(plan.tags);
      const entry = new Entry(key, timesOf(plan, this.#now()), encoded, tags);
      const { stored, tooLarge, errors } = await this.#tiers.write(key, entry);
      const [error] = errors;
      if (error !== undefined) throw error;
      if (stored > 0) return;
      throw new CacheError(
        'CACHE_ENTRY_TOO_LARGE',
        `The value of '${abbreviate(key)}' takes ${entry.heldBytes} bytes, more than any store takes (${tooLarge.join(', ')}); raise maxEntryBytes or split the value`,
      );
    });
  }

  async delete(key: string): Promise<boolean> {
    this.#assertUsable(key);
    this.#flights.supersede(key);
    return this.#inTagOrder(key, false, () => this.#tiers.delete(key));
  }

  async deleteByTag(tag: string): Promise<void> {
    if (this.#state !== 'open') throw closedError();
    assertTags([tag]);
    this.#flights.supersedeTagged(tag);
    publish('cadre:cache:invalidate', () => ({ namespace: this.#namespace, tag }));
    await this.#tiers.tags.invalidate(tag);
  }

  async clear(): Promise<void> {
    if (this.#state !== 'open') throw closedError();
    this.#flights.supersedeAll();
    await this.#tiers.clear();
  }

  async warm<T>(
    keys: Iterable<string> | AsyncIterable<string>,
    compute?: (key: string, context: { readonly signal: AbortSignal }) => Promise<T> | T,
    options: WarmOptions<T> = {},
  ): Promise<WarmReport> {
    if (this.#state !== 'open') throw closedError();
    return warmKeys(this, keys, compute, options);
  }

  export(): AsyncIterable<Uint8Array> {
    if (this.#state !== 'open') throw closedError();
    return exportEntries(this.#tiers);
  }

  async import(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<ImportReport> {
    if (this.#state !== 'open') throw closedError();
    return importEntries(this.#tiers, chunks, (key) => {
      assertKey(key);
      this.#flights.supersede(key);
    });
  }

  async verify(): Promise<readonly VerifyReport[]> {
    if (this.#state !== 'open') throw closedError();
    return verifyEntries(this.#tiers);
  }

  stats(): CacheStats {
    return { ...this.#counts, ...this.#computations.counts, tiers: this.#tiers.stats() };
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

  async #getOrCompute<T>(key: string, compute: Compute<T>, plan: Plan<T>, signal: AbortSignal | undefined): Promise<T> {
    const acceptsStale = plan.staleWhileRevalidateMs > 0 || plan.staleIfErrorMs > 0;
    let flight = this.#flights.get(key);
    let standIn: Entry | undefined;
    if (flight === undefined || acceptsStale) {
      // What stores answer at once needs no flight. An answer to wait for is awaited inside one, or two callers whose
      // waits overlap could compute one after the other.
      const found = this.#tiers.read(key);
      const waited = found instanceof Promise && acceptsStale ? abortable(found, signal) : undefined;
      const entry = found instanceof Promise ? await waited : found;
      signal?.throwIfAborted();
      if (entry !== undefined && this.#tiers.isFresh(entry)) return this.#hit<T>(entry);
      if (entry !== undefined && this.#isWithin(entry, plan.staleWhileRevalidateMs)) {
        if (this.#flights.get(key) === undefined) void this.#computations.renew(key, compute, plan, entry);
        return this.#hit<T>(entry, 'stale');
      }
      if (entry !== undefined && this.#isWithin(entry, plan.staleIfErrorMs)) standIn = entry;
      flight = this.#flights.get(key);
      if (flight === undefined) {
        const lookup = found instanceof Promise && !acceptsStale ? found : undefined;
        return this.#await<T>(this.#computations.start(key, compute, plan, lookup), signal, standIn);
      }
    }
    this.#counts.coalesced += 1;
    return this.#await<T>(flight, signal, standIn);
  }

  async #await<T>(flight: Flight<Result>, signal: AbortSignal | undefined, standIn: Entry | undefined): Promise<T> {
    try {
      return (await flight.join(signal)).value() as T;
    } catch (error) {
      if (standIn === undefined || signal?.aborted) throw error;
      return this.#hit<T>(standIn, 'stale');
    }
  }

  async #inTagOrder<T>(key: string, looksUpTags: boolean, write: () => Promise<T>): Promise<T> {
    const earlier = this.#tagged.get(key);
    if (earlier === undefined && !looksUpTags) return write();
    const result = earlier === undefined ? write() : earlier.then(write, write);
    this.#tagged.set(key, result);
    try {
      return await result;
    } finally {
      if (this.#tagged.get(key) === result) this.#tagged.delete(key);
    }
  }

  #hit<T>(entry: Entry, kind: 'fresh' | 'stale' = 'fresh'): T {
    this.#counts.hits += 1;
    if (kind === 'stale') this.#counts.staleHits += 1;
    return entry.value() as T;
  }

  #missed(key: string): void {
    this.#counts.misses += 1;
    publish('cadre:cache:miss', () => ({ namespace: this.#namespace, key }));
  }

  #isWithin(entry: Entry, allowedMs: number): boolean {
    return allowedMs > 0 && this.#now() < entry.freshUntilMs + allowedMs;
  }

  #assertUsable(key: string): void {
    if (this.#state !== 'open') throw closedError();
    assertKey(key);
  }
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
