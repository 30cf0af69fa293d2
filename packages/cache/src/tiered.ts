/**
 * The stores of one cache, nearest first, as one: a read asks each until one has a genuine entry and gives it to the
 * nearer ones; a write goes to all.
 */
import { type Entry, type RejectionReason, sealEntry, unsealEntry } from './entry.ts';
import { StoreUnavailableError } from './errors.ts';
import { publish } from './events.ts';
import { type HeldLease, type LeaseOutcome, takeLease } from './lease.ts';
import type { Sealer } from './seal.ts';
import { staleness } from './staleness.ts';
import type { MaybePromise, Store } from './store.ts';
import { createTags, type Tags } from './tags.ts';
import { createTier, type ReadContext, type Scanned, type Tier, type TierOptions, type TierStats } from './tier.ts';

export interface Tiers {
  readonly tags: Tags;
  /** An entry that is fresh or stale, never an expired one. `counted: false` for a look that is one of many. */
  read(key: string, counted?: boolean): MaybePromise<Entry | undefined>;
  /** A fresh entry of the nearest tier, if that one holds entries by reference. */
  peek(key: string): Entry | undefined;
  /** How the write went: to how many stores, and the failures and refusals of the others. */
  write(key: string, entry: Entry, held?: HeldLease): Promise<WriteReport>;
  delete(key: string): Promise<boolean>;
  clear(): Promise<void>;
  /** Undefined when no store gives leases: then no process can be sharing one. */
  readonly lease: ((key: string, request: TierLeaseRequest) => Promise<LeaseOutcome<Entry>>) | undefined;
  /** Tier by tier, the nearest last. A store that can't be listed rejects. */
  scan(): AsyncIterable<Scanned & { readonly tier: string }>;
  /** Asks one tier alone, and has it remove what is not to be believed. */
  readOnly(tier: string, key: string): Promise<void>;
  readonly isFresh: (entry: Entry) => boolean;
  /** Fresh or stale. */
  isUsable(entry: Entry): boolean;
  /** @throws {TypeError} without secrets */
  sealForExport(entry: Entry): Uint8Array;
  openExported(envelope: Uint8Array): Entry | RejectionReason;
  stats(): readonly TierStats[];
  close(): Promise<void>;
}

export interface TierLeaseRequest {
  readonly whenHeld: 'wait' | 'leave';
  readonly signal: AbortSignal;
  /** What makes the lease unnecessary. */
  readonly accepts: (entry: Entry) => boolean;
}

export interface WriteReport {
  readonly stored: number;
  readonly tooLarge: readonly string[];
  readonly errors: readonly StoreUnavailableError[];
  /** The lease had been lost: nothing was written anywhere. */
  readonly refused: boolean;
}

export interface TiersOptions extends TierOptions {
  readonly stores: readonly Store[];
  readonly leaseMs: number;
  readonly tagCheckMs: number;
}

/** In the place of a tier's name in the seals of exports. */
export const exportTier = '(export)';

