/** Runs two tasks at once on a pool, does not close it, and has nothing left to do. */
import { createProcessPool, createThreadPool } from '../../dist/index.js';

const pool = (process.argv[2] === 'process' ? createProcessPool : createThreadPool)({ size: 3 });
const module = new URL('./tasks.mjs', import.meta.url);
const results = await Promise.all(['r', 'a', 'n'].map((argument) => pool.run({ module, argument })));
process.stdout.write(results.join(''));
