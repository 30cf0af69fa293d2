/**
 * Computing what no tier has: once for all who ask in this process, and, under a lease, once for all processes that share
 * a tier. What is computed is kept unless a newer write has come in between.
 */
import { type Compute, type Plan, timesOf } from './cache-options.ts';
import { Entry } from './entry.ts';
import { publish } from './events.ts';
import type { HeldLease } from './lease.ts';
import { type Flight, SingleFlight } from './single-flight.ts';
import type { Tiers } from './tiered.ts';
import { encodeValue } from './value.ts';

/** An entry, or a value that isn't kept. Each waiter takes the value itself, since some must be decoded for each. */
export interface Result {
  value(): unknown;
}

export interface ComputationsOptions {
  readonly namespace: string;
  readonly tiers: Tiers;
  readonly now: () => number;
  /** A look that ended in an entry, or in none. */
  readonly onLook: (key: string, outcome: 'hit' | 'miss') => void;
}

export class Computations {
  readonly flights = new SingleFlight<Result>();
  readonly counts = { computations: 0, failedComputations: 0, computedElsewhere: 0 };
  readonly #namespace: string;
  readonly #tiers: Tiers;
  readonly #now: () => number;
  readonly #onLook: ComputationsOptions['onLook'];

  constructor({ namespace, tiers, now, onLook }: ComputationsOptions) {
    this.#namespace = namespace;
    this.#tiers = tiers;
    this.#now = now;
    this.#onLook = onLook;
  }

  /** Starts the computation of a key, preceded by the lookup that was already begun, if one was. */
  start<T>(
    key: string,
    compute: Compute<T>,
    plan: Plan<T>,
    lookup: Promise<Entry | undefined> | undefined,
  ): Flight<Result> {
    return this.flights.start(key, plan.tags, async ({ signal, flight }) => {
      const entry = await lookup;
      if (entry !== undefined && this.#tiers.isFresh(entry)) {
        this.#onLook(key, 'hit');
        return entry;
      }
      this.#onLook(key, 'miss');
      return this.#computeUnderLease(key, compute, plan, { signal, flight });
    });
  }

  /** Behind callers who were given `stale`. Never rejects. */
  async renew<T>(key: string, compute: Compute<T>, plan: Plan<T>, stale: Entry): Promise<void> {
    const flight = this.flights.start(key, plan.tags, (context) => {
      this.#onLook(key, 'miss');
      return this.#computeUnderLease(key, compute, plan, { ...context, stale });
    });
    await flight.join().then(undefined, () => {
      // Counted as a failed computation; the next caller within the time tries again, a later one gets the error.
    });
  }

  /** Of processes that share a tier one computes; the others come back with its entry. */
  async #computeUnderLease<T>(key: string, compute: Compute<T>, plan: Plan<T>, of: UnderWay): Promise<Result> {
    const { lease, isFresh } = this.#tiers;
    if (lease === undefined || plan.ttlMs === 0) return this.#compute(key, compute, plan, of, undefined);
    const whenHeld = of.stale === undefined ? 'wait' : 'leave';
    const outcome = await lease(key, { whenHeld, signal: of.signal, accepts: isFresh });
    if (outcome.type === 'left' && of.stale !== undefined) return of.stale;
    if (outcome.type === 'found') {
      this.counts.computedElsewhere += 1;
      return outcome.found;
    }
    const held = outcome.type === 'held' ? outcome.held : undefined;
    try {
      return await this.#compute(key, compute, plan, of, held);
    } finally {
      await held?.release();
    }
  }

  async #compute<T>(
    key: string,
    compute: Compute<T>,
    plan: Plan<T>,
    { signal, flight }: UnderWay,
    held: HeldLease | undefined,
  ): Promise<Result> {
    // As they are before it begins: what is deleted by tag while it computes must not be kept.
    const tags = plan.tags.length === 0 ? undefined : await this.#tiers.tags.claim(plan.tags);
    this.counts.computations += 1;
    const startMs = performance.now();
    const ended = (outcome: 'kept' | 'not-kept' | 'refused' | 'failed') =>
      publish('cadre:cache:compute', () => ({
        namespace: this.#namespace,
        key,
        durationMs: performance.now() - startMs,
        outcome,
      }));
    let value: T;
    try {
      value = await compute({ signal });
    } catch (error) {
      this.counts.failedComputations += 1;
      ended('failed');
      throw error;
    }
    if (plan.ttlMs === 0 || !plan.cacheIf(value)) {
      ended('not-kept');
      return { value: () => value };
    }
    const entry = new Entry(key, timesOf(plan, this.#now()), encodeValue(value), tags);
    const report = flight.current ? await this.#tiers.write(key, entry, held) : undefined;
    if (report?.refused) ended('refused');
    else ended(report !== undefined && report.stored > 0 ? 'kept' : 'not-kept');
    return entry;
  }
}

interface UnderWay {
  readonly signal: AbortSignal;
  readonly flight: Flight<Result>;
  /** What its callers were given already, if it is computed behind them. */
  readonly stale?: Entry;
}
