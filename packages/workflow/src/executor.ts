/**
 * The contract between the engine, which knows what should run, and what runs it: processes and threads of this machine
 * (`local-executor.ts`), or other machines. An executor keeps no state of the run: it is told everything, reports what
 * happened, and may be replaced between two attempts.
 */
import type { AgentDefinition, AgentEvent, AgentLimits, Outcome } from '@cadre/agents';
import type { ProcessIdentity } from '@cadre/spawner';
import type { JsonValue } from './workflow.ts';

export interface Executor {
  /**
   * Carries out one attempt and resolves with how it ended, whatever the agent did. When `signal` aborts, everything
   * the attempt started has been ended by the time it resolves.
   */
  execute(attempt: Attempt, observer: AttemptObserver, signal: AbortSignal): Promise<Outcome>;
  /**
   * Takes up an attempt that an earlier process of the run was told to execute, and carries it to its end as `execute` would have;
   * `onSpawned` says that it was there to be taken up. Undefined when it never came to run, and never will. Without this method every
   * attempt dies with its process.
   */
  adopt?(attempt: Attempt, observer: AttemptObserver, signal: AbortSignal): Promise<Outcome | undefined>;
  /** The outcome of the attempt is noted: what was kept for an adoption is not needed any more. */
  forget?(attempt: Pick<Attempt, 'directory'>): Promise<void>;
  close(): Promise<void>;
}

export interface Attempt {
  readonly runId: string;
  readonly task: string;
  /** From 1, over the whole life of the run. */
  readonly number: number;
  readonly agent: AgentDefinition;
  readonly prompt: string;
  readonly input: JsonValue;
  /** Absolute folder in which the agent works. */
  readonly cwd: string;
  /** Absolute folder for its prompt, raw output and exit code. */
  readonly directory: string;
  /** Carried in the environment of every process of the attempt, and of no other. */
  readonly marker: { readonly name: string; readonly value: string };
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Only where the agent is a program. */
  readonly limits?: AgentLimits;
  readonly outputSchema?: Readonly<Record<string, JsonValue>>;
}

export interface AttemptObserver {
  /** The attempt has become a process; nothing more is done until the promise resolves. */
  onSpawned(process: ProcessIdentity): Promise<void>;
  onEvent(event: AgentEvent): void;
}
