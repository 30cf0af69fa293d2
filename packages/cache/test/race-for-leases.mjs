// Threads that ask for the lease of one key in the same instant, each time in a directory that is new to all. Prints how often one
// got it, how often nobody or more than one did, and what was thrown instead of an answer. Arguments: where, rounds.
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { openDiskStore } from '../dist/disk.js';

const threads = 3;

/** All have come as far as this, for the n-th time. */
function meet(arrived, times) {
  Atomics.add(arrived, 0, 1);
  while (Atomics.load(arrived, 0) < times * threads);
}

async function race({ where, rounds, memory }) {
  const arrived = new Int32Array(memory);
  const answers = [];
  for (let round = 0; round < rounds; round += 1) {
    const store = await openDiskStore({ directory: join(where, `${round}`) });
    await store.settled();
    meet(arrived, round + 1);
    try {
      answers.push((await store.leases.acquire('namespace', 'key', 60_000)) === undefined ? 'refused' : 'held');
    } catch (error) {
      answers.push(`${error}`);
    }
    await store.close();
  }
  return answers;
}

if (isMainThread) {
  const [where, rounds] = [process.argv[2], Number(process.argv[3])];
  const data = { where, rounds, memory: new SharedArrayBuffer(4) };
  const others = Array.from({ length: threads - 1 }, () => new Worker(new URL(import.meta.url), { workerData: data }));
  const answers = await Promise.all([
    race(data),
    ...others.map((other) => new Promise((resolve) => other.once('message', resolve))),
  ]);
  const report = { one: 0, other: 0, thrown: [] };
  for (let round = 0; round < rounds; round += 1) {
    const of = answers.map((each) => each[round]);
    if (of.filter((answer) => answer === 'held').length === 1) report.one += 1;
    else report.other += 1;
    report.thrown.push(...of.filter((answer) => answer !== 'held' && answer !== 'refused'));
  }
  process.stdout.write(`${JSON.stringify(report)}\n`);
} else parentPort.postMessage(await race(workerData));
