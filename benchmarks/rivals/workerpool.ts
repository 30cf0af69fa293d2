import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import workerpool from 'workerpool';
import type { DoublingPool } from './doubling-pool.ts';

export function openWorkerpool(workerType: 'thread' | 'process', directory: string, size: number): DoublingPool {
  const script = join(directory, 'double.mjs');
  const library = pathToFileURL(createRequire(import.meta.url).resolve('workerpool')).href;
  writeFileSync(
    script,
    `import workerpool from '${library}';\nworkerpool.worker({ double: (number) => number * 2 });\n`,
  );
  const pool = workerpool.pool(script, { workerType, minWorkers: size, maxWorkers: size });
  return { run: async (argument) => pool.exec('double', [argument]), close: () => pool.terminate() };
}
