/** Runs attempts on this machine: agent programs as processes, functions in worker threads. */
import { runAgent } from '@cadre/agents';
import { createThreadPool, type ThreadPool } from '@cadre/spawner';
import type { Executor } from './executor.ts';

export interface LocalExecutorOptions {
  /** Worker threads for agents of the `module` adapter. @default as many as the machine has cores */
  readonly threads?: number;
}

export function localExecutor(options: LocalExecutorOptions = {}): Executor {
  let threads: ThreadPool | undefined;
  const pool = (): ThreadPool => {
    threads ??= createThreadPool(options.threads === undefined ? {} : { size: options.threads });
    return threads;
  };
  return {
    execute: (attempt, observer, signal) =>
      runAgent(
        attempt.agent,
        {
          prompt: attempt.prompt,
          input: attempt.input,
          cwd: attempt.cwd,
          attemptDirectory: attempt.directory,
          ...(attempt.timeoutMs === Number.POSITIVE_INFINITY ? {} : { timeoutMs: attempt.timeoutMs }),
          ...(attempt.idleTimeoutMs === Number.POSITIVE_INFINITY ? {} : { idleTimeoutMs: attempt.idleTimeoutMs }),
          ...(attempt.outputSchema === undefined ? {} : { outputSchema: attempt.outputSchema }),
        },
        {
          signal,
          marker: attempt.marker,
          onEvent: (event) => observer.onEvent(event),
          onStarted: (process) => (process === undefined ? undefined : observer.onSpawned(process)),
          ...(attempt.agent.adapter === 'module' ? { threads: pool() } : {}),
        },
      ),
    close: async () => {
      await threads?.close();
    },
  };
}
