/** One thread of a pool and the tasks it holds. It decides nothing: the pool does. */
import {
  MessageChannel,
  type MessagePort,
  type ResourceLimits,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';
import type { Deadline } from './deadline.ts';
import {
  createSharedSlots,
  type FromThread,
  type SharedSlots,
  slotCount,
  slotState,
  slotWord,
  type ThreadStart,
  type ToThread,
  viewSharedSlots,
} from './thread-protocol.ts';

export interface PoolTask {
  /** Its place in the order in which tasks were accepted. */
  readonly sequence: number;
  readonly module: string;
  readonly exportName: string;
  readonly argument: unknown;
  readonly timeoutMs: number;
  readonly onMessage: ((value: unknown) => void) | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  state: 'queued' | 'sent' | 'settled';
  thread: PoolThread | undefined;
  slot: number;
  deadline: Deadline | undefined;
  /** Why it is being stopped; what its caller will be told whatever the thread still says. */
  stopReason: { readonly error: unknown } | undefined;
  releaseSignal: (() => void) | undefined;
}

export interface PoolThreadEvents {
  onReady(thread: PoolThread): void;
  onReply(thread: PoolThread, task: PoolTask, kind: number, value: unknown): void;
  onExit(thread: PoolThread, exitCode: number, error: unknown): void;
}

export interface PoolThreadOptions {
  readonly resourceLimits: ResourceLimits | undefined;
  readonly output: 'inherit' | 'discard';
}

/** Then the event loop has a turn. */
const messagesPerTurn = 1000;

const entry = new URL(
  import.meta.url.endsWith('.ts') ? '../dist/thread-entry.js' : './thread-entry.js',
  import.meta.url,
);

export class PoolThread {
  /** `stopping`: waits for a task that was told to stop; `ending`: the thread itself is being ended. */
  state: 'starting' | 'ready' | 'stopping' | 'ending' | 'gone' = 'starting';
  /** False when it ended before it could take a task. */
  cameUp = false;
  /** How many tasks it may hold now: grows while tasks are short, falls back to 1 behind a slow one. */
  window = 2;
  /** In the order sent, which is the order in which the thread runs them. */
  readonly held = new Set<PoolTask>();
  readonly exited: Promise<void>;
  readonly #worker: Worker;
  /** Its own, since messages of a port can be taken many at a time and those of a Worker cannot. */
  readonly #port: MessagePort;
  readonly #events: PoolThreadEvents;
  readonly #slots: SharedSlots;
  readonly #generations = new Int32Array(slotCount);
  readonly #tasks: (PoolTask | undefined)[] = new Array(slotCount).fill(undefined);
  readonly #freeSlots: number[] = Array.from({ length: slotCount }, (_, slot) => slot);
  readonly #functionIds = new Map<string, number>();
  #failure: unknown;

  constructor(options: PoolThreadOptions, events: PoolThreadEvents) {
    this.#events = events;
    const slots = createSharedSlots();
    this.#slots = viewSharedSlots(slots);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const start: ThreadStart = { slots, port: port2 };
    const discard = options.output === 'discard';
    this.#worker = new Worker(entry, {
      workerData: start,
      transferList: [port2],
      stdout: discard,
      stderr: discard,
      ...(options.resourceLimits && { resourceLimits: options.resourceLimits }),
    });
    if (discard) for (const stream of [this.#worker.stdout, this.#worker.stderr]) stream.resume();
    this.#port.on('message', (message: FromThread) => {
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
        events.onExit(this, exitCode, this.#failure);
        resolve();
      });
    });
  }

  get free(): number {
    return Math.min(this.window, slotCount) - this.held.size;
  }

  /** Sends tasks to run after those it holds. Returns those whose argument cannot be sent, with the reason. */
  send(tasks: readonly PoolTask[]): readonly { readonly task: PoolTask; readonly error: unknown }[] {
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

  /** Forgets a task that is done, taken back or refused. */
  release(task: PoolTask): void {
    this.held.delete(task);
    this.#tasks[task.slot] = undefined;
    this.#generations[task.slot] = ((this.#generations[task.slot] ?? 0) + 1) & 0x1fffffff;
    this.#freeSlots.push(task.slot);
    task.thread = undefined;
    if (this.held.size === 0) this.#letGo();
  }

  /** Takes a task back if it has not begun; false when it has. */
  revoke(task: PoolTask): boolean {
    const generation = this.#generations[task.slot] ?? 0;
    const sent = slotWord(generation, slotState.sent);
    const revoked = slotWord(generation, slotState.revoked);
    if (Atomics.compareExchange(this.#slots.words, task.slot, sent, revoked) !== sent) return false;
    this.release(task);
    return true;
  }

  /** Takes back, oldest first, up to `limit` tasks that have not begun. */
  revokeUnbegun(limit: number): PoolTask[] {
    const taken: PoolTask[] = [];
    for (const task of this.held) {
      if (taken.length >= limit) break;
      if (this.revoke(task)) taken.push(task);
    }
    return taken;
  }

  /** When the task began, in `sharedClock` time; undefined while it only waits. */
  begunAtMs(task: PoolTask): number | undefined {
    const word = Atomics.load(this.#slots.words, task.slot);
    return (word & 3) === slotState.claimed ? this.#slots.startedAtMs[task.slot] : undefined;
  }

  /** The task it works on, as far as is known: of those that began, the last; the ones before it have finished. */
  current(): PoolTask | undefined {
    let current: PoolTask | undefined;
    for (const task of this.held) {
      if (this.begunAtMs(task) === undefined) break;
      current = task;
    }
    return current;
  }

  abort(task: PoolTask): void {
    this.#post({ type: 'abort', slot: task.slot, generation: this.#generations[task.slot] ?? 0 });
  }

  terminate(failure?: unknown): void {
    this.#failure ??= failure;
    this.state = 'ending';
    void this.#worker.terminate();
  }

  #place(task: PoolTask): readonly [number, number, number, unknown] {
    const slot = this.#freeSlots.pop();
    if (slot === undefined) throw new RangeError('A pool thread was sent more tasks than it has slots.');
    const generation = this.#generations[slot] ?? 0;
    Atomics.store(this.#slots.words, slot, slotWord(generation, slotState.sent));
    this.#tasks[slot] = task;
    this.held.add(task);
    task.thread = this;
    task.slot = slot;
    task.state = 'sent';
    return [slot, generation, this.#functionId(task), task.argument];
  }

  #functionId(task: PoolTask): number {
    const key = `${task.exportName} ${task.module}`;
    let id = this.#functionIds.get(key);
    if (id === undefined) {
      id = this.#functionIds.size;
      this.#functionIds.set(key, id);
      this.#post({ type: 'define', id, module: task.module, exportName: task.exportName });
    }
    return id;
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

  #receive(message: FromThread): void {
    if (message === 'ready') {
      this.cameUp = true;
      if (this.state === 'starting') this.state = 'ready';
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
