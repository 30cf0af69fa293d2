/**
 * A pool of workers that run functions of modules: what is common to threads and processes. This is the life of a task from
 * `run` to its outcome, with its deadline and its signal, and that of the pool; who runs what is decided in the dispatch.
 */
import { availableParallelism } from 'node:os';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startDeadline } from './deadline.ts';
import { type AcceptedTask, currentTask, type PoolWorker, revokeUnbegun, type WorkerKind } from './pool-worker.ts';
import { TaskDispatch } from './task-dispatch.ts';
import { lossError, messageOf, nameOf, replyError } from './task-error.ts';
import { reply } from './task-protocol.ts';

/** What pools of threads and of processes have in common. */
export interface WorkerPoolOptions {
  /** Workers at most; they start when there is work for them. @default availableParallelism() */
  readonly size?: number;
  /** Accepted tasks beyond one for each worker, at most. @default 65536 */
  readonly maxQueued?: number;
  /** How long an aborted or overdue task may take to settle on its own, after its signal fired. @default 100 */
  readonly abortGraceMs?: number;
  /** What tasks print: to this process's stdout and stderr, or nowhere. @default 'inherit' */
  readonly output?: 'inherit' | 'discard';
  /** A worker that has run so many tasks is replaced. @default Infinity */
  readonly recycleAfterTasks?: number;
  /**
   * A worker that holds more memory than this after a task is replaced before its next: of a process what is resident, of
   * a thread its heap and what hangs on it, garbage included. Looked at after each task, which takes some microseconds.
   * @default Infinity
   */
  readonly recycleAboveBytes?: number;
}

export interface WorkerTask {
  /**
   * Absolute path or URL. A worker imports a URL once: when the file changes, ask for it under another query
   * (`file:///srv/task.js?v=2`).
   */
  readonly module: string | URL;
  /** Which of its functions, called with the argument and a context `{ emit, signal }`. @default 'default' */
  readonly exportName?: string;
  /** Copied by structured clone when a worker takes it; leave it unchanged until the task settles. */
  readonly argument: unknown;
  /** Since the task began, importing its module included; waiting for a worker does not count. @default Infinity */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called with each value given to `context.emit`, in order, before `run` resolves. */
  readonly onMessage?: (value: unknown) => void;
}

/** The second argument of a task's function. */
export interface WorkerTaskContext {
  /** Sends a copy of the value to the task's `onMessage`; dropped once the task has settled. */
  emit(value: unknown): void;
  /** Fires when the task was aborted or is overdue; then it has `abortGraceMs` to settle. */
  readonly signal: AbortSignal;
}

export interface WorkerPoolStats {
  readonly size: number;
  readonly workers: number;
  readonly idle: number;
  /** Accepted and not yet begun, as far as is known. */
  readonly queued: number;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  /** Workers that crashed, or were ended with the task they would not let go. */
  readonly replaced: number;
  /** Workers that were ended between two tasks: `recycleAfterTasks`, `recycleAboveBytes`. */
  readonly recycled: number;
}

export interface WorkerPool {
  /**
   * Resolves with what the function returns.
   * @throws the signal's reason when aborted; {ThreadError} or {ProcessError} with the codes of the README. Once it has
   * settled, nothing of the task runs any more, unless the function left something behind in its worker.
   */
  run<T>(task: WorkerTask): Promise<T>;
  /**
   * Starts `size` workers now, keeps as many from then on, and resolves once they wait for tasks. Nothing needs it: a task
   * starts the worker that it lacks.
   * @throws {ThreadError} or {ProcessError}, `…_CRASHED` when one can't start.
   */
  ready(): Promise<void>;
  readonly stats: WorkerPoolStats;
  /** Refuses new tasks, waits for the accepted ones, ends the workers; the signal ends them at once. */
  close(options?: { readonly signal?: AbortSignal }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export type ResolvedPoolOptions = Required<WorkerPoolOptions>;

export class TaskPool implements WorkerPool {
  readonly #kind: WorkerKind;
  readonly #options: ResolvedPoolOptions;
  readonly #dispatch: TaskDispatch;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #closing: Promise<void> | undefined;
  #noteEmpty: (() => void) | undefined;
  #sequence = 0;
  #unsettled = 0;
  #completed = 0;
  #failed = 0;

  constructor(kind: WorkerKind, options: ResolvedPoolOptions) {
    this.#kind = kind;
    this.#options = options;
    this.#dispatch = new TaskDispatch(kind, options, {
      unsettled: () => this.#unsettled,
      onSent: (task) => {
        if (task.timeoutMs !== Infinity) this.#watch(task, task.timeoutMs);
      },
      onUnsendable: (task, error) => {
        const message = `The argument for ${nameOf(task)} can't be sent to a ${kind.noun}: ${messageOf(error)}. Pass plain data.`;
        this.#settle(task, kind.error('NOT_CLONEABLE', message, { cause: error }));
      },
      onReply: (worker, task, replied, value) => this.#take(worker, task, replied, value),
      onLost: (task, exit) => this.#settle(task, task.stopReason?.error ?? lossError(kind, task, exit)),
    });
  }

