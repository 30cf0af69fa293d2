/**
 * Functions of modules run on threads. Each thread runs one task at a time, in the order they were accepted; short tasks
 * are sent a few ahead, and are taken back as soon as one of them turns out slow or another thread has nothing to do.
 *
 * Over 400 lines: sending ahead, taking back and replacing threads are moves in one table of who has what, on a hot path.
 */
import { availableParallelism } from 'node:os';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ResourceLimits } from 'node:worker_threads';
import { startDeadline } from './deadline.ts';
import { ThreadError } from './errors.ts';
import { type PoolTask, PoolThread } from './pool-thread.ts';
import { reply, sharedClock, slotCount, type ThrownValue } from './thread-protocol.ts';

export interface ThreadPoolOptions {
  /** Threads at most; they start when there is work for them. @default availableParallelism() */
  readonly size?: number;
  /** Accepted tasks beyond one for each thread, at most. @default 65536 */
  readonly maxQueued?: number;
  /**
   * Memory of each thread, as `node:worker_threads` takes it; a thread over it is replaced. `maxOldGenerationSizeMb` is at
   * least 4, and a thread needs about 8 to start.
   */
  readonly resourceLimits?: ResourceLimits;
  /** How long an aborted or overdue task may take to settle on its own, after its signal fired. @default 100 */
  readonly abortGraceMs?: number;
  /** What tasks print: to this process's stdout and stderr, or nowhere. @default 'inherit' */
  readonly output?: 'inherit' | 'discard';
}

export interface ThreadTask {
  /**
   * Absolute path or URL. A thread imports a URL once: when the file changes, ask for it under another query
   * (`file:///srv/task.js?v=2`).
   */
  readonly module: string | URL;
  /** Which of its functions, called with the argument and a context `{ emit, signal }`. @default 'default' */
  readonly exportName?: string;
  /** Copied by structured clone when a thread takes it; leave it unchanged until the task settles. */
  readonly argument: unknown;
  /** Since the task began, importing its module included; waiting for a thread does not count. @default Infinity */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called with each value given to `context.emit`, in order, before `run` resolves. */
  readonly onMessage?: (value: unknown) => void;
}

/** The second argument of a task's function. */
export interface ThreadTaskContext {
  /** Sends a copy of the value to the task's `onMessage`; dropped once the task has settled. */
  emit(value: unknown): void;
  /** Fires when the task was aborted or is overdue; then it has `abortGraceMs` to settle. */
  readonly signal: AbortSignal;
}

export interface ThreadPoolStats {
  readonly size: number;
  readonly threads: number;
  readonly idle: number;
  /** Accepted and not yet begun, as far as is known. */
  readonly queued: number;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  /** Threads that crashed, or were ended with the task they would not let go. */
  readonly replaced: number;
}

