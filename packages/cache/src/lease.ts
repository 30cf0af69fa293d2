/**
 * One computation per key among processes that share a tier. Whoever gets the lease of a key computes; the others look,
 * at growing intervals, whether the entry has come or the lease has become free. A lease is renewed while its holder
 * computes and expires when the holder is gone. It is fenced by the store: what a holder writes after it was lost is
 * refused. Where no store can give a lease, each process computes for itself: that costs time, not results.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Lease } from './store.ts';
import type { Tier } from './tier.ts';

export interface HeldLease {
  readonly tier: Tier;
  readonly lease: Lease;
  /** Ends the renewing, and the lease too unless a write has ended it. Never rejects. */
  release(): Promise<void>;
}

export interface LeaseRequest<Found> {
  /** Asked in this order; the first that can answer decides. */
  readonly tiers: readonly Tier[];
  readonly namespace: string;
  readonly key: string;
  readonly ttlMs: number;
  /** What was found meanwhile, for which no lease is needed any more. */
  readonly look: () => Promise<Found | undefined> | Found | undefined;
  /** When somebody else holds it. */
  readonly whenHeld: 'wait' | 'leave';
  readonly signal?: AbortSignal;
}

export type LeaseOutcome<Found> =
  | { readonly type: 'held'; readonly held: HeldLease }
  | { readonly type: 'found'; readonly found: Found }
  /** Somebody else computes, and the request was not to wait. */
  | { readonly type: 'left' }
  /** No store gives leases, or none that does can be reached. */
  | { readonly type: 'unavailable' };

const firstPauseMs = 5;
const longestPauseMs = 100;

export async function takeLease<Found>(request: LeaseRequest<Found>): Promise<LeaseOutcome<Found>> {
  const { look, whenHeld, signal } = request;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
    const answer = await acquire(request);
    if (answer === 'unavailable') return { type: 'unavailable' };
    // After the answer: between the look that made us ask and now, the last holder may have written and gone.
    const found = await look();
    if (found !== undefined) {
      if (answer !== 'held') await answer.release();
      return { type: 'found', found };
    }
    if (answer !== 'held') return { type: 'held', held: answer };
    if (whenHeld === 'leave') return { type: 'left' };
    // Never all who wait at the same moment.
    await delay(pauseMs * (0.5 + Math.random()), undefined, signal === undefined ? {} : { signal }).catch(() => {
      throw signal?.reason;
    });
  }
}

async function acquire({
  tiers,
  namespace,
  key,
  ttlMs,
}: LeaseRequest<unknown>): Promise<HeldLease | 'held' | 'unavailable'> {
  for (const tier of tiers) {
    const lease = await tier.acquire(namespace, key, ttlMs);
    if (lease === 'held') return 'held';
    if (lease !== 'unavailable') return keepAlive(tier, lease, ttlMs);
  }
  return 'unavailable';
}

function keepAlive(tier: Tier, lease: Lease, ttlMs: number): HeldLease {
  const renewing = setInterval(() => {
    void tier.attempt('lease', () => lease.renew());
  }, ttlMs / 3);
  renewing.unref();
  let isOver = false;
  return {
    tier,
    lease: {
      renew: () => lease.renew(),
      async commit(entry) {
        const outcome = await lease.commit(entry);
        isOver = true;
        return outcome;
      },
      release: () => lease.release(),
    },
    async release() {
      clearInterval(renewing);
      if (!isOver) await tier.attempt('lease', () => lease.release());
    },
  };
}