  run<T>(task: WorkerTask): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#accept(task, (value) => resolve(value as T), reject);
    });
  }

  ready(): Promise<void> {
    return this.#state === 'open' ? this.#dispatch.warm() : Promise.reject(this.#closedError());
  }

  get stats(): WorkerPoolStats {
    const { workers, replaced, recycled } = this.#dispatch;
    let running = 0;
    for (const worker of workers) if (worker.held.size > 0) running += 1;
    return {
      size: this.#options.size,
      workers: workers.size,
      idle: workers.size - running,
      queued: this.#unsettled - running,
      running,
      completed: this.#completed,
      failed: this.#failed,
      replaced,
      recycled,
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

  #accept(task: WorkerTask, resolve: (value: unknown) => void, reject: (reason: unknown) => void): void {
    const { exportName = 'default', timeoutMs = Infinity, signal } = task;
    const module = moduleAddress(task.module);
    if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs must be at least 0, got ${timeoutMs}`);
    signal?.throwIfAborted();
    if (this.#state !== 'open') throw this.#closedError();
    const { maxQueued, size } = this.#options;
    if (this.#unsettled >= size + maxQueued) {
      const message = `${maxQueued} tasks wait for a ${this.#kind.noun} already (maxQueued); wait for some to settle, or raise maxQueued.`;
      throw this.#kind.error('POOL_FULL', message);
    }
    const accepted: AcceptedTask = {
      sequence: this.#sequence++,
      ...{ module, exportName, timeoutMs, resolve, reject },
      argument: task.argument,
      onMessage: task.onMessage,
      state: 'queued',
      worker: undefined,
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
    this.#dispatch.push(accepted);
  }

  /** A task's time runs from its beginning, which only its worker knows: look there when the time may be up. */
  #watch(task: AcceptedTask, afterMs: number): void {
    task.deadline = startDeadline(afterMs, () => {
      const begunAtMs = task.worker?.begunAtMs(task);
      const leftMs = begunAtMs === undefined ? task.timeoutMs : begunAtMs + task.timeoutMs - this.#kind.nowMs();
      if (leftMs > 0) {
        this.#watch(task, Math.ceil(leftMs));
        return;
      }
      const message = `${nameOf(task)} took longer than ${task.timeoutMs} ms (timeoutMs) and was ended; give it more time or less to do.`;
      this.#stop(task, this.#kind.error('TIMEOUT', message));
    });
  }

  #stop(task: AcceptedTask, error: unknown): void {
    const { worker } = task;
    if (task.state === 'settled' || task.stopReason !== undefined) return;
    if (worker === undefined) {
      this.#dispatch.queue.drop();
      this.#settle(task, error);
      return;
    }
    if (worker.revoke(task)) {
      this.#settle(task, error);
      this.#dispatch.plan();
      return;
    }
    task.stopReason = { error };
    task.deadline?.clear();
    this.#dispatch.requeue(revokeUnbegun(worker));
    if (worker.state === 'ready') worker.state = 'stopping';
    worker.abort(task);
    task.deadline = startDeadline(this.#options.abortGraceMs, () => {
      // A later task on the worker means that this one has finished, and its reply is under way.
      if (currentTask(worker) === task) worker.terminate();
    });
    this.#dispatch.plan();
  }

  #take(worker: PoolWorker, task: AcceptedTask, replied: number, value: unknown): void {
    if (replied === reply.emitted) {
      this.#passOn(task, value);
      return;
    }
    if (replied === reply.grown) {
      this.#dispatch.retire(worker);
      return;
    }
    this.#dispatch.finish(worker, task);
    if (task.stopReason !== undefined) this.#settle(task, task.stopReason.error);
    else if (replied === reply.done) this.#succeed(task, value);
    else this.#settle(task, replyError(this.#kind, task, replied, value));
  }

  #passOn(task: AcceptedTask, value: unknown): void {
    if (task.stopReason !== undefined) return;
    try {
      task.onMessage?.(value);
    } catch (cause) {
      const message = `onMessage of ${nameOf(task)} threw: ${messageOf(cause)}. The task was ended.`;
      this.#stop(task, this.#kind.error('CALLBACK_FAILED', message, { cause }));
    }
  }

  #succeed(task: AcceptedTask, value: unknown): void {
    this.#completed += 1;
    this.#leave(task);
    task.resolve(value);
  }

  #settle(task: AcceptedTask, error: unknown): void {
    this.#failed += 1;
    this.#leave(task);
    task.reject(error);
  }

  #leave(task: AcceptedTask): void {
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
    await this.#dispatch.close(this.#closedError());
  }

  #cutShort(): void {
    const message = `The ${this.#kind.noun} pool was closed before the task had finished.`;
    const error = this.#kind.error('POOL_CLOSED', message);
    const { workers, queue } = this.#dispatch;
    for (const worker of workers) this.#dispatch.requeue(revokeUnbegun(worker));
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) this.#settle(task, error);
    for (const worker of workers) {
      for (const task of worker.held) task.stopReason ??= { error };
      if (worker.held.size > 0) worker.terminate();
    }
  }

  #closedError(): Error {
    const message = `The ${this.#kind.noun} pool is closed and takes no more tasks; create a new one.`;
    return this.#kind.error('POOL_CLOSED', message);
  }
}