export interface ThreadPool {
  /**
   * Resolves with what the function returns.
   * @throws the signal's reason when aborted; {ThreadError} with the codes of the README. Once it has settled, nothing
   * of the task runs any more, unless the function left something behind in its thread.
   */
  run<T>(task: ThreadTask): Promise<T>;
  readonly stats: ThreadPoolStats;
  /** Refuses new tasks, waits for the accepted ones, ends the threads; the signal ends them at once. */
  close(options?: { readonly signal?: AbortSignal }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A task that has run this long is slow: nothing waits behind it. */
const slowAfterMs = 2;

/** Starts no thread yet. An idle pool does not keep the process alive. */
export function createThreadPool(options: ThreadPoolOptions = {}): ThreadPool {
  return new WorkerThreadPool(resolvePoolOptions(options));
}

type ResolvedPoolOptions = Required<Omit<ThreadPoolOptions, 'resourceLimits'>> & {
  readonly resourceLimits: ResourceLimits | undefined;
};

class WorkerThreadPool implements ThreadPool {
  readonly #options: ResolvedPoolOptions;
  readonly #threads = new Set<PoolThread>();
  readonly #queue = new TaskQueue();
  readonly #nowMs = sharedClock();
  #state: 'open' | 'closing' | 'closed' = 'open';
  #closing: Promise<void> | undefined;
  #noteEmpty: (() => void) | undefined;
  #dispatch: 'none' | 'planned' = 'none';
  #sequence = 0;
  #unsettled = 0;
  #completed = 0;
  #failed = 0;
  #replaced = 0;

  constructor(options: ResolvedPoolOptions) {
    this.#options = options;
  }

  run<T>(task: ThreadTask): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#accept(task, (value) => resolve(value as T), reject);
    });
  }

  get stats(): ThreadPoolStats {
    const threads = [...this.#threads];
    const running = threads.filter((thread) => thread.held.size > 0).length;
    return {
      size: this.#options.size,
      threads: threads.length,
      idle: threads.length - running,
      queued: this.#unsettled - running,
      running,
      completed: this.#completed,
      failed: this.#failed,
      replaced: this.#replaced,
    };
  }

  close(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    this.#closing ??= this.#close();
    if (signal === undefined) return this.#closing;
    const cut = (): void => this.#cutShort();
    if (signal.aborted) cut();
    else signal.addEventListener('abort', cut, { once: true });
    return this.#closing.finally(() => signal.removeEventListener('abort', cut));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(task: ThreadTask, resolve: (value: unknown) => void, reject: (reason: unknown) => void): void {
    const { exportName = 'default', timeoutMs = Infinity, signal } = task;
    const module = moduleAddress(task.module);
    if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs must be at least 0, got ${timeoutMs}`);
    signal?.throwIfAborted();
    if (this.#state !== 'open') {
      throw new ThreadError(
        'THREAD_POOL_CLOSED',
        'The thread pool is closed and takes no more tasks; create a new one.',
      );
    }
    const { maxQueued, size } = this.#options;
    if (this.#unsettled >= size + maxQueued) {
      const message = `${maxQueued} tasks wait for a thread already (maxQueued); wait for some to settle, or raise maxQueued.`;
      throw new ThreadError('THREAD_POOL_FULL', message);
    }
    const accepted: PoolTask = {
      sequence: this.#sequence++,
      ...{ module, exportName, timeoutMs, resolve, reject },
      argument: task.argument,
      onMessage: task.onMessage,
      state: 'queued',
      thread: undefined,
      slot: -1,
      deadline: undefined,
      stopReason: undefined,
      releaseSignal: undefined,
    };
    if (signal !== undefined) {
      const onAbort = (): void => this.#stop(accepted, signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      accepted.releaseSignal = () => signal.removeEventListener('abort', onAbort);
    }
    this.#unsettled += 1;
    this.#queue.push(accepted);
    this.#plan();
  }

  /** Once a turn, so that the tasks accepted in it travel together. */
  #plan(): void {
    if (this.#dispatch === 'planned') return;
    this.#dispatch = 'planned';
    queueMicrotask(() => {
      this.#dispatch = 'none';
      this.#dispatchNow();
    });
  }

  #dispatchNow(): void {
    this.#takeBackFromSlow();
    this.#startThreads();
    const ready = [...this.#threads].filter((thread) => thread.state === 'ready');
    const idle = ready.filter((thread) => thread.held.size === 0);
    for (const thread of idle) this.#give(thread, 1);
    if (this.#queue.size === 0) this.#shareOut(idle.filter((thread) => thread.held.size === 0));
    const open = ready.filter((thread) => thread.state === 'ready' && thread.window > 1);
    for (const [index, thread] of open.entries()) {
      if (this.#queue.size === 0) break;
      this.#give(thread, Math.min(thread.free, Math.ceil(this.#queue.size / (open.length - index))));
    }
  }

  #takeBackFromSlow(): void {
    for (const thread of this.#threads) {
      if (thread.held.size === 0) continue;
      const current = thread.current();
      const begunAtMs = current && thread.begunAtMs(current);
      if (begunAtMs === undefined || this.#nowMs() - begunAtMs < slowAfterMs) continue;
      thread.window = 1;
      if (thread.held.size > 1) this.#requeue(thread.revokeUnbegun(slotCount));
    }
  }

  #startThreads(): void {
    const wanted = Math.min(this.#options.size, this.#unsettled);
    while (this.#threads.size < wanted) {
      this.#threads.add(
        new PoolThread(this.#options, {
          onReady: () => this.#plan(),
          onReply: (thread, task, kind, value) => this.#take(thread, task, kind, value),
          onExit: (thread, exitCode, error) => this.#replace(thread, exitCode, error),
        }),
      );
    }
  }

  #give(thread: PoolThread, count: number): void {
    const tasks: PoolTask[] = [];
    while (tasks.length < count) {
      const task = this.#queue.shift();
      if (task === undefined) break;
      tasks.push(task);
    }
    if (tasks.length === 0) return;
    for (const { task, error } of thread.send(tasks)) {
      const message = `The argument for ${nameOf(task)} can't be sent to a thread: ${messageOf(error)}. Pass plain data.`;
      this.#settle(task, new ThreadError('THREAD_NOT_CLONEABLE', message, { cause: error }));
    }
    for (const task of tasks)
      if (task.state === 'sent' && task.timeoutMs !== Infinity) this.#watch(task, task.timeoutMs);
  }

  /** Gives idle threads what others hold and have not begun. */
  #shareOut(idle: readonly PoolThread[]): void {
    if (idle.length === 0) return;
    const busiest = [...this.#threads].reduce<PoolThread | undefined>(
      (most, thread) => (thread.held.size > (most?.held.size ?? 1) ? thread : most),
      undefined,
    );
    if (busiest === undefined) return;
    this.#requeue(busiest.revokeUnbegun(Math.ceil((busiest.held.size - 1) / 2)));
    for (const [index, thread] of idle.entries()) {
      this.#give(thread, Math.ceil(this.#queue.size / (idle.length - index)));
    }
  }

  #requeue(tasks: readonly PoolTask[]): void {
    for (const task of tasks) {
      task.deadline?.clear();
      task.state = 'queued';
    }
    this.#queue.putBack(tasks);
  }

  /** A task's time runs from its beginning, which only shared memory knows: look there when the time may be up. */
  #watch(task: PoolTask, afterMs: number): void {
    task.deadline = startDeadline(afterMs, () => {
      const begunAtMs = task.thread?.begunAtMs(task);
      const leftMs = begunAtMs === undefined ? task.timeoutMs : begunAtMs + task.timeoutMs - this.#nowMs();
      if (leftMs > 0) {
        this.#watch(task, Math.ceil(leftMs));
        return;
      }
      const message = `${nameOf(task)} took longer than ${task.timeoutMs} ms (timeoutMs) and was ended; give it more time or less to do.`;
      this.#stop(task, new ThreadError('THREAD_TIMEOUT', message));
    });
  }

  #stop(task: PoolTask, error: unknown): void {
    const { thread } = task;
    if (task.state === 'settled' || task.stopReason !== undefined) return;
    if (thread === undefined) {
      this.#queue.drop();
      this.#settle(task, error);
      return;
    }
    if (thread.revoke(task)) {
      this.#settle(task, error);
      this.#plan();
      return;
    }
    task.stopReason = { error };
    task.deadline?.clear();
    this.#requeue(thread.revokeUnbegun(slotCount));
    if (thread.state === 'ready') thread.state = 'stopping';
    thread.abort(task);
    task.deadline = startDeadline(this.#options.abortGraceMs, () => {
      // A later task on the thread means that this one has finished, and its reply is under way.
      if (thread.current() === task) thread.terminate();
    });
    this.#plan();
  }

  #take(thread: PoolThread, task: PoolTask, kind: number, value: unknown): void {
    if (kind === reply.emitted) {
      this.#passOn(task, value);
      return;
    }
    thread.release(task);
    if (thread.state === 'stopping' && task.stopReason !== undefined) thread.state = 'ready';
    thread.window = Math.min(thread.window + 1, slotCount);
    if (task.stopReason !== undefined) this.#settle(task, task.stopReason.error);
    else if (kind === reply.done) this.#succeed(task, value);
    else this.#settle(task, replyError(task, kind, value));
    if (thread.held.size * 2 <= thread.window) this.#plan();
  }

  #passOn(task: PoolTask, value: unknown): void {
    if (task.stopReason !== undefined) return;
    try {
      task.onMessage?.(value);
    } catch (cause) {
      const message = `onMessage of ${nameOf(task)} threw: ${messageOf(cause)}. The task was ended.`;
      this.#stop(task, new ThreadError('THREAD_CALLBACK_FAILED', message, { cause }));
    }
  }

  #replace(thread: PoolThread, exitCode: number, error: unknown): void {
    this.#threads.delete(thread);
    if (this.#state === 'closed') return;
    this.#replaced += 1;
    this.#requeue(thread.revokeUnbegun(slotCount));
    for (const task of [...thread.held]) {
      thread.release(task);
      this.#settle(task, task.stopReason?.error ?? crashError(task, exitCode, error));
    }
    // A thread that can't even start would be started again for ever: each try costs the oldest task its chance.
    const victim = thread.cameUp ? undefined : this.#queue.shift();
    if (victim !== undefined) this.#settle(victim, crashError(victim, exitCode, error));
    this.#plan();
  }

  #succeed(task: PoolTask, value: unknown): void {
    this.#completed += 1;
    this.#leave(task);
    task.resolve(value);
  }

  #settle(task: PoolTask, error: unknown): void {
    this.#failed += 1;
    this.#leave(task);
    task.reject(error);
  }

  #leave(task: PoolTask): void {
    task.state = 'settled';
    task.deadline?.clear();
    task.releaseSignal?.();
    this.#unsettled -= 1;
    if (this.#unsettled === 0) this.#noteEmpty?.();
  }

  async #close(): Promise<void> {
    this.#state = 'closing';
    if (this.#unsettled > 0) {
      await new Promise<void>((resolve) => {
        this.#noteEmpty = resolve;
      });
    }
    this.#state = 'closed';
    const threads = [...this.#threads];
    for (const thread of threads) thread.terminate();
    await Promise.all(threads.map((thread) => thread.exited));
  }

  #cutShort(): void {
    const error = new ThreadError('THREAD_POOL_CLOSED', 'The thread pool was closed before the task had finished.');
    for (const thread of this.#threads) this.#requeue(thread.revokeUnbegun(slotCount));
    for (let task = this.#queue.shift(); task !== undefined; task = this.#queue.shift()) this.#settle(task, error);
    for (const thread of this.#threads) {
      for (const task of thread.held) task.stopReason ??= { error };
      if (thread.held.size > 0) thread.terminate();
    }
  }
}

