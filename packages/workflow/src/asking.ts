/** One task about to be answered: what an executor is asked, and whether a failure is worth another try. */
import type { FailureReason } from '@cadre/agents';
import { retryDelayMs } from '@cadre/spawner';
import type { Failure } from './event.ts';
import type { Attempt } from './executor.ts';
import { attemptMarker } from './leftovers.ts';
import type { PlannedTask } from './plan.ts';
import type { Question } from './question.ts';
import { attemptDirectory } from './run-directory.ts';
import type { JsonValue, RetryPolicy } from './workflow.ts';

export interface Asking {
  readonly task: PlannedTask;
  readonly question: Question;
  /** Of its result, where that may be reused. */
  readonly key: string | undefined;
  /** The digest of all that is asked, where a later process might take the attempt up. */
  readonly asked: string | undefined;
}

interface AskedBy {
  readonly id: string;
  readonly directory: string;
  readonly marker: string;
}

/** @param needs  the outputs of the tasks that this one needs, by their ids */
export function attemptOf(run: AskedBy, { task, question }: Asking, number: number, needs: JsonValue): Attempt {
  const { timeoutMs, idleTimeoutMs, limits, output } = question.task;
  return {
    runId: run.id,
    task: task.id,
    number,
    agent: question.agent,
    prompt: question.prompt,
    input: { with: question.with, needs },
    cwd: question.cwd,
    directory: attemptDirectory(run.directory, task.id, number),
    marker: attemptMarker(run.marker, task.id, number),
    timeoutMs,
    idleTimeoutMs,
    ...(limits === undefined ? {} : { limits }),
    ...(output === undefined ? {} : { outputSchema: output }),
  };
}

export interface Failed {
  readonly reason: FailureReason;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAtMs?: number;
}

export interface FailedMoment {
  /** The failed one included. */
  readonly tries: number;
  readonly isStopping: boolean;
  readonly now: number;
  readonly random: () => number;
}

export function failureOf(
  failed: Failed,
  retry: RetryPolicy,
  { tries, isStopping, now, random }: FailedMoment,
): Failure {
  const { reason, message, retryable, retryAtMs = 0 } = failed;
  const { attempts, on, baseMs, maxMs } = retry;
  const worthIt = on === undefined ? retryable : on.includes(reason);
  if (!worthIt || tries >= attempts || isStopping) return { reason, message };
  return { reason, message, retryAt: Math.max(now + retryDelayMs(tries, { baseMs, maxMs }, random), retryAtMs) };
}
