/** Runs attempts on this machine: agent programs as processes, functions in worker threads. */
import { AgentError, runAgent } from '@cadre/agents';
import { createThreadPool, type ThreadPool } from '@cadre/spawner';
import type { Executor } from './executor.ts';
import { storageFailed } from './run-directory.ts';

export interface LocalExecutorOptions {
  /** Worker threads for agents of the `module` adapter. @default as many as the machine has cores */
  readonly threads?: number;
  /** Milliseconds between asking an agent to end and making it. @default 2000 */
  readonly graceMs?: number;
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
          ...(attempt.limits === undefined ? {} : { limits: attempt.limits }),
          ...(attempt.outputSchema === undefined ? {} : { outputSchema: attempt.outputSchema }),
        },
        {
          signal,
          marker: attempt.marker,
          ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
          onEvent: (event) => observer.onEvent(event),
          onStarted: (process) => (process === undefined ? undefined : observer.onSpawned(process)),
          ...(attempt.agent.adapter === 'module' ? { threads: pool() } : {}),
        },
      ).catch((error: unknown) => {
        // The folder of the attempt is the run's: where it can't be written, no other task could go on either.
        const isStorage = error instanceof AgentError && error.code === 'AGENT_FILES_UNWRITABLE';
        throw isStorage ? storageFailed(attempt.directory, error) : error;
      }),
    close: async () => {
      await threads?.close();
    },
  };
}
