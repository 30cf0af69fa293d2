import { once } from 'node:events';
import sonicBoom from 'sonic-boom';

/** With `fsync: true` it syncs after each of its writes, so that a burst is on disk when it says `drain`. */
export async function openBoomLog(path: string) {
  const boom = new sonicBoom.SonicBoom({ dest: path, append: true, fsync: true, sync: false });
  await once(boom, 'ready');
  return {
    async appendBurst(value: unknown, count: number) {
      const drained = once(boom, 'drain');
      for (let index = 0; index < count; index += 1) boom.write(`${JSON.stringify(value)}\n`);
      await drained;
    },
    async close() {
      boom.end();
      await once(boom, 'close');
    },
  };
}
