/** What Node itself can do, without any library. */
import { closeSync, fdatasyncSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** One write and one fdatasync for each record, one after the other. */
export function openSerialLog(path: string) {
  const file = openSync(path, 'a');
  return {
    appendBurst(value: unknown, count: number) {
      for (let index = 0; index < count; index += 1) {
        writeSync(file, `${JSON.stringify(value)}\n`);
        fdatasyncSync(file);
      }
    },
    close: () => closeSync(file),
  };
}

/** One file for each key, read whole and parsed. No seal, no deadline, no bound. */
export function openPlainFiles(directory: string) {
  return {
    set: (key: string, value: unknown) => writeFileSync(join(directory, `${key}.json`), JSON.stringify(value)),
    get: (key: string): unknown => JSON.parse(readFileSync(join(directory, `${key}.json`), 'utf8')),
    close: () => undefined,
  };
}
