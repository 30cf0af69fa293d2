/** The least store there is: bytes in a Map that tests can reach into. */
import type { Store, StoredEntry, StoreSupport } from '../src/store.ts';

export interface MapStore extends Store {
  readonly files: Map<string, StoredEntry>;
}

function addressIn(namespace: string, key: string): string {
  return `${namespace}\n${key}`;
}

export function mapStore(name = 'map', supports: Partial<StoreSupport> = {}): MapStore {
  const files = new Map<string, StoredEntry>();
  return {
    name,
    supports: { references: false, shared: true, remote: false, counts: true, ...supports },
    leases: undefined,
    files,
    get: (namespace, key) => files.get(addressIn(namespace, key)),
    set(namespace, key, entry) {
      files.set(addressIn(namespace, key), entry);
      return true;
    },
    delete: (namespace, key) => files.delete(addressIn(namespace, key)),
    clear(namespace) {
      for (const address of files.keys()) if (address.startsWith(`${namespace}\n`)) files.delete(address);
    },
    async *scan(namespace) {
      for (const [address, entry] of files) if (address.startsWith(`${namespace}\n`)) yield entry;
    },
    usage: () => ({ entries: files.size, bytes: 0, maxBytes: Infinity, evictions: 0, expirations: 0 }),
    close: () => undefined,
  };
}