/** First in, first out, with a place at the front for tasks taken back and no cost for those that leave early. */
class TaskQueue {
  size = 0;
  #tasks: PoolTask[] = [];
  #head = 0;
  /** Youngest first. All of them are older than those in `#tasks`. */
  #putBack: PoolTask[] = [];

  push(task: PoolTask): void {
    // Tasks that were aborted while they waited stay in the array until it is their turn, or until they are most of it.
    if (this.#tasks.length > 64 && this.#tasks.length > 2 * (this.size + 1)) {
      this.#tasks = this.#tasks.slice(this.#head).filter((waiting) => waiting.state === 'queued');
      this.#head = 0;
    }
    this.#tasks.push(task);
    this.size += 1;
  }

  shift(): PoolTask | undefined {
    for (;;) {
      const task = this.#putBack.pop() ?? this.#tasks[this.#head++];
      if (task === undefined) {
        this.#tasks = [];
        this.#head = 0;
        return undefined;
      }
      if (task.state !== 'queued') continue;
      this.size -= 1;
      return task;
    }
  }

  putBack(tasks: readonly PoolTask[]): void {
    if (tasks.length === 0) return;
    this.#putBack = [...this.#putBack, ...tasks].sort((a, b) => b.sequence - a.sequence);
    this.size += tasks.length;
  }

