/**
 * One store in its place in one cache. What goes out is sealed, what comes back is verified, all of it is counted; a
 * remote store is never waited for longer than it may be and not asked at all while its breaker is open. Nothing a
 * store does wrong passes beyond here except as a count and a report.
 */
import { Breaker, type BreakerState } from './breaker.ts';
import {
  claimedKey,
  Entry,
  type RejectionReason,
  rejectionReasons,
  sealEntry,
  type TagMark,
  unsealEntry,
} from './entry.ts';
import { CacheError, type StoreOperation, StoreUnavailableError } from './errors.ts';
import { publish } from './events.ts';
import type { Sealer } from './seal.ts';
import { staleness } from './staleness.ts';
import type { Lease, MaybePromise, Store, StoredEntry, StoreUsage } from './store.ts';

export interface TierStats extends StoreUsage {
  readonly name: string;
  readonly hits: number;
  readonly misses: number;
  /** Entries found but not believed, by reason. Each was a miss, and was removed unless for `secret` or `version`. */
  readonly rejections: Readonly<Record<RejectionReason, number>>;
  /** Entries found past their time and removed. */
  readonly expired: number;
  /** Entries found whose tag had been deleted; each was a miss and was removed. */
  readonly invalidated: number;
  /** Entries larger than the store takes. */
  readonly tooLarge: number;
  /** Results refused because the lease under which they were computed had been lost. */
  readonly refused: number;
  /** Operations at which the store failed, those included that took too long. */
  readonly errors: number;
  readonly timeouts: number;
  /** Operations for which the store was not asked, since its breaker was open. */
  readonly skipped: number;
  /** 'closed' always, if the store isn't remote. */
  readonly breaker: BreakerState;
}

export interface TierOptions {
  /** For reports; the tier itself is told the namespace at each call. */
  readonly namespace: string;
  /** Undefined only when the store supports references. */
  readonly sealer: Sealer | undefined;
  readonly now: () => number;
  readonly onStoreError: (error: StoreUnavailableError) => void;
  readonly remoteTimeoutMs: number;
  readonly breakerFailures: number;
  readonly breakerOpenMs: number;
}

/** What the tiers asked on behalf of one call have in common. */
export interface ReadContext {
  readonly isUsable: (entry: Entry) => boolean;
  /** Nothing has changed since the read began, so what it shows to be worthless may be removed. */
  readonly isCurrent: () => boolean;
  /** False for a look that is one of many: it counts hits and no misses. */
  readonly counted: boolean;
  /** Until when, by `performance.now()`, remote stores may be waited for. Set when the first one is asked. */
  remoteUntilMs: number | undefined;
  /** Set when a store could not answer, which to the reader is a miss. */
  unavailable: boolean;
}

export type WriteOutcome = 'stored' | 'too-large' | 'lost' | StoreUnavailableError;

export interface Tier {
  readonly store: Store;
  /** A fresh entry, of a store that holds entries by reference, unless this process doesn't know its tags to be good. */
  peek(namespace: string, key: string, knows: (tags: readonly TagMark[]) => boolean): Entry | undefined;
  read(namespace: string, key: string, context: ReadContext): MaybePromise<Entry | undefined>;
  /** Never rejects. With a lease the write is refused once that was lost, and otherwise ends it. */
  write(namespace: string, key: string, entry: Entry, lease?: Lease): Promise<WriteOutcome>;
  /** Never rejects. */
  delete(namespace: string, key: string): Promise<boolean | StoreUnavailableError>;
  /** Never rejects. */
  acquire(namespace: string, key: string, ttlMs: number): Promise<Lease | 'held' | 'unavailable'>;
  /** Never rejects: a failure is counted, reported and returned. */
  attempt<T>(operation: StoreOperation, run: (store: Store) => MaybePromise<T>): Promise<T | StoreUnavailableError>;
  /** What lies in the store, the key of each entry being its own; the reason in the place of what is not believed. */
  scan(namespace: string): AsyncIterable<Scanned>;
  /** The entry a read has just returned turned out to belong to a deleted tag. */
  invalidate(namespace: string, key: string, context: ReadContext): void;
  stats(): TierStats;
}