export function resolvePoolOptions(options: WorkerPoolOptions): ResolvedPoolOptions {
  const { size = availableParallelism(), maxQueued = 65_536, abortGraceMs = 100, output = 'inherit' } = options;
  const { recycleAfterTasks = Infinity, recycleAboveBytes = Infinity } = options;
  if (!Number.isSafeInteger(size) || size < 1)
    throw new RangeError(`size must be an integer of at least 1, got ${size}`);
  if (!(maxQueued >= 0)) throw new RangeError(`maxQueued must be at least 0, got ${maxQueued}`);
  if (!(abortGraceMs >= 0)) throw new RangeError(`abortGraceMs must be at least 0, got ${abortGraceMs}`);
  if (output !== 'inherit' && output !== 'discard') {
    throw new TypeError(`output must be 'inherit' or 'discard', got ${String(output)}`);
  }
  if (recycleAfterTasks !== Infinity && !(Number.isSafeInteger(recycleAfterTasks) && recycleAfterTasks >= 1)) {
    throw new RangeError(`recycleAfterTasks must be an integer of at least 1, or Infinity, got ${recycleAfterTasks}`);
  }
  if (!(recycleAboveBytes > 0)) {
    throw new RangeError(`recycleAboveBytes must be over 0, or Infinity, got ${recycleAboveBytes}`);
  }
  return Object.freeze({ size, maxQueued, abortGraceMs, output, recycleAfterTasks, recycleAboveBytes });
}

function moduleAddress(module: string | URL): string {
  if (module instanceof URL) return module.href;
  if (typeof module === 'string' && /^[a-z][a-z\d+.-]+:/i.test(module)) return module;
  if (typeof module === 'string' && isAbsolute(module)) return pathToFileURL(module).href;
  throw new TypeError(`module must be an absolute path or a URL, got ${JSON.stringify(module)}`);
}
