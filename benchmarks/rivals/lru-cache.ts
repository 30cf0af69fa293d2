import { LRUCache } from 'lru-cache';

/** Bounded by count alone: the least that it can do. */
export function openLruMap<Value extends object>(entries: readonly (readonly [string, Value])[]) {
  const cache = new LRUCache<string, Value>({ max: entries.length });
  for (const [key, value] of entries) cache.set(key, value);
  return cache;
}
