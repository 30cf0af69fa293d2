/** Caches that hold 1,000 values in memory, each asked for with what would compute it. */

export const keys = Array.from({ length: 1000 }, (_, index) => `task:${index}:result`);

interface Value {
  readonly score: number;
}

/** The value under the key, or what `compute` gives, kept. Here every key is kept already. */
type GetOrSet = (key: string, compute: () => Promise<Value>) => Promise<Value | undefined> | Value;

export interface FilledCache {
  /** The value under a key; a promise only where it has to be waited for, which `peek` spares its callers. */
  find(key: string): Promise<Value | undefined> | Value;
  close(): Promise<void> | void;
}

/** By name; each loads its library itself. The values are the places of their keys. */
export const filledCaches = {
  async cadre() {
    const { createCache } = await import('@cadre/cache');
    const cache = createCache({ namespace: 'bench' });
    return fill(
      (key, compute) => cache.getOrSet(key, compute),
      () => cache.close(),
    );
  },
  async 'cadre through peek'() {
    const { createCache } = await import('@cadre/cache');
    const cache = createCache({ namespace: 'bench' });
    return fill(
      (key, compute) => cache.peek<Value>(key) ?? cache.getOrSet(key, compute),
      () => cache.close(),
    );
  },
  async keyv() {
    const { openKeyv } = await import('./rivals/keyv.ts');
    return fill(openKeyv());
  },
  async cacheable() {
    const { openCacheable } = await import('./rivals/cacheable.ts');
    return fill(openCacheable());
  },
  async bentocache() {
    const { openMemoryBento } = await import('./rivals/bentocache.ts');
    const bento = openMemoryBento();
    return fill(bento.getOrSet, bento.close);
  },
};

async function fill(getOrSet: GetOrSet, close: () => Promise<void> | void = () => undefined): Promise<FilledCache> {
  for (const [score, key] of keys.entries()) await getOrSet(key, async () => ({ score }));
  const computeAgain = () => Promise.reject(new Error('The value is no longer in the cache.'));
  return { find: (key) => getOrSet(key, computeAgain), close };
}
