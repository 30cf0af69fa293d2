/**
 * Starts a program with 0, 1, 2 … descriptors left, each time sees to what became of it, and then starts one with all of them
 * back. Prints what it saw: starts that were refused as they should be, those that went well, and whatever else.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { createProcessPool, openSpawnSlots, spawnProcess } from '../../dist/index.js';

const road = process.argv[2];
let slots;
const module = new URL('./tasks.mjs', import.meta.url);

async function startOne() {
  if (road !== 'pool') {
    const running = await spawnProcess({ command: 'echo', args: ['said'], stdin: 'input', ...(slots && { slots }) });
    return (await running.result).stdout;
  }
  const pool = createProcessPool({ size: 1 });
  try {
    return await pool.run({ module, argument: 'said\n' });
  } finally {
    await pool.close();
  }
}

/** With no slots open, since those hold pipes for starts to come. */
const countOpen = () => readdirSync('/proc/self/fd').length;

// The limit is lowered to just above what is open now, so that few fillers are needed.
await startOne();
const base = countOpen();
if (road === 'slots') slots = await openSpawnSlots({ size: 1 });
const limit = base + 40;
// Of util-linux, as `setsid` is.
const lower = 'prlimit';
const { status } = spawnSync(lower, ['--pid', String(process.pid), `--nofile=${limit}:${limit}`]);
if (status !== 0) throw new Error('prlimit is missing or failed');
const report = { refused: 0, started: 0, surprises: [], strays: [], over: 0 };
const isRefusal = (error) =>
  ['SPAWN_FAILED', 'PROCESS_CRASHED'].includes(error.code) &&
  /open files/.test(`${error.message} ${error.cause?.message}`);

// A process of a pool takes long to start.
for (let left = 0; left <= 30; left += road === 'pool' ? 6 : 1) {
  const fillers = [];
  for (;;) {
    try {
      fillers.push(openSync('/dev/null', 'r'));
    } catch (error) {
      if (error.code !== 'EMFILE') throw error;
      break;
    }
  }
  for (const filler of fillers.splice(0, left)) closeSync(filler);
  try {
    // The first start of a slot needs no descriptor: its pipes are open.
    for (let count = 0; count < (road === 'slots' ? 3 : 1); count += 1) {
      const said = await startOne();
      if (said !== 'said\n') report.surprises.push({ left, said });
    }
    report.started += 1;
  } catch (error) {
    if (isRefusal(error)) report.refused += 1;
    else report.surprises.push({ left, code: error.code, message: error.message, stack: error.stack });
  }
  for (const filler of fillers) closeSync(filler);
  const said = await startOne();
  if (said !== 'said\n') report.surprises.push({ left, afterwards: said });
}
await slots?.close();
report.over = Math.max(0, countOpen() - base);
for (const task of readdirSync('/proc/self/task')) {
  for (const pid of readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean)) {
    report.strays.push(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
  }
}
process.stdout.write(JSON.stringify(report));
