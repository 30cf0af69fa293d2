/** Functions of modules run on threads. */
import type { ResourceLimits } from 'node:worker_threads';
import { ThreadError } from './errors.ts';
import { PoolThread } from './pool-thread.ts';
import { sharedClock } from './thread-protocol.ts';
import { resolvePoolOptions, TaskPool, type WorkerPool, type WorkerPoolOptions } from './worker-pool.ts';

export interface ThreadPoolOptions extends WorkerPoolOptions {
  /**
   * Memory of each thread, as `node:worker_threads` takes it; a thread over it is replaced. `maxOldGenerationSizeMb` is at
   * least 4, and a thread needs about 8 to start.
   */
  readonly resourceLimits?: ResourceLimits;
}

/** What `createThreadPool` gives. */
export type ThreadPool = WorkerPool;

/** Starts no thread yet. An idle pool does not keep the process alive. */
export function createThreadPool(options: ThreadPoolOptions = {}): ThreadPool {
  const settings = resolvePoolOptions(options);
  const resourceLimits = resolveResourceLimits(options.resourceLimits);
  return new TaskPool(
    {
      noun: 'thread',
      nowMs: sharedClock(),
      start: (events) => new PoolThread({ ...settings, resourceLimits }, events),
      error: (trouble, message, cause) => new ThreadError(`THREAD_${trouble}`, message, cause),
    },
    settings,
  );
}

function resolveResourceLimits(resourceLimits: ResourceLimits | undefined): ResourceLimits | undefined {
  const { maxOldGenerationSizeMb = Number.POSITIVE_INFINITY } = resourceLimits ?? {};
  // With less, V8 ends the whole process on Node 22 and 24 before the thread exists (seen with 1 and 2).
  if (!(maxOldGenerationSizeMb >= 4)) {
    throw new RangeError(`resourceLimits.maxOldGenerationSizeMb must be at least 4, got ${maxOldGenerationSizeMb}`);
  }
  return resourceLimits;
}
