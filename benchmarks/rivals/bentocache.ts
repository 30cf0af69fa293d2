import { BentoCache, bentostore } from 'bentocache';
import { fileDriver } from 'bentocache/drivers/file';
import { memoryDriver } from 'bentocache/drivers/memory';

export function openMemoryBento() {
  const stores = { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 10_000 })) };
  const bento = new BentoCache({ default: 'memory', stores });
  return {
    getOrSet: <Value>(key: string, compute: () => Promise<Value>) => bento.getOrSet<Value>({ key, factory: compute }),
    close: () => bento.disconnectAll(),
  };
}

/** The file driver alone, with no memory before it. */
export function openFileBento(directory: string) {
  const stores = { files: bentostore().useL2Layer(fileDriver({ directory, pruneInterval: false })) };
  const bento = new BentoCache({ default: 'files', stores });
  return {
    set: (key: string, value: unknown) => bento.setForever({ key, value }),
    get: (key: string) => bento.get<unknown>({ key }),
    close: () => bento.disconnectAll(),
  };
}

/** Over ioredis, as its documentation has it; no memory before it. */
export async function openRedisBento(port: number) {
  const { redisDriver } = await import('bentocache/drivers/redis');
  const stores = { redis: bentostore().useL2Layer(redisDriver({ connection: { host: '127.0.0.1', port } })) };
  const bento = new BentoCache({ default: 'redis', stores });
  return {
    set: (key: string, value: unknown) => bento.setForever({ key, value }),
    get: (key: string) => bento.get<unknown>({ key }),
    close: () => bento.disconnectAll(),
  };
}