export function createTiers(options: TiersOptions): Tiers {
  const { namespace, now, leaseMs } = options;
  const tiers = options.stores.map((store) => createTier(store, options));
  const tagNamespace = `${namespace}\0tags`;
  const tags = createTags({ namespace: tagNamespace, tiers, now, checkMs: options.tagCheckMs, leaseMs });
  /** Counts what changed any entry: an answer that was waited for across a change may be older than what is there now. */
  let changes = 0;
  const nearest = tiers[0]?.store.supports.references ? tiers[0] : undefined;
  const leasable = tiers.filter(({ store }) => leaseMs > 0 && store.leases !== undefined).reverse();

  return {
    tags,
    peek: (key) => nearest?.peek(namespace, key, tags.areKnown),
    read: (key, counted = true) => readFrom(key, 0, newContext(counted)),
    async write(key, entry, held) {
      changes += 1;
      // Under a lease its tier goes first: if it refuses, a newer holder's result must not be replaced anywhere.
      const first = held === undefined ? undefined : await held.tier.write(namespace, key, entry, held.lease);
      if (first === 'lost') return { stored: 0, tooLarge: [], errors: [], refused: true };
      const results = await Promise.all(
        tiers.map((tier) => (tier === held?.tier && first !== undefined ? first : tier.write(namespace, key, entry))),
      );
      return {
        stored: results.filter((result) => result === 'stored').length,
        tooLarge: tiers.filter((_tier, index) => results[index] === 'too-large').map(({ store }) => store.name),
        errors: results.filter((result) => result instanceof StoreUnavailableError),
        refused: false,
      };
    },
    async delete(key) {
      changes += 1;
      const removed = await Promise.all(tiers.map((tier) => tier.delete(namespace, key)));
      failIfAny(removed);
      return removed.includes(true);
    },
    async clear() {
      changes += 1;
      failIfAny(
        await Promise.all(
          tiers.map((tier) =>
            tier.attempt('clear', async (store) => {
              await store.clear(namespace);
              if (store.supports.shared) await store.clear(tagNamespace);
            }),
          ),
        ),
      );
    },
    lease:
      leasable.length === 0
        ? undefined
        : (key, { accepts, ...request }) =>
            takeLease<Entry>({
              ...request,
              tiers: leasable,
              namespace,
              key,
              ttlMs: leaseMs,
              async look() {
                const entry = await readFrom(key, 0, newContext(false));
                return entry !== undefined && accepts(entry) ? entry : undefined;
              },
            }),
    async *scan() {
      for (const tier of [...tiers].reverse()) {
        for await (const scanned of tier.scan(namespace)) yield { ...scanned, tier: tier.store.name };
      }
    },
    async readOnly(name, key) {
      const tier = tiers.find(({ store }) => store.name === name);
      await tier?.read(namespace, key, newContext(false));
    },
    isFresh: (entry) => entry.freshUntilMs === Infinity || staleness(entry, now()) === 'fresh',
    isUsable,
    sealForExport: (entry) => sealEntry(entry, { namespace, key: entry.key, tier: exportTier }, assertSealer()),
    openExported: (envelope) => unsealEntry(envelope, { namespace, tier: exportTier }, assertSealer()),
    stats: () => tiers.map((tier) => tier.stats()),
    async close() {
      failIfAny(await Promise.all(tiers.map((tier) => tier.attempt('close', (store) => store.close()))));
    },
  };

  function assertSealer(): Sealer {
    if (options.sealer !== undefined) return options.sealer;
    throw new TypeError('Expected the cache to have secrets, which seal what is exported; openSecretFile makes one');
  }

  function newContext(counted: boolean): ReadContext {
    const changesBefore = changes;
    return {
      isUsable,
      isCurrent: () => changes === changesBefore,
      counted,
      remoteUntilMs: undefined,
      unavailable: false,
    };
  }

  function isUsable(entry: Entry): boolean {
    return entry.freshUntilMs === Infinity || staleness(entry, now()) !== 'expired';
  }

  function readFrom(key: string, start: number, context: ReadContext): MaybePromise<Entry | undefined> {
    for (let index = start; index < tiers.length; index += 1) {
      const tier = tiers[index] as Tier;
      const found = tier.read(namespace, key, context);
      if (found instanceof Promise) return found.then((entry) => judge(key, index, tier, entry, context));
      if (found === undefined) continue;
      if (found.tags !== undefined) return judge(key, index, tier, found, context);
      return accept(key, index, found, context);
    }
    return undefined;
  }

  function judge(
    key: string,
    index: number,
    tier: Tier,
    entry: Entry | undefined,
    context: ReadContext,
  ): MaybePromise<Entry | undefined> {
    if (entry === undefined) return readFrom(key, index + 1, context);
    if (entry.tags === undefined) return accept(key, index, entry, context);
    const verdict = tags.areCurrent(entry.tags, context);
    return verdict instanceof Promise ? verdict.then(conclude) : conclude(verdict);

    function conclude(isCurrent: boolean): MaybePromise<Entry | undefined> {
      if (isCurrent) return accept(key, index, entry as Entry, context);
      tier.invalidate(namespace, key, context);
      return readFrom(key, index + 1, context);
    }
  }

  /** Gives a found entry to the nearer tiers, without making its reader wait for them. */
  function accept(key: string, index: number, entry: Entry, context: ReadContext): Entry {
    const from = tiers[index] as Tier;
    if (index > 0) publish('cadre:cache:hit', () => ({ namespace, tier: from.store.name, key }));
    if (context.isCurrent()) for (const tier of tiers.slice(0, index)) void tier.write(namespace, key, entry);
    return entry;
  }
}

function failIfAny(results: readonly unknown[]): void {
  const failure = results.find((result) => result instanceof StoreUnavailableError);
  if (failure !== undefined) throw failure;
}
