import { Cacheable } from 'cacheable';

export function openCacheable() {
  const cacheable = new Cacheable();
  return <Value>(key: string, compute: () => Promise<Value>) => cacheable.getOrSet<Value>(key, compute);
}
