/**
 * Run events: the facts of which a run's journal is made. Each is one JSON line, appended durably before anyone acts on
 * it; the state of a run is the fold of its events (`state.ts`) and nothing else. Readers ignore unknown types and keys.
 */
import type { Cost, FailureReason, TokenUsage } from '@cadre/agents';
import type { ProcessIdentity } from '@cadre/spawner';
import type { JsonValue } from './workflow.ts';

/** One fact about a run, as a line of its journal. The state of the run is a fold of them. */
export type RunEvent =
  | RunStarted
  | RunResumed
  | TaskSkipped
  | TaskReused
  | AttemptStarted
  | AttemptSpawned
  | AttemptAdopted
  | AttemptSettled
  | RunStopping
  | RunEnded;

interface Fact<Type extends string> {
  readonly type: Type;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface RunStarted extends Fact<'runStarted'> {
  readonly runId: string;
  readonly workflow: {
    readonly name: string;
    /** Absolute path, or null for a workflow made in code. */
    readonly file: string | null;
    readonly directory: string;
    /** SHA-256 of its source. */
    readonly digest: string;
  };
  readonly inputs: Readonly<Record<string, JsonValue>>;
  readonly tasks: number;
  /** Random word that every process of this run carries in its environment, so that leftovers can be told apart. */
  readonly marker: string;
  readonly process: ProcessIdentity;
}

/** Another process took the run up: attempts under way were lost unless they are adopted, failed tasks get their tries anew. */
export interface RunResumed extends Fact<'runResumed'> {
  readonly process: ProcessIdentity;
}

export interface TaskSkipped extends Fact<'taskSkipped'> {
  readonly task: string;
  /** `condition`: its `when` was false. `needFailed`: a task it needs failed or was itself skipped for that reason. */
  readonly reason: 'condition' | 'needFailed';
}

/** An earlier result was found under the task's key: nothing was run. */
export interface TaskReused extends Fact<'taskReused'> {
  readonly task: string;
  readonly key: string;
  readonly result: StoredResult;
  /** What producing the result took when it was produced. */
  readonly saved: { readonly durationMs: number; readonly usd: number };
}

export interface AttemptStarted extends Fact<'attemptStarted'> {
  readonly task: string;
  /** From 1. */
  readonly attempt: number;
  /** Digest of all that it is asked: a later process that would ask the same takes it up instead. */
  readonly asked?: string;
}

/** The attempt has become a process of its own. */
export interface AttemptSpawned extends Fact<'attemptSpawned'> {
  readonly task: string;
  readonly attempt: number;
  readonly process: ProcessIdentity;
}

/** An attempt that an earlier process of the run began has been taken up: it ran on, or had ended meanwhile. */
export interface AttemptAdopted extends Fact<'attemptAdopted'> {
  readonly task: string;
  readonly attempt: number;
  readonly process: ProcessIdentity;
}

export interface AttemptSettled extends Fact<'attemptSettled'> {
  readonly task: string;
  readonly attempt: number;
  readonly durationMs: number;
  readonly usage: TokenUsage;
  readonly cost: Cost;
  readonly sessionId?: string;
  /** Present when it succeeded. */
  readonly result?: StoredResult;
  /** Present when it failed. */
  readonly failure?: Failure;
}

export interface Failure {
  readonly reason: FailureReason;
  readonly message: string;
  /** When the next attempt may start, in milliseconds since 1970; absent: there is none. */
  readonly retryAt?: number;
}

/** Nothing new is started from here on. */
export interface RunStopping extends Fact<'runStopping'> {
  /** `failure`: a task failed and the workflow says to stop. `interrupted`: ctrl-C. `cancelled`: `cadre cancel`. */
  readonly reason: 'failure' | 'interrupted' | 'cancelled';
}

/** The last fact of a run that was not killed, until it is resumed. */
export interface RunEnded extends Fact<'runEnded'> {
  readonly status: EndStatus;
}

/** `interrupted`: stopped, to be gone on with; `cancelled`: given up. All but `succeeded` can be resumed. */
export type EndStatus = 'succeeded' | 'failed' | 'interrupted' | 'cancelled';

/** Where the output of a task is. Small ones stand in the journal, larger ones in a file of the run named by digest. */
export interface StoredResult {
  /** SHA-256 of the output's canonical JSON. */
  readonly digest: string;
  readonly bytes: number;
  /** The output itself; absent when it is in `results/<digest>.json`. */
  readonly output?: JsonValue;
}
