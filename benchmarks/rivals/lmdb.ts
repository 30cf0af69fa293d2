import { join } from 'node:path';
import { open } from 'lmdb';

/**
 * One memory-mapped file, values in msgpack. No seal, no deadline, no bound; a file that was cut ends the process that
 * maps it.
 */
export function openLmdb(directory: string) {
  const database = open<unknown, string>({ path: join(directory, 'lmdb'), encoding: 'msgpack' });
  return {
    set: (key: string, value: unknown) => database.put(key, value),
    get: (key: string): unknown => database.get(key),
    close: () => database.close(),
  };
}
