/** Runs a task that prints on a pool that passes it on, and on one that does not. */
import { createProcessPool, createThreadPool } from '../../dist/index.js';

for (const output of ['inherit', 'discard']) {
  const pool = (process.argv[2] === 'process' ? createProcessPool : createThreadPool)({ size: 1, output });
  await pool.run({ module: new URL('./tasks.mjs', import.meta.url), exportName: 'print', argument: undefined });
  await pool.close();
}
