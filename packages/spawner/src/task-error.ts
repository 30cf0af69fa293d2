/** What a task's caller is told when it did not succeed. */
import type { SpawnerError } from './errors.ts';
import type { AcceptedTask, WorkerExit, WorkerKind } from './pool-worker.ts';
import { reply, type ThrownValue } from './task-protocol.ts';

/** From a reply that is neither a result nor an emitted value. */
export function replyError(kind: WorkerKind, task: AcceptedTask, replied: number, value: unknown): SpawnerError {
  if (replied === reply.moduleNotFound) return kind.error('MODULE_NOT_FOUND', String(value));
  if (replied === reply.notCloneable) {
    const message = `What ${nameOf(task)} returned can't be sent back: ${String(value)}. Return plain data.`;
    return kind.error('NOT_CLONEABLE', message);
  }
  const cause = thrownError(value);
  return kind.error('TASK_FAILED', `${nameOf(task)} threw ${describeThrown(cause)}`, { cause });
}

/** For a task whose worker has gone. */
export function lossError(kind: WorkerKind, task: AcceptedTask, { reason, cause }: WorkerExit): SpawnerError {
  return kind.error('CRASHED', `${nameOf(task)} did not finish: ${reason}.`, { cause });
}

export function nameOf(task: AcceptedTask): string {
  return `${task.exportName} of ${task.module}`;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The value that was thrown, an error with the name, message, stack and code it had in its worker. */
export function thrownError(value: unknown): unknown {
  const thrown = value as ThrownValue;
  if (thrown.type === 'value') return thrown.value;
  const error = new Error(thrown.message);
  for (const [key, value] of Object.entries({ name: thrown.name, stack: thrown.stack, code: thrown.code })) {
    if (value !== undefined)
      Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: key === 'code' });
  }
  return error;
}

function describeThrown(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
