import { Keyv } from 'keyv';

/** As it comes: over a Map, values serialised. It has no `getOrSet`, so this is the one its users write. */
export function openKeyv() {
  const keyv = new Keyv();
  return async <Value>(key: string, compute: () => Promise<Value>): Promise<Value> => {
    const kept = await keyv.get<Value>(key);
    if (kept !== undefined) return kept;
    const value = await compute();
    await keyv.set(key, value);
    return value;
  };
}

export async function openRedisKeyv(url: string) {
  const { createKeyv } = await import('@keyv/redis');
  const keyv = createKeyv(url);
  return {
    set: (key: string, value: unknown) => keyv.set(key, value),
    get: (key: string) => keyv.get<unknown>(key),
    close: () => keyv.disconnect(),
  };
}