  /** One that waits here is about to be settled. */
  drop(): void {
    this.size -= 1;
  }
}

function resolvePoolOptions(options: ThreadPoolOptions): ResolvedPoolOptions {
  const { size = availableParallelism(), maxQueued = 65_536, resourceLimits, abortGraceMs = 100 } = options;
  const { output = 'inherit' } = options;
  if (!Number.isSafeInteger(size) || size < 1)
    throw new RangeError(`size must be an integer of at least 1, got ${size}`);
  const { maxOldGenerationSizeMb = Number.POSITIVE_INFINITY } = resourceLimits ?? {};
  // With less, V8 ends the whole process on Node 22 and 24 before the thread exists (seen with 1 and 2).
  if (!(maxOldGenerationSizeMb >= 4)) {
    throw new RangeError(`resourceLimits.maxOldGenerationSizeMb must be at least 4, got ${maxOldGenerationSizeMb}`);
  }
  if (!(maxQueued >= 0)) throw new RangeError(`maxQueued must be at least 0, got ${maxQueued}`);
  if (!(abortGraceMs >= 0)) throw new RangeError(`abortGraceMs must be at least 0, got ${abortGraceMs}`);
  if (output !== 'inherit' && output !== 'discard') {
    throw new TypeError(`output must be 'inherit' or 'discard', got ${String(output)}`);
  }
  return Object.freeze({ size, maxQueued, resourceLimits, abortGraceMs, output });
}

