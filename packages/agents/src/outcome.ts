/**
 * How one attempt ended: succeeded, or failed for one reason out of a closed list, with what it cost either way.
 *
 * A terminal line from the agent decides; where there is none, how the process ended decides. Exit code 0 alone is never
 * success: several agent programs exit 0 after a signal or a refused permission.
 */
import type { FailureReason, JsonValue } from './event.ts';
import { type Cost, noCost, noUsage, type SessionTotal, type TokenUsage } from './usage.ts';

export interface OutcomeBase {
  /** The agent's final words. */
  readonly text: string;
  /** The structured result; null where there is none. */
  readonly output: JsonValue;
  /** What to give as `resumeSessionId` to go on with the conversation. */
  readonly sessionId?: string;
  /** What to give as `resumeSessionTotal` with it. */
  readonly sessionTotal?: SessionTotal;
  readonly model?: string;
  /** Of this attempt alone, also when it resumed a session. */
  readonly usage: TokenUsage;
  readonly cost: Cost;
  readonly durationMs: number;
  /** Null when a signal ended the process; missing when there was no process. */
  readonly exitCode?: number | null;
  readonly warnings: readonly string[];
  /** How many lines came of each kind that this version does not know; missing where there were none. */
  readonly unknownKinds?: Readonly<Record<string, number>>;
}

/** The agent said that it was done, and gave what was asked for. */
export type SucceededOutcome = OutcomeBase & { readonly status: 'succeeded' };

/** It did not, and why: each failure has one reason of a closed list, and says whether another try would help, and when. */
export type FailedOutcome = OutcomeBase & {
  readonly status: 'failed';
  readonly reason: FailureReason;
  readonly message: string;
  /** Whether the same task may well succeed when it is tried again. */
  readonly retryable: boolean;
  /** The earliest time (milliseconds since 1970) at which that makes sense, where the provider said so. */
  readonly retryAtMs?: number;
};

/** What became of one attempt, with what it took. The README shows program by program which case gives which. */
export type Outcome = SucceededOutcome | FailedOutcome;

/** A failure before it is joined with what the attempt took. */
export interface Failure {
  readonly reason: FailureReason;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAtMs?: number;
}

/** How the process of an attempt ended, as far as an adapter may know it. A spawner's `ProcessResult` is one. */
export interface AttemptExit {
  readonly exitCode: number | null;
  readonly signalName: string | null;
  readonly endedBy: 'exit' | 'signal' | 'timeout' | 'idle' | 'memory' | 'output' | 'aborted' | 'ended';
  readonly durationMs: number;
  /** The tail of what the program wrote there. */
  readonly stderr: string;
}

const retryableReasons: ReadonlySet<FailureReason> = new Set([
  'rateLimit',
  'overloaded',
  'crash',
  'timeout',
  'idle',
  'noResult',
  'badOutput',
]);

export function failure(
  reason: FailureReason,
  message: string,
  options: { readonly retryable?: boolean; readonly retryAtMs?: number | undefined } = {},
): Failure {
  const retryAt = options.retryAtMs === undefined ? {} : { retryAtMs: options.retryAtMs };
  return { reason, message, retryable: options.retryable ?? retryableReasons.has(reason), ...retryAt };
}

/** Joins a verdict with what the attempt took; `undefined` is success. */
export function outcomeOf(base: OutcomeBase, verdict: Failure | undefined): Outcome {
  return verdict === undefined ? { ...base, status: 'succeeded' } : { ...base, status: 'failed', ...verdict };
}

/** The outcome of an attempt that never began. */
export function outcomeWithoutStart(verdict: Failure): Outcome {
  return outcomeOf({ text: '', output: null, usage: noUsage, cost: noCost, durationMs: 0, warnings: [] }, verdict);
}

/** What it means that we ended the process; undefined when it ended by itself. */
export function failureByUs(exit: AttemptExit): Failure | undefined {
  const seconds = (exit.durationMs / 1000).toFixed(1);
  switch (exit.endedBy) {
    case 'timeout':
      return failure(
        'timeout',
        `The agent was ended after ${seconds} s, its time limit; raise the timeout or split the task.`,
      );
    case 'idle':
      return failure(
        'idle',
        `The agent was ended after ${seconds} s because it had printed nothing for its idle time limit; raise it if silence is normal.`,
      );
    case 'memory':
      return failure(
        'memory',
        `The agent was ended after ${seconds} s because it took more memory than its limit; raise the limit or split the task.`,
      );
    case 'output':
      return failure(
        'badOutput',
        `The agent was ended after ${seconds} s because it printed more than its limit; print less, or raise the limit.`,
        { retryable: false },
      );
    case 'aborted':
    case 'ended':
      return failure('cancelled', `The agent was cancelled after ${seconds} s.`);
    default:
      return undefined;
  }
}

/** The verdict when a process ended without the terminal line that its protocol demands. */
export function failureWithoutResult(exit: AttemptExit, terminalLine: string): Failure {
  const byUs = failureByUs(exit);
  if (byUs !== undefined) return byUs;
  const said = lastWords(exit.stderr);
  if (exit.exitCode === 0) {
    return failure('noResult', `The agent exited with code 0 but printed no ${terminalLine}${said}.`);
  }
  const how =
    exit.exitCode === null ? `was ended by ${exit.signalName ?? 'a signal'}` : `exited with code ${exit.exitCode}`;
  return failure('crash', `The agent ${how} without a ${terminalLine}${said}.`);
}

/** What an HTTP status of a model API means; the surest sign there is, where a program gives it. */
export function reasonOfStatus(status: number): FailureReason {
  if (status === 401 || status === 403) return 'authentication';
  if (status === 402) return 'budget';
  if (status === 429) return 'rateLimit';
  if (status === 408 || status >= 500) return 'overloaded';
  return status >= 400 ? 'invalidRequest' : 'failed';
}

/** The end of what stood on stderr, as a clause for a message; empty when nothing did. */
export function lastWords(stderr: string): string {
  const plain = stderr.replace(/\u001b\[[\d;]*m/g, '').replace(/^ +at .*\n?/gm, '');
  const words = plain.trim().replace(/\.$/, '').slice(-2000);
  return words === '' ? '' : `; its last words on stderr: ${words}`;
}