export interface Scanned {
  readonly byteLength: number;
  readonly opened: Entry | RejectionReason;
  /** Of an entry that is not believed: the key it says it has. */
  readonly claimedKey: string | undefined;
}

export function createTier(store: Store, options: TierOptions): Tier {
  const { sealer, now, onStoreError, remoteTimeoutMs } = options;
  const { references } = store.supports;
  const rejections = Object.fromEntries(rejectionReasons.map((reason) => [reason, 0])) as Record<
    RejectionReason,
    number
  >;
  const counts = {
    hits: 0,
    misses: 0,
    expired: 0,
    invalidated: 0,
    tooLarge: 0,
    refused: 0,
    errors: 0,
    timeouts: 0,
    skipped: 0,
  };
  const breaker = store.supports.remote ? createBreaker(store, options) : undefined;
  const underWay = new Map<string, Promise<unknown>>();

  const tier: Tier = {
    store,
    peek(namespace, key, knows) {
      try {
        const found = store.get(namespace, key);
        if (!(found instanceof Entry)) return undefined;
        if (found.freshUntilMs !== Infinity && staleness(found, now()) !== 'fresh') return undefined;
        if (found.tags !== undefined && !knows(found.tags)) return undefined;
        counts.hits += 1;
        return found;
      } catch (error) {
        report('get', error);
        return undefined;
      }
    },
    read(namespace, key, context) {
      if (breaker !== undefined) return readRemote(namespace, key, context);
      try {
        const found = store.get(namespace, key);
        if (!(found instanceof Promise)) return examine(namespace, key, found, context);
        return found.then(
          (entry) => examine(namespace, key, entry, context),
          (error: unknown) => missAfter(report('get', error), context),
        );
      } catch (error) {
        return missAfter(report('get', error), context);
      }
    },
    async write(namespace, key, entry, lease) {
      const outcome = await inOrder(namespace, key, () =>
        tier.attempt('set', async () => {
          const stored = asStored(namespace, key, entry);
          if (lease !== undefined) return lease.commit(stored);
          return (await store.set(namespace, key, stored)) ? 'stored' : 'too-large';
        }),
      );
      if (outcome === 'too-large') counts.tooLarge += 1;
      if (outcome === 'lost') counts.refused += 1;
      return outcome;
    },
    delete: (namespace, key) =>
      inOrder(namespace, key, () => tier.attempt('delete', () => store.delete(namespace, key))),
    async acquire(namespace, key, ttlMs) {
      const lease = await tier.attempt('lease', () => store.leases?.acquire(namespace, key, ttlMs));
      if (lease instanceof StoreUnavailableError) return 'unavailable';
      return lease ?? 'held';
    },
    attempt: (operation, run) => ask(operation, run, remoteTimeoutMs),
    async *scan(namespace) {
      for await (const stored of store.scan(namespace)) {
        const opened = open(namespace, undefined, stored);
        const key = opened instanceof Entry ? undefined : claimedKey(stored.bytes);
        yield { byteLength: stored.heldBytes ?? stored.bytes.byteLength, opened, claimedKey: key };
      }
    },
    invalidate(namespace, key, context) {
      counts.hits -= 1;
      counts.misses += 1;
      counts.invalidated += 1;
      if (context.isCurrent()) void tier.delete(namespace, key);
    },
    stats: () => ({
      name: store.name,
      ...counts,
      rejections: { ...rejections },
      breaker: breaker?.state ?? 'closed',
      ...store.usage(),
    }),
  };
  return tier;

  async function readRemote(namespace: string, key: string, context: ReadContext): Promise<Entry | undefined> {
    context.remoteUntilMs ??= performance.now() + remoteTimeoutMs;
    const found = await ask('get', () => store.get(namespace, key), context.remoteUntilMs - performance.now());
    if (found instanceof StoreUnavailableError) return missAfter(found, context);
    return examine(namespace, key, found, context);
  }

  async function ask<T>(
    operation: StoreOperation,
    run: (store: Store) => MaybePromise<T>,
    withinMs: number,
  ): Promise<T | StoreUnavailableError> {
    if (breaker === undefined || operation === 'close') {
      try {
        return await run(store);
      } catch (error) {
        return report(operation, error);
      }
    }
    if (!breaker.admits()) {
      counts.skipped += 1;
      const reason = `it failed ${options.breakerFailures} times in a row and is left alone for ${options.breakerOpenMs} ms`;
      return new StoreUnavailableError(store.name, operation, new Error(reason));
    }
    try {
      const answer = await within(run(store), withinMs, () => {
        counts.timeouts += 1;
        return new Error(`no answer within remoteTimeoutMs (${remoteTimeoutMs})`);
      });
      breaker.succeeded();
      return answer;
    } catch (error) {
      breaker.failed();
      return report(operation, error);
    }
  }

  /** Of two changes to a key the one asked for later is the one that stays, though the earlier may take longer. */
  async function inOrder<T>(namespace: string, key: string, change: () => Promise<T>): Promise<T> {
    if (references) return change();
    const address = `${namespace.length}:${namespace}${key}`;
    const earlier = underWay.get(address);
    const result = earlier === undefined ? change() : earlier.then(change);
    underWay.set(address, result);
    const changed = await result;
    if (underWay.get(address) === result) underWay.delete(address);
    return changed;
  }

  function examine(
    namespace: string,
    key: string,
    found: StoredEntry | undefined,
    context: ReadContext,
  ): Entry | undefined {
    const opened = found === undefined ? undefined : open(namespace, key, found);
    if (opened instanceof Entry && context.isUsable(opened)) {
      counts.hits += 1;
      return opened;
    }
    // Perhaps good to a process that has been given the next secret, or version, before this one: so it is let be.
    const isForeign = opened === 'secret' || opened === 'version';
    if (!context.counted && (opened === undefined || isForeign)) return undefined;
    counts.misses += 1;
    if (opened === undefined) return undefined;
    if (opened instanceof Entry) counts.expired += 1;
    else {
      rejections[opened] += 1;
      publish('cadre:cache:reject', () => ({ namespace, tier: store.name, key, reason: opened }));
    }
    if (!isForeign && context.isCurrent()) void tier.delete(namespace, key);
    return undefined;
  }

  function open(namespace: string, key: string | undefined, found: StoredEntry): Entry | RejectionReason {
    if (found instanceof Entry) return found;
    if (sealer === undefined) return 'secret';
    const address = { namespace, tier: store.name, ...(key === undefined ? {} : { key }) };
    return unsealEntry(found.bytes, address, sealer);
  }

  function asStored(namespace: string, key: string, entry: Entry): StoredEntry {
    if (references) return entry;
    if (sealer === undefined)
      throw new CacheError('CACHE_STORE_UNAVAILABLE', `Store '${store.name}' has no secret to seal with`);
    return { bytes: sealEntry(entry, { namespace, key, tier: store.name }, sealer), expiresAtMs: entry.expiresAtMs };
  }

  function missAfter(_reported: StoreUnavailableError, context: ReadContext): undefined {
    counts.misses += 1;
    context.unavailable = true;
  }

  function report(operation: StoreOperation, cause: unknown): StoreUnavailableError {
    counts.errors += 1;
    const error = new StoreUnavailableError(store.name, operation, cause);
    publish('cadre:cache:store-error', () => ({ namespace: options.namespace, error }));
    onStoreError(error);
    return error;
  }
}

function createBreaker(store: Store, { namespace, breakerFailures, breakerOpenMs, now }: TierOptions): Breaker {
  return new Breaker({
    failures: breakerFailures,
    openMs: breakerOpenMs,
    now,
    onChange: (state) => publish('cadre:cache:breaker', () => ({ namespace, tier: store.name, state })),
  });
}

/** Node takes a longer time for none at all. */
const longestTimerMs = 2 ** 31 - 1;

/** The late answer to a call that nobody waits for any more is dropped, failures included: it was counted as late. */
function within<T>(answer: MaybePromise<T>, timeoutMs: number, late: () => Error): MaybePromise<T> {
  if (!(answer instanceof Promise)) return answer;
  // Not a race of promises, which makes twice as many of them for each call.
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), Math.min(timeoutMs, longestTimerMs));
    answer.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
