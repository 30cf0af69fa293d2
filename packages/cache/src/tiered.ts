/**
 * The stores of one cache, nearest first, as one: a read asks each until one has a genuine entry and gives it to the
 * nearer ones; a write goes to all. Nothing a store does wrong passes beyond here except as a count and a report.
 */

import { Entry, type RejectionReason, rejectionReasons, sealEntry, unsealEntry } from './entry.ts';
import type { StoreOperation } from './errors.ts';
import { CacheError, StoreUnavailableError } from './errors.ts';
import type { Sealer } from './seal.ts';
import { staleness } from './staleness.ts';
import type { MaybePromise, Store, StoredEntry, StoreUsage } from './store.ts';

export interface TierStats extends StoreUsage {
  readonly name: string;
  readonly hits: number;
  readonly misses: number;
  /** Entries found but not believed, by reason; each was a miss and was removed. */
  readonly rejections: Readonly<Record<RejectionReason, number>>;
  /** Entries found past their time and removed. */
  readonly expired: number;
  /** Entries larger than the store takes. */
  readonly tooLarge: number;
  /** Operations at which the store failed. */
  readonly errors: number;
}

export interface Tiers {
  /** An entry that is fresh or stale, never an expired one. */
  read(key: string): MaybePromise<Entry | undefined>;
  /** A fresh entry of the nearest tier, if that one holds entries by reference. */
  peek(key: string): Entry | undefined;
  /** How the write went: to how many stores, and the failures and refusals of the others. */
  write(key: string, entry: Entry): Promise<WriteReport>;
  delete(key: string): Promise<boolean>;
  clear(): Promise<void>;
  stats(): readonly TierStats[];
  close(): Promise<void>;
}

export interface WriteReport {
  readonly stored: number;
  readonly tooLarge: readonly string[];
  readonly errors: readonly StoreUnavailableError[];
}

export interface TiersOptions {
  readonly namespace: string;
  readonly stores: readonly Store[];
  /** Undefined only when every store supports references. */
  readonly sealer: Sealer | undefined;
  readonly now: () => number;
  readonly onStoreError: (error: StoreUnavailableError) => void;
}

export function createTiers(options: TiersOptions): Tiers {
  const { namespace, now } = options;
  const tiers = options.stores.map((store) => createTier(store, options));
  /** Counts what changed any entry: an answer that was waited for across a change may be older than what is there now. */
  let changes = 0;
  const nearest = tiers[0]?.store.supports.references ? tiers[0] : undefined;

  return {
    peek: (key) => nearest?.peek(key),
    read: (key) => readFrom(key, 0),
    async write(key, entry) {
      changes += 1;
      const results = await Promise.all(tiers.map((tier) => tier.write(key, entry)));
      return {
        stored: results.filter((result) => result === 'stored').length,
        tooLarge: tiers.filter((_tier, index) => results[index] === 'too-large').map(({ store }) => store.name),
        errors: results.filter((result) => result instanceof StoreUnavailableError),
      };
    },
    async delete(key) {
      changes += 1;
      const removed = await Promise.all(tiers.map((tier) => tier.delete(key)));
      failIfAny(removed);
      return removed.includes(true);
    },
    async clear() {
      changes += 1;
      failIfAny(await Promise.all(tiers.map((tier) => tier.attempt('clear', (store) => store.clear(namespace)))));
    },
    stats: () => tiers.map((tier) => tier.stats()),
    async close() {
      failIfAny(await Promise.all(tiers.map((tier) => tier.attempt('close', (store) => store.close()))));
    },
  };

  function isUsable(entry: Entry): boolean {
    return entry.freshUntilMs === Infinity || staleness(entry, now()) !== 'expired';
  }

  function readFrom(key: string, start: number): MaybePromise<Entry | undefined> {
    const changesBefore = changes;
    const isCurrent = () => changes === changesBefore;
    for (let index = start; index < tiers.length; index += 1) {
      const found = tiers[index]?.read(key, isUsable, isCurrent);
      if (found instanceof Promise) {
        return found.then((entry) => {
          if (entry === undefined) return readFrom(key, index + 1);
          if (isCurrent()) promote(key, index, entry);
          return entry;
        });
      }
      if (found === undefined) continue;
      promote(key, index, found);
      return found;
    }
    return undefined;
  }

  /** Gives a found entry to the nearer tiers, without making its reader wait for them. */
  function promote(key: string, index: number, entry: Entry): void {
    for (const tier of tiers.slice(0, index)) void tier.write(key, entry);
  }
}

