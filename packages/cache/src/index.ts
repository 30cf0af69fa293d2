/** Memory, disk and remote tiers behind one getOrSet: every entry sealed, one computation per key. */
export type { BreakerState } from './breaker.ts';
export { type Cache, type CacheStats, createCache } from './cache.ts';
export { cacheKey, canonicalJson } from './cache-key.ts';
export type {
  CacheOptions,
  Compute,
  ComputeContext,
  GetOptions,
  GetOrSetOptions,
  SetOptions,
} from './cache-options.ts';
export type { RejectionReason } from './entry.ts';
export {
  CacheError,
  type CacheErrorCode,
  SecretFileError,
  type StoreOperation,
  StoreUnavailableError,
  UnsupportedValueError,
} from './errors.ts';
export type { CacheEvents } from './events.ts';
export { type MemoryStoreOptions, memoryStore } from './memory.ts';
export type {
  Lease,
  LeaseSource,
  MaybePromise,
  Store,
  StoredEntry,
  StoreSupport,
  StoreUsage,
} from './store.ts';
export type { TierStats } from './tier.ts';
export type { ImportReport, VerifyReport } from './transfer.ts';
export type { WarmOptions, WarmReport } from './warm.ts';
