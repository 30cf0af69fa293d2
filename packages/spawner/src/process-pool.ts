/**
 * Functions of modules run in processes that stay: for code that crashes, leaks, or holds what a thread would share with
 * everybody. What a thread pool promises, this one does; and a worker ends with its descendants, or with its pool.
 */
import { resolve as resolvePath } from 'node:path';
import { checkEnvironment, defaultInheritedEnvironment, type ProcessMarker } from './environment.ts';
import { ProcessError } from './errors.ts';
import { explainStartFailure } from './find-program.ts';
import { PoolProcess, type PoolProcessOptions } from './pool-process.ts';
import type { PoolWorker, WorkerEvents, WorkerExit } from './pool-worker.ts';
import { checkMarker } from './sweep.ts';
import { resolvePoolOptions, TaskPool, type WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

export interface ProcessPoolOptions extends WorkerPoolOptions {
  /** @default process.cwd() */
  readonly cwd?: string;
  /** Set exactly so, over what is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** Names taken from this process's environment; a trailing `*` stands for any ending. @default defaultInheritedEnvironment */
  readonly inheritEnv?: readonly string[];
  /** Arguments for Node itself, such as `--max-old-space-size=256`. @default [] */
  readonly nodeArgs?: readonly string[];
  /** Set in the processes, so that `sweep` finds what they had started after a crash. */
  readonly marker?: ProcessMarker;
}

/** Starts no process yet: a task waits for it, or `ready()` does. An idle pool does not keep this process alive. */
export function createProcessPool(options: ProcessPoolOptions = {}): WorkerPool {
  const settings = resolvePoolOptions(options);
  const processOptions = { ...resolveProcessOptions(options), ...settings };
  return new TaskPool(
    {
      noun: 'process',
      nowMs: () => performance.now(),
      start: (events) => startProcess(processOptions, events),
      error: (trouble, message, cause) => new ProcessError(`PROCESS_${trouble}`, message, cause),
    },
    settings,
  );
}

function startProcess(options: PoolProcessOptions, events: WorkerEvents): PoolWorker {
  try {
    return new PoolProcess(options, events);
  } catch (cause) {
    const { message } = explainStartFailure(process.execPath, options.cwd, process.env.PATH ?? '', cause);
    return neverStarted({ reason: `it could not be started: ${message}`, cause }, events);
  }
}

/** A worker that is gone as soon as anybody looks. */
function neverStarted(exit: WorkerExit, events: WorkerEvents): PoolWorker {
  const worker: PoolWorker = {
    ...{ state: 'gone', cameUp: false, window: 1, capacity: 1, finished: 0, held: new Set() },
    exited: Promise.resolve().then(() => events.onExit(worker, exit)),
    send: () => [],
    release: () => undefined,
    revoke: () => false,
    begunAtMs: () => undefined,
    abort: () => undefined,
    terminate: () => undefined,
  };
  return worker;
}

function resolveProcessOptions(options: ProcessPoolOptions) {
  const { cwd, env = {}, inheritEnv = defaultInheritedEnvironment, nodeArgs = [], marker } = options;
  checkEnvironment('env', env);
  if (marker !== undefined) checkMarker(marker);
  for (const [index, argument] of nodeArgs.entries()) {
    if (typeof argument !== 'string' || argument.includes('\0')) {
      throw new TypeError(`nodeArgs[${index}] must be a string without NUL, got ${JSON.stringify(argument)}`);
    }
  }
  return {
    cwd: resolvePath(cwd ?? process.cwd()),
    env: { ...env },
    inheritEnv: [...inheritEnv],
    nodeArgs: [...nodeArgs],
    marker,
  };
}