interface Tier {
  readonly store: Store;
  peek(key: string): Entry | undefined;
  /** `isCurrent`: nothing has changed since the read began, so what it shows to be worthless may be removed. */
  read(key: string, isUsable: (entry: Entry) => boolean, isCurrent: () => boolean): MaybePromise<Entry | undefined>;
  /** Never rejects. */
  write(key: string, entry: Entry): Promise<'stored' | 'too-large' | StoreUnavailableError>;
  /** Never rejects. */
  delete(key: string): Promise<boolean | StoreUnavailableError>;
  /** Never rejects: a failure is counted, reported and returned. */
  attempt<T>(operation: StoreOperation, run: (store: Store) => MaybePromise<T>): Promise<T | StoreUnavailableError>;
  stats(): TierStats;
}

function createTier(store: Store, { namespace, sealer, now, onStoreError }: TiersOptions): Tier {
  const { references } = store.supports;
  const rejections = Object.fromEntries(rejectionReasons.map((reason) => [reason, 0])) as Record<
    RejectionReason,
    number
  >;
  const counts = { hits: 0, misses: 0, expired: 0, tooLarge: 0, errors: 0 };
  const tier: Tier = {
    store,
    peek(key) {
      const found = store.get(namespace, key);
      if (!(found instanceof Entry)) return undefined;
      if (found.freshUntilMs !== Infinity && staleness(found, now()) !== 'fresh') return undefined;
      counts.hits += 1;
      return found;
    },
    read(key, isUsable, isCurrent) {
      try {
        const found = store.get(namespace, key);
        if (!(found instanceof Promise)) return examine(key, found, isUsable, isCurrent);
        return found.then(
          (entry) => examine(key, entry, isUsable, isCurrent),
          (error: unknown) => missAfter(error),
        );
      } catch (error) {
        return missAfter(error);
      }
    },
    async write(key, entry) {
      const stored = await inOrder(key, () =>
        tier.attempt('set', () => store.set(namespace, key, asStored(key, entry))),
      );
      if (stored instanceof StoreUnavailableError) return stored;
      if (!stored) counts.tooLarge += 1;
      return stored ? 'stored' : 'too-large';
    },
    delete: (key) => inOrder(key, () => tier.attempt('delete', () => store.delete(namespace, key))),
    async attempt(operation, run) {
      try {
        return await run(store);
      } catch (error) {
        return report(operation, error);
      }
    },
    stats: () => ({ name: store.name, ...counts, rejections: { ...rejections }, ...store.usage() }),
  };
  const underWay = new Map<string, Promise<unknown>>();
  return tier;

  /** Of two changes to a key the one asked for later is the one that stays, though the earlier may take longer. */
  async function inOrder<T>(key: string, change: () => Promise<T>): Promise<T> {
    if (references) return change();
    const earlier = underWay.get(key);
    const result = earlier === undefined ? change() : earlier.then(change);
    underWay.set(key, result);
    const changed = await result;
    if (underWay.get(key) === result) underWay.delete(key);
    return changed;
  }

  function examine(
    key: string,
    found: StoredEntry | undefined,
    isUsable: (entry: Entry) => boolean,
    isCurrent: () => boolean,
  ): Entry | undefined {
    const opened = found === undefined ? undefined : open(key, found);
    if (opened instanceof Entry && isUsable(opened)) {
      counts.hits += 1;
      return opened;
    }
    counts.misses += 1;
    if (opened === undefined) return undefined;
    if (opened instanceof Entry) counts.expired += 1;
    else rejections[opened] += 1;
    if (isCurrent()) void tier.delete(key);
    return undefined;
  }

  function open(key: string, found: StoredEntry): Entry | RejectionReason {
    if (found instanceof Entry) return found;
    if (sealer === undefined) return 'secret';
    return unsealEntry(found.bytes, { namespace, key, tier: store.name }, sealer);
  }

  function asStored(key: string, entry: Entry): StoredEntry {
    if (references) return entry;
    if (sealer === undefined)
      throw new CacheError('CACHE_STORE_UNAVAILABLE', `Store '${store.name}' has no secret to seal with`);
    return { bytes: sealEntry(entry, { namespace, key, tier: store.name }, sealer), expiresAtMs: entry.expiresAtMs };
  }

  function missAfter(error: unknown): undefined {
    counts.misses += 1;
    report('get', error);
  }

  function report(operation: StoreOperation, cause: unknown): StoreUnavailableError {
    counts.errors += 1;
    const error = new StoreUnavailableError(store.name, operation, cause);
    onStoreError(error);
    return error;
  }
}

function failIfAny(results: readonly unknown[]): void {
  const failure = results.find((result) => result instanceof StoreUnavailableError);
  if (failure !== undefined) throw failure;
}
