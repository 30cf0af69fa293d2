/** Runs attempts on this machine: agent programs as processes that outlive us, functions in worker threads. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError, type AgentTask, adoptAgent, type RunAgentOptions, runAgent } from '@cadre/agents';
import { createThreadPool, findProgram, type ThreadPool } from '@cadre/spawner';
import type { Attempt, AttemptObserver, Executor } from './executor.ts';
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
  let detaches: Promise<boolean> | undefined;
  const agentTask = (attempt: Attempt): AgentTask => ({
    prompt: attempt.prompt,
    input: attempt.input,
    cwd: attempt.cwd,
    attemptDirectory: attempt.directory,
    ...(attempt.timeoutMs === Number.POSITIVE_INFINITY ? {} : { timeoutMs: attempt.timeoutMs }),
    ...(attempt.idleTimeoutMs === Number.POSITIVE_INFINITY ? {} : { idleTimeoutMs: attempt.idleTimeoutMs }),
    ...(attempt.limits === undefined ? {} : { limits: attempt.limits }),
    ...(attempt.outputSchema === undefined ? {} : { outputSchema: attempt.outputSchema }),
  });
  const runOptions = (attempt: Attempt, observer: AttemptObserver, signal: AbortSignal): RunAgentOptions => ({
    signal,
    marker: attempt.marker,
    ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
    onEvent: (event) => observer.onEvent(event),
    onStarted: (process) => (process === undefined ? undefined : observer.onSpawned(process)),
    ...(attempt.agent.adapter === 'module' ? { threads: pool() } : {}),
  });
  return {
    execute: async (attempt, observer, signal) => {
      detaches ??= canDetach();
      const detached = (await detaches) ? { detachedDirectory: detachedDirectory(attempt) } : {};
      const settings = { ...runOptions(attempt, observer, signal), ...detached };
      return blamed(attempt, runAgent(attempt.agent, agentTask(attempt), settings));
    },
    adopt: async (attempt, observer, signal) => {
      const settings = { ...runOptions(attempt, observer, signal), detachedDirectory: detachedDirectory(attempt) };
      return blamed(attempt, adoptAgent(attempt.agent, agentTask(attempt), settings));
    },
    forget: (attempt) => rm(detachedDirectory(attempt), { recursive: true, force: true }),
    close: async () => {
      await threads?.close();
    },
  };
}

/** Where an agent that is a program writes, so that it outlives us. */
function detachedDirectory({ directory }: Pick<Attempt, 'directory'>): string {
  return join(directory, 'process');
}

/** Programs that outlive us need those that start and await them, and `/proc` to be known again by. */
async function canDetach(): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const found = await Promise.all([findProgram('awk'), findProgram('setsid')]);
  return found.every((program) => program !== undefined);
}

/** The folder of the attempt is the run's: where it can't be written, no other task could go on either. */
async function blamed<Ended>({ directory }: Attempt, outcome: Promise<Ended>): Promise<Ended> {
  try {
    return await outcome;
  } catch (error) {
    const isStorage = error instanceof AgentError && error.code === 'AGENT_FILES_UNWRITABLE';
    throw isStorage ? storageFailed(directory, error) : error;
  }
}
