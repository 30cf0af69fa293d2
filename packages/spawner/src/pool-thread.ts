/** One thread of a pool and the tasks it holds. */
import {
  MessageChannel,
  type MessagePort,
  type ResourceLimits,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import type { AcceptedTask, PoolWorker, WorkerEvents, WorkerExit } from './pool-worker.ts';
import { messageOf } from './task-error.ts';
import { type FromWorker, FunctionIds } from './task-protocol.ts';
import {
  createSharedSlots,
  type SharedSlots,
  slotCount,
  slotState,
  slotWord,
  type ThreadStart,
  type ToThread,
  viewSharedSlots,
} from './thread-protocol.ts';

export interface PoolThreadOptions {
  readonly resourceLimits: ResourceLimits | undefined;
  readonly output: 'inherit' | 'discard';
  readonly recycleAboveBytes: number;
}

/** Then the event loop has a turn. */
const messagesPerTurn = 1000;

const entry = new URL(
  import.meta.url.endsWith('.ts') ? '../dist/thread-entry.js' : './thread-entry.js',
  import.meta.url,
);

export class PoolThread implements PoolWorker {
  state: PoolWorker['state'] = 'starting';
  cameUp = false;
  window = 2;
  readonly capacity = slotCount;
  finished = 0;
  readonly held = new Set<AcceptedTask>();
  readonly exited: Promise<void>;
  readonly #worker: Worker;
  /** Its own, since messages of a port can be taken many at a time and those of a Worker cannot. */
  readonly #port: MessagePort;
  readonly #events: WorkerEvents;
  readonly #slots: SharedSlots;
  readonly #generations = new Int32Array(slotCount);
  readonly #tasks: (AcceptedTask | undefined)[] = new Array(slotCount).fill(undefined);
  readonly #freeSlots: number[] = Array.from({ length: slotCount }, (_, slot) => slot);
  readonly #functions = new FunctionIds((message) => this.#post(message));
  #failure: unknown;

  constructor(options: PoolThreadOptions, events: WorkerEvents) {
    this.#events = events;
    const slots = createSharedSlots();
    this.#slots = viewSharedSlots(slots);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const start: ThreadStart = { slots, port: port2, recycleAboveBytes: options.recycleAboveBytes };
    const discard = options.output === 'discard';
    this.#worker = new Worker(entry, {
      workerData: start,
      transferList: [port2],
      stdout: discard,
      stderr: discard,
      ...(options.resourceLimits && { resourceLimits: options.resourceLimits }),
    });
    if (discard) for (const stream of [this.#worker.stdout, this.#worker.stderr]) stream.resume();
    this.#port.on('message', (message: FromWorker) => {
      this.#receive(message);
      this.#drain();
    });
    this.#port.on('messageerror', (error) => this.terminate(error));
    this.#worker.on('error', (error) => {
      this.#failure ??= error;
    });
    this.exited = new Promise((resolve) => {
      this.#worker.once('exit', (exitCode) => {
        // What the thread said before its end lies in the port: a task whose reply is there did finish.
        while (this.#drain() > 0);
        this.#port.close();
        this.state = 'gone';
        events.onExit(this, describeExit(exitCode, this.#failure));
        resolve();
      });
    });
  }

  send(tasks: readonly AcceptedTask[]): readonly { readonly task: AcceptedTask; readonly error: unknown }[] {
    if (this.held.size === 0 && tasks.length > 0) this.#hold();
    const flat: unknown[] = [];
    for (const task of tasks) flat.push(...this.#place(task));
    try {
      this.#post({ type: 'tasks', tasks: flat });
      return [];
    } catch (error) {
      if (tasks.length === 1) {
        for (const task of tasks) this.release(task);
        return tasks.map((task) => ({ task, error }));
      }
    }
    for (const task of tasks) this.release(task);
    return tasks.flatMap((task) => this.send([task]));
  }

  release(task: AcceptedTask): void {
    this.held.delete(task);
    this.#tasks[task.slot] = undefined;
    this.#generations[task.slot] = ((this.#generations[task.slot] ?? 0) + 1) & 0x1fffffff;
    this.#freeSlots.push(task.slot);
    task.worker = undefined;
    if (this.held.size === 0) this.#letGo();
  }

  revoke(task: AcceptedTask): boolean {
    const generation = this.#generations[task.slot] ?? 0;
    const sent = slotWord(generation, slotState.sent);
    const revoked = slotWord(generation, slotState.revoked);
    if (Atomics.compareExchange(this.#slots.words, task.slot, sent, revoked) !== sent) return false;
    this.release(task);
    return true;
  }

  begunAtMs(task: AcceptedTask): number | undefined {
    const word = Atomics.load(this.#slots.words, task.slot);
    return (word & 3) === slotState.claimed ? this.#slots.startedAtMs[task.slot] : undefined;
  }

  abort(task: AcceptedTask): void {
    this.#post({ type: 'abort', slot: task.slot, generation: this.#generations[task.slot] ?? 0 });
  }

  terminate(failure?: unknown): void {
    this.#failure ??= failure;
    this.state = 'ending';
    void this.#worker.terminate();
  }

  #place(task: AcceptedTask): readonly [number, number, number, unknown] {
    const slot = this.#freeSlots.pop();
    if (slot === undefined) throw new RangeError('A pool thread was sent more tasks than it has slots.');
    const generation = this.#generations[slot] ?? 0;
    Atomics.store(this.#slots.words, slot, slotWord(generation, slotState.sent));
    this.#tasks[slot] = task;
    this.held.add(task);
    task.worker = this;
    task.slot = slot;
    task.state = 'sent';
    return [slot, generation, this.#functions.of(task), task.argument];
  }

  #post(message: ToThread): void {
    this.#port.postMessage(message);
  }

  /** An event for each message is most of what a small task costs: one event takes all that have come. */
  #drain(): number {
    let taken = 0;
    for (; taken < messagesPerTurn; taken += 1) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) break;
      this.#receive(received.message);
    }
    return taken;
  }

  #receive(message: FromWorker): void {
    if (message === 'ready') {
      this.cameUp = true;
      if (this.state === 'starting') this.state = 'ready';
      // The task that it was started for may be with another by now.
      this.#letGo();
      this.#events.onReady(this);
      return;
    }
    const [slot, generation, kind, value] = message;
    const task = this.#generations[slot] === generation ? this.#tasks[slot] : undefined;
    if (task !== undefined) this.#events.onReply(this, task, kind, value);
  }

  #hold(): void {
    this.#worker.ref();
    this.#port.ref();
  }

  #letGo(): void {
    this.#worker.unref();
    this.#port.unref();
  }
}

function describeExit(exitCode: number, cause: unknown): WorkerExit {
  const outOfMemory = cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
  const reason = outOfMemory
    ? 'the thread ran out of memory; raise resourceLimits or give the task less'
    : cause === undefined
      ? `the thread ended with exit code ${exitCode}; a task must return or throw, not call process.exit`
      : `an error reached the top of the thread: ${messageOf(cause)}`;
  return { reason, cause };
}
