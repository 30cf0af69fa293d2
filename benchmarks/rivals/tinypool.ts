import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Tinypool from 'tinypool';
import type { DoublingPool } from './doubling-pool.ts';

/** Vitest's pool: no bound on what waits, and a process or thread that crashes fails everything it had. */
export function openTinypool(
  runtime: 'worker_threads' | 'child_process',
  directory: string,
  size: number,
): DoublingPool {
  const filename = join(directory, 'double.mjs');
  writeFileSync(filename, 'export default (number) => number * 2;\n');
  const pool = new Tinypool({ filename, runtime, minThreads: size, maxThreads: size });
  return { run: (argument) => pool.run(argument), close: () => pool.destroy() };
}
