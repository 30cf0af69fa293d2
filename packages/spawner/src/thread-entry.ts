/** A pool's thread: takes tasks in the order they came, one at a time. */
import { getHeapStatistics } from 'node:v8';
import { workerData } from 'node:worker_threads';
import type { FromWorker } from './task-protocol.ts';
import { TaskRunner } from './task-runner.ts';
import {
  sharedClock,
  slotState,
  slotWord,
  type ThreadStart,
  type ToThread,
  viewSharedSlots,
} from './thread-protocol.ts';

const { port, slots: shared, recycleAboveBytes }: ThreadStart = workerData;
const slots = viewSharedSlots(shared);
const nowMs = sharedClock();
const runner = new TaskRunner({
  report: (slot, generation, kind, value) => post([slot, generation, kind, value]),
  memoryBytes() {
    const { used_heap_size, external_memory } = getHeapStatistics();
    return used_heap_size + external_memory;
  },
  recycleAboveBytes,
});
const queue: unknown[] = [];
let next = 0;
let state: 'waiting' | 'working' = 'waiting';

port.on('message', (message: ToThread) => {
  if (message.type === 'define') runner.define(message.id, message.module, message.exportName);
  else if (message.type === 'abort') runner.abortIf(message.slot, message.generation);
  else {
    for (const part of message.tasks) queue.push(part);
    if (state === 'waiting') void work();
  }
});
post('ready');

async function work(): Promise<void> {
  state = 'working';
  while (next < queue.length) {
    const [slot, generation, id, argument] = [queue[next], queue[next + 1], queue[next + 2], queue[next + 3]];
    next += 4;
    if (next === queue.length) {
      queue.length = 0;
      next = 0;
    }
    // What a thread that has grown leaves unclaimed is taken back, and run by another.
    if (runner.hasGrown || !claim(Number(slot), Number(generation))) continue;
    const step = runner.run(Number(slot), Number(generation), Number(id), argument);
    // Awaiting what is no promise would cost every small task a turn of the microtask queue.
    if (step !== undefined) await step;
  }
  state = 'waiting';
}

/** False when the pool has taken the task back. */
function claim(slot: number, generation: number): boolean {
  const sent = slotWord(generation, slotState.sent);
  slots.startedAtMs[slot] = nowMs();
  return Atomics.compareExchange(slots.words, slot, sent, slotWord(generation, slotState.claimed)) === sent;
}

function post(message: FromWorker): void {
  port.postMessage(message);
}
