/**
 * What a cache tells `node:diagnostics_channel`, for metrics and traces. Nothing is built while nobody listens, and a
 * hit that `peek` or `getOrSet` finds in memory says nothing: it costs less than telling of it would.
 */
import { channel } from 'node:diagnostics_channel';
import type { BreakerState } from './breaker.ts';
import type { RejectionReason } from './entry.ts';
import type { StoreUnavailableError } from './errors.ts';

/** The channels by name, with what each publishes. */
export interface CacheEvents {
  /** A tier had an entry. `tags` are checked after it. */
  readonly 'cadre:cache:hit': { readonly namespace: string; readonly tier: string; readonly key: string };
  /** No tier had one. */
  readonly 'cadre:cache:miss': { readonly namespace: string; readonly key: string };
  /** A computation ended. `'refused'`: its lease had been lost. `'not-kept'`: overtaken, excluded, or no store took it. */
  readonly 'cadre:cache:compute': {
    readonly namespace: string;
    readonly key: string;
    readonly durationMs: number;
    readonly outcome: 'kept' | 'not-kept' | 'refused' | 'failed';
  };
  /** A tier had an entry that was not believed. */
  readonly 'cadre:cache:reject': {
    readonly namespace: string;
    readonly tier: string;
    readonly key: string;
    readonly reason: RejectionReason;
  };
  readonly 'cadre:cache:invalidate': { readonly namespace: string; readonly tag: string };
  readonly 'cadre:cache:store-error': { readonly namespace: string; readonly error: StoreUnavailableError };
  readonly 'cadre:cache:breaker': { readonly namespace: string; readonly tier: string; readonly state: BreakerState };
}

const channels = {
  'cadre:cache:hit': channel('cadre:cache:hit'),
  'cadre:cache:miss': channel('cadre:cache:miss'),
  'cadre:cache:compute': channel('cadre:cache:compute'),
  'cadre:cache:reject': channel('cadre:cache:reject'),
  'cadre:cache:invalidate': channel('cadre:cache:invalidate'),
  'cadre:cache:store-error': channel('cadre:cache:store-error'),
  'cadre:cache:breaker': channel('cadre:cache:breaker'),
};

export function publish<Name extends keyof CacheEvents>(name: Name, payload: () => CacheEvents[Name]): void {
  const to = channels[name];
  if (to.hasSubscribers) to.publish(payload());
}
