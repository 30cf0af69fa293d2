/**
 * What the core of a pool and its workers promise each other, be the workers threads or processes. The core decides who
 * runs what, and when; a worker carries tasks there, and what is said of them back.
 */
import type { Deadline } from './deadline.ts';
import type { SpawnerError } from './errors.ts';

/** A task on its way through a pool. */
export interface AcceptedTask {
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
  worker: PoolWorker | undefined;
  /** Where its worker has noted it. */
  slot: number;
  deadline: Deadline | undefined;
  /** Why it is being stopped; what its caller will be told whatever the worker still says. */
  stopReason: { readonly error: unknown } | undefined;
  releaseSignal: (() => void) | undefined;
}

export interface PoolWorker {
  /**
   * `stopping`: waits for a task that was told to stop; `retiring`: finishes what it has begun, and is then ended;
   * `ending`: is being ended whatever it does.
   */
  state: 'starting' | 'ready' | 'stopping' | 'retiring' | 'ending' | 'gone';
  /** False when it ended before it could take a task. */
  readonly cameUp: boolean;
  /** How many tasks it may hold now, `capacity` at most: grows while tasks are short, falls back to 1 behind a slow one. */
  window: number;
  readonly capacity: number;
  /** Tasks that it has run to their end. */
  finished: number;
  /** In the order sent, which is the order in which it runs them. */
  readonly held: ReadonlySet<AcceptedTask>;
  /** Resolves when it has gone, after `onExit`. */
  readonly exited: Promise<void>;
  /** Sends tasks to run after those it holds. Returns those whose argument cannot be sent, with the reason. */
  send(tasks: readonly AcceptedTask[]): readonly { readonly task: AcceptedTask; readonly error: unknown }[];
  /** Forgets a task that is done, taken back or refused. */
  release(task: AcceptedTask): void;
  /** Takes a task back if it has not begun; false when it has. */
  revoke(task: AcceptedTask): boolean;
  /** When the task began, in `WorkerKind.nowMs` time; undefined while it only waits. */
  begunAtMs(task: AcceptedTask): number | undefined;
  /** Fires the task's signal. */
  abort(task: AcceptedTask): void;
  terminate(failure?: unknown): void;
}

export interface WorkerEvents {
  onReady(worker: PoolWorker): void;
  /** With one of `reply` and the value that goes with it. */
  onReply(worker: PoolWorker, task: AcceptedTask, kind: number, value: unknown): void;
  onExit(worker: PoolWorker, exit: WorkerExit): void;
}

/** Why a worker has gone, as the end of a sentence, for the task that it was running. */
export interface WorkerExit {
  readonly reason: string;
  readonly cause: unknown;
}

/** What can go wrong with a task, whatever runs it. */
export type TaskTrouble =
  | 'TIMEOUT'
  | 'CRASHED'
  | 'TASK_FAILED'
  | 'MODULE_NOT_FOUND'
  | 'NOT_CLONEABLE'
  | 'CALLBACK_FAILED'
  | 'POOL_FULL'
  | 'POOL_CLOSED';

/** Threads or processes. */
export interface WorkerKind {
  readonly noun: 'thread' | 'process';
  nowMs(): number;
  start(events: WorkerEvents): PoolWorker;
  error(trouble: TaskTrouble, message: string, options?: ErrorOptions): SpawnerError;
}

/** Takes back, oldest first, up to `limit` tasks that have not begun. */
export function revokeUnbegun(worker: PoolWorker, limit = Infinity): AcceptedTask[] {
  const taken: AcceptedTask[] = [];
  for (const task of worker.held) {
    if (taken.length >= limit) break;
    if (worker.revoke(task)) taken.push(task);
  }
  return taken;
}

/** The task it works on, as far as is known: of those that began, the last; the ones before it have finished. */
export function currentTask(worker: PoolWorker): AcceptedTask | undefined {
  let current: AcceptedTask | undefined;
  for (const task of worker.held) {
    if (worker.begunAtMs(task) === undefined) break;
    current = task;
  }
  return current;
}
