/**
 * Who runs what: the workers of a pool, the tasks that wait, and the moves between them. A worker runs one task at a time,
 * in the order they were accepted. Short tasks are sent a few ahead, and are taken back as soon as one of them turns out
 * slow or another worker has nothing to do. A worker that has run its number of tasks, or has grown, makes room for another.
 */
import {
  type AcceptedTask,
  currentTask,
  type PoolWorker,
  revokeUnbegun,
  type WorkerExit,
  type WorkerKind,
} from './pool-worker.ts';
import { TaskQueue } from './task-queue.ts';

export interface DispatchOptions {
  readonly size: number;
  readonly recycleAfterTasks: number;
}

export interface DispatchEvents {
  /** How many tasks are accepted and not settled: for fewer than `size` not all workers are started. */
  unsettled(): number;
  onSent(task: AcceptedTask): void;
  /** Its argument can't be sent. */
  onUnsendable(task: AcceptedTask, error: unknown): void;
  onReply(worker: PoolWorker, task: AcceptedTask, kind: number, value: unknown): void;
  /** It ran, or was to be the first to run, on a worker that has gone. */
  onLost(task: AcceptedTask, exit: WorkerExit): void;
}

interface Warmth {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A task that has run this long is slow: nothing waits behind it. */
const slowAfterMs = 2;

export class TaskDispatch {
  readonly workers = new Set<PoolWorker>();
  readonly queue = new TaskQueue();
  /** Workers that crashed, or were ended with the task they would not let go. */
  replaced = 0;
  recycled = 0;
  readonly #kind: WorkerKind;
  readonly #options: DispatchOptions;
  readonly #events: DispatchEvents;
  #turn: 'none' | 'planned' = 'none';
  #state: 'open' | 'closed' = 'open';
  /** Who waits until all workers are up; while it is there, `size` of them are kept. */
  #warmth: Warmth | undefined;
  /** Ended because they had run their number of tasks, or had grown. */
  readonly #retired = new Set<PoolWorker>();

  constructor(kind: WorkerKind, options: DispatchOptions, events: DispatchEvents) {
    this.#kind = kind;
    this.#options = options;
    this.#events = events;
  }

  push(task: AcceptedTask): void {
    this.queue.push(task);
    this.plan();
  }

  /** Once a turn, so that the tasks accepted in it travel together. */
  plan(): void {
    if (this.#turn === 'planned') return;
    this.#turn = 'planned';
    queueMicrotask(() => {
      this.#turn = 'none';
      if (this.#state === 'open') this.#dispatch();
    });
  }

  /** Resolves once `size` workers wait; from then on as many are kept. Rejects when one can't start. */
  warm(): Promise<void> {
    if (this.#warmth === undefined) {
      let settle: Omit<Warmth, 'promise'> = { resolve: () => undefined, reject: () => undefined };
      const promise = new Promise<void>((resolve, reject) => {
        settle = { resolve, reject };
      });
      // Whoever does not wait for it must not meet an unhandled rejection.
      promise.catch(() => undefined);
      this.#warmth = { promise, ...settle };
      this.#welcome();
    }
    return this.#warmth.promise;
  }

  requeue(tasks: readonly AcceptedTask[]): void {
    for (const task of tasks) {
      task.deadline?.clear();
      task.state = 'queued';
    }
    this.queue.putBack(tasks);
  }

  /** Lets go of a task that has been run to its end, and of its worker where that was its last. */
  finish(worker: PoolWorker, task: AcceptedTask): void {
    worker.release(task);
    worker.finished += 1;
    if (worker.state === 'stopping' && task.stopReason !== undefined) worker.state = 'ready';
    worker.window = Math.min(worker.window + 1, worker.capacity);
    if (worker.finished >= this.#options.recycleAfterTasks) this.retire(worker);
    else if (worker.state === 'retiring') this.#endRetired(worker);
    if (worker.held.size * 2 <= worker.window) this.plan();
  }

  /** It finishes what it has begun, and is then ended; another takes its place. */
  retire(worker: PoolWorker): void {
    if (worker.state !== 'ready' && worker.state !== 'stopping') return;
    worker.state = 'retiring';
    this.requeue(revokeUnbegun(worker));
    this.#endRetired(worker);
    this.plan();
  }

  /** Ends all workers; none is started any more. */
  async close(error: unknown): Promise<void> {
    this.#state = 'closed';
    this.#warmth?.reject(error);
    const workers = [...this.workers];
    for (const worker of workers) worker.terminate();
    await Promise.all(workers.map((worker) => worker.exited));
  }

  #dispatch(): void {
    this.#takeBackFromSlow();
    this.#startWorkers();
    const ready = [...this.workers].filter((worker) => worker.state === 'ready');
    const idle = ready.filter((worker) => worker.held.size === 0);
    for (const worker of idle) this.#give(worker, 1);
    if (this.queue.size === 0) this.#shareOut(idle.filter((worker) => worker.held.size === 0));
    const open = ready.filter((worker) => worker.state === 'ready' && worker.window > 1);
    for (const [index, worker] of open.entries()) {
      if (this.queue.size === 0) break;
      this.#give(worker, Math.ceil(this.queue.size / (open.length - index)));
    }
  }

  #takeBackFromSlow(): void {
    for (const worker of this.workers) {
      if (worker.held.size === 0) continue;
      const current = currentTask(worker);
      const begunAtMs = current && worker.begunAtMs(current);
      if (begunAtMs === undefined || this.#kind.nowMs() - begunAtMs < slowAfterMs) continue;
      worker.window = 1;
      if (worker.held.size > 1) this.requeue(revokeUnbegun(worker));
    }
  }

  #startWorkers(): void {
    const { size } = this.#options;
    const wanted = this.#warmth === undefined ? Math.min(size, this.#events.unsettled()) : size;
    while (this.workers.size < wanted) {
      this.workers.add(
        this.#kind.start({
          onReady: () => this.#welcome(),
          onReply: this.#events.onReply,
          onExit: (worker, exit) => this.#replace(worker, exit),
        }),
      );
    }
  }

