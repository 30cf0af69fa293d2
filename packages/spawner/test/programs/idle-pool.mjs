/** Runs one task on a pool, does not close it, and has nothing left to do. */
import { createThreadPool } from '../../dist/index.js';

const pool = createThreadPool({ size: 2 });
process.stdout.write(String(await pool.run({ module: new URL('./tasks.mjs', import.meta.url), argument: 'ran' })));