function moduleAddress(module: string | URL): string {
  if (module instanceof URL) return module.href;
  if (typeof module === 'string' && /^[a-z][a-z\d+.-]+:/i.test(module)) return module;
  if (typeof module === 'string' && isAbsolute(module)) return pathToFileURL(module).href;
  throw new TypeError(`module must be an absolute path or a URL, got ${JSON.stringify(module)}`);
}

function replyError(task: PoolTask, kind: number, value: unknown): ThreadError {
  if (kind === reply.moduleNotFound) return new ThreadError('THREAD_MODULE_NOT_FOUND', String(value));
  if (kind === reply.notCloneable) {
    const message = `What ${nameOf(task)} returned can't be sent back: ${String(value)}. Return plain data.`;
    return new ThreadError('THREAD_NOT_CLONEABLE', message);
  }
  const cause = thrownError(value as ThrownValue);
  return new ThreadError('THREAD_TASK_FAILED', `${nameOf(task)} threw ${describeThrown(cause)}`, { cause });
}

/** The value that was thrown, an error with the name, message, stack and code it had in its thread. */
function thrownError(thrown: ThrownValue): unknown {
  if (thrown.type === 'value') return thrown.value;
  const error = new Error(thrown.message);
  for (const [key, value] of Object.entries({ name: thrown.name, stack: thrown.stack, code: thrown.code })) {
    if (value !== undefined)
      Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: key === 'code' });
  }
  return error;
}

function crashError(task: PoolTask, exitCode: number, cause: unknown): ThreadError {
  const outOfMemory = cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
  const reason = outOfMemory
    ? 'the thread ran out of memory; raise resourceLimits or give the task less'
    : cause === undefined
      ? `the thread ended with exit code ${exitCode}; a task must return or throw, not call process.exit`
      : `an error reached the top of the thread: ${messageOf(cause)}`;
  return new ThreadError('THREAD_CRASHED', `${nameOf(task)} did not finish: ${reason}.`, { cause });
}

function nameOf(task: PoolTask): string {
  return `${task.exportName} of ${task.module}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function describeThrown(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