  #welcome(): void {
    const up = [...this.workers].filter((worker) => worker.cameUp).length;
    if (up >= this.#options.size) this.#warmth?.resolve();
    this.plan();
  }

  #give(worker: PoolWorker, atMost: number): void {
    const room = Math.min(worker.window, this.#options.recycleAfterTasks - worker.finished) - worker.held.size;
    const tasks: AcceptedTask[] = [];
    while (tasks.length < Math.min(atMost, room)) {
      const task = this.queue.shift();
      if (task === undefined) break;
      tasks.push(task);
    }
    if (tasks.length === 0) return;
    for (const { task, error } of worker.send(tasks)) {
      this.#events.onUnsendable(task, error);
      this.plan();
    }
    for (const task of tasks) if (task.state === 'sent') this.#events.onSent(task);
  }

  /** Gives idle workers what others hold and have not begun. */
  #shareOut(idle: readonly PoolWorker[]): void {
    if (idle.length === 0) return;
    const busiest = [...this.workers].reduce<PoolWorker | undefined>(
      (most, worker) => (worker.held.size > (most?.held.size ?? 1) ? worker : most),
      undefined,
    );
    if (busiest === undefined) return;
    this.requeue(revokeUnbegun(busiest, Math.ceil((busiest.held.size - 1) / 2)));
    for (const [index, worker] of idle.entries()) {
      this.#give(worker, Math.ceil(this.queue.size / (idle.length - index)));
    }
  }

  #endRetired(worker: PoolWorker): void {
    if (worker.held.size > 0) return;
    this.#retired.add(worker);
    worker.terminate();
  }

  #replace(worker: PoolWorker, exit: WorkerExit): void {
    this.workers.delete(worker);
    if (this.#state === 'closed') return;
    const lost = [...worker.held];
    this.requeue(revokeUnbegun(worker));
    const running = lost.filter((task) => task.worker === worker);
    if (this.#retired.delete(worker)) this.recycled += 1;
    else this.replaced += 1;
    for (const task of running) {
      worker.release(task);
      this.#events.onLost(task, exit);
    }
    // One that can't even start would be started again for ever: each try costs the oldest task its chance.
    if (!worker.cameUp) this.#giveUp(exit);
    this.plan();
  }

  #giveUp(exit: WorkerExit): void {
    const message = `A ${this.#kind.noun} of the pool could not start: ${exit.reason}.`;
    this.#warmth?.reject(this.#kind.error('CRASHED', message, { cause: exit.cause }));
    this.#warmth = undefined;
    const victim = this.queue.shift();
    if (victim !== undefined) this.#events.onLost(victim, exit);
  }
}
