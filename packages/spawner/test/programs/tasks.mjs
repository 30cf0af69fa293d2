/** Functions for the thread pool's tests. */
import { threadId } from 'node:worker_threads';

let calls = 0;

export default (argument) => argument;
export const add = async ({ a, b }) => a + b;
export const countCalls = () => ({ calls: ++calls, threadId });
export const spinForever = () => {
  for (;;);
};
/** Marks its turn in shared memory, so that a second turn of the same task would show; then may dawdle. */
export const mark = ({ counts, index, spinMs = 0 }) => {
  Atomics.add(counts, index, 1);
  const until = performance.now() + spinMs;
  while (performance.now() < until);
  return index;
};
export const markAndExit = ({ counts, index }) => {
  Atomics.add(counts, index, 1);
  process.exit(1);
};
export const markAndSpin = ({ counts, index }, { emit }) => {
  Atomics.add(counts, index, 1);
  emit('begun');
  for (;;);
};
export const takeNumber = ({ next, order, index }) => {
  order[index] = Atomics.add(next, 0, 1);
};
/** Notes its beginning, then holds the thread until it is let go. */
export const hold = ({ gate }, { emit }) => {
  emit('begun');
  Atomics.wait(gate, 0, 0);
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
  process.stdout.write('printed in a thread\n');
};
