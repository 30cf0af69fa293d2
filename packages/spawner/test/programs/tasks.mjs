/** Functions for the tests of pools. */
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

let calls = 0;

export default (argument) => argument;
export const add = async ({ a, b }) => a + b;
export const countCalls = () => ({ calls: ++calls, threadId });
export const spinForever = () => {
  for (;;);
};
/** Marks its turn in a file, so that a second turn of the same task would show; then may dawdle. */
export const mark = ({ file, index, spinMs = 0 }) => {
  appendFileSync(file, `${index}\n`);
  const until = performance.now() + spinMs;
  while (performance.now() < until);
  return index;
};
export const markAndExit = ({ file, index }) => {
  appendFileSync(file, `${index}\n`);
  process.exit(1);
};
export const markAndSpin = ({ file, index }, { emit }) => {
  appendFileSync(file, `${index}\n`);
  emit('begun');
  for (;;);
};
/** Notes its beginning, then holds the thread until it is let go. */
export const hold = ({ gate }, { emit }) => {
  emit('begun');
  Atomics.wait(gate, 0, 0);
};
export const holdAtPipe = ({ pipe }, { emit }) => {
  emit('begun');
  readFileSync(pipe);
};
export const whoAmI = () => `${process.pid} ${threadId}`;
const kept = [];
export const leak = (bytes) => {
  kept.push(Buffer.alloc(bytes, 1));
  return whoAmI();
};
export const waitForAbort = (_argument, { signal, emit }) =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('gave up when asked')));
    emit('waiting');
  });
export const ignoreAbort = (_argument, { emit }) => {
  emit('waiting');
  return new Promise(() => setInterval(() => undefined, 1000));
};
export const emitMany = (count, { emit }) => {
  for (let value = 0; value < count; value += 1) emit(value);
  return 'done';
};
export const fail = () => {
  throw Object.assign(new RangeError('out of cheese'), { code: 'E_CHEESE' });
};
export const failCustom = () => {
  class CustomError extends Error {
    name = 'CustomError';
  }
  throw new CustomError('made here');
};
export const throwText = () => {
  throw 'a mere text';
};
export const throwFunction = () => {
  throw () => undefined;
};
export const exitProcess = () => process.exit(3);
export const failLater = () =>
  new Promise(() => {
    setTimeout(() => {
      throw new Error('thrown from a timer');
    }, 1);
  });
export const eatMemory = () => {
  const eaten = [];
  for (;;) eaten.push(new Array(10_000).fill(eaten.length));
};
export const returnFunction = () => () => undefined;
export const print = () => {
  process.stdout.write('printed in a worker\n');
};
export const place = () => ({ environment: { ...process.env }, cwd: process.cwd() });
export const sayPidAndHang = (_argument, { emit }) => {
  emit(process.pid);
  return new Promise(() => setInterval(() => undefined, 1_000_000));
};
/** One in the group of its process, one that has left it. */
export const startSleepers = () =>
  [false, true].map((detached) => spawn('sleep', ['1000'], { detached, stdio: 'ignore' }).pid);
export const startSleeper = () => spawn('sleep', ['1000'], { stdio: 'ignore' }).pid;
export const startSleeperAndSpin = (_argument, { emit }) => {
  startSleeper();
  emit('begun');
  for (;;);
};
export const disconnect = () => {
  process.disconnect();
  return new Promise(() => setInterval(() => undefined, 1_000_000));
};
