import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Piscina } from 'piscina';
import type { DoublingPool } from './doubling-pool.ts';

export function openPiscina(directory: string, size: number, concurrentTasksPerWorker: number): DoublingPool {
  const filename = join(directory, 'double.mjs');
  writeFileSync(filename, 'export default (number) => number * 2;\n');
  const pool = new Piscina({
    filename,
    minThreads: size,
    maxThreads: size,
    concurrentTasksPerWorker,
    maxQueue: Number.POSITIVE_INFINITY,
  });
  return { run: (argument) => pool.run(argument), close: () => pool.destroy() };
}
