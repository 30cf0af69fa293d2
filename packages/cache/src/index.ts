/** Memory, disk and remote tiers behind one getOrSet: every entry sealed, one computation per key. */
export {
  type Cache,
  type CacheOptions,
  type CacheStats,
  type ComputeContext,
  createCache,
  type GetOptions,
  type GetOrSetOptions,
  type SetOptions,
} from './cache.ts';
export { cacheKey, canonicalJson } from './cache-key.ts';
export type { RejectionReason } from './entry.ts';
export {
  CacheError,
  type CacheErrorCode,
  SecretFileError,
  type StoreOperation,
  StoreUnavailableError,
  UnsupportedValueError,
} from './errors.ts';
export { type MemoryStoreOptions, memoryStore } from './memory.ts';
export type { MaybePromise, Store, StoredEntry, StoreUsage } from './store.ts';
export type { TierStats } from './tiered.ts';
