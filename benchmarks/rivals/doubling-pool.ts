/** A pool of workers whose one function doubles a number: ours and its rivals'. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PreparedVariant } from '@cadre/bench';
import type { WorkerPool } from '@cadre/spawner';

export interface DoublingPool {
  run(argument: number): Promise<number>;
  close(): unknown;
}

/** Over one of the spawner's pools, with all its workers started. */
export async function doubleIn(pool: WorkerPool, directory: string): Promise<DoublingPool> {
  const module = join(directory, 'double.mjs');
  writeFileSync(module, 'export default (number) => number * 2;\n');
  await pool.ready();
  return { run: (argument) => pool.run<number>({ module, argument }), close: () => pool.close() };
}

/** Each iteration doubles the numbers from 0 to `tasks - 1`, all asked for at once. */
export function prepareDoubling({ run, close }: DoublingPool, tasks: number): PreparedVariant<number> {
  const all = Array.from({ length: tasks }, (_, index) => index);
  return {
    async run(iterations) {
      let sum = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        const doubled = await Promise.all(all.map(run));
        sum = doubled.reduce((total, number) => total + number, 0);
      }
      return sum;
    },
    async close() {
      await close();
    },
  };
}
