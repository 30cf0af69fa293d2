/** Any error as what a person is told of it and the exit code that says so. */
import { CacheError } from '@cadre/cache';
import { ConfigError } from '@cadre/config';
import { JsonlError } from '@cadre/jsonl';
import { WorkflowError, type WorkflowErrorCode } from '@cadre/workflow';
import { CommanderError } from 'commander';
import { CadreError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

export interface ToldFailure {
  readonly exitCode: number;
  readonly code: string;
  /** Empty when it has been told already. */
  readonly message: string;
}

export function failureOf(error: unknown): ToldFailure {
  if (error instanceof CadreError) return { exitCode: error.exitCode, code: error.code, message: error.message };
  if (error instanceof WorkflowError) {
    return { exitCode: workflowExitCodes[error.code], code: error.code, message: error.message };
  }
  if (error instanceof ConfigError) {
    return { exitCode: exitCodes.invalidInput, code: error.code, message: error.message };
  }
  if (error instanceof CacheError) {
    return { exitCode: exitCodes.cannotGoOn, code: error.code, message: `${error.message}.` };
  }
  if (error instanceof JsonlError) return { exitCode: exitCodes.cannotGoOn, code: error.code, message: error.message };
  // Commander has printed its own message by now, and help and version are no failures.
  if (error instanceof CommanderError) {
    const exitCode = error.exitCode === 0 ? exitCodes.succeeded : exitCodes.invalidInput;
    return { exitCode, code: 'CADRE_USAGE', message: '' };
  }
  const message = error instanceof Error ? error.message : String(error);
  if (isSystemError(error)) return { exitCode: exitCodes.cannotGoOn, code: error.code, message: `${message}.` };
  const advice = 'Set CADRE_DEBUG=1 and try again for the details.';
  return {
    exitCode: exitCodes.internalError,
    code: 'INTERNAL',
    message: `Something unforeseen: ${message}. ${advice}`,
  };
}

/** The error with its stack and everything that caused it, for CADRE_DEBUG. */
export function debugText(error: unknown): string {
  const parts: string[] = [];
  for (
    let part = error;
    part !== undefined && parts.length < 10;
    part = part instanceof Error ? part.cause : undefined
  ) {
    parts.push(part instanceof Error ? (part.stack ?? part.message) : String(part));
  }
  return parts.join('\ncaused by: ');
}

const workflowExitCodes: Readonly<Record<WorkflowErrorCode, number>> = {
  WORKFLOW_INVALID: exitCodes.invalidInput,
  WORKFLOW_NOT_FOUND: exitCodes.invalidInput,
  WORKFLOW_UNREADABLE: exitCodes.invalidInput,
  WORKFLOW_TOO_LARGE: exitCodes.invalidInput,
  WORKFLOW_EXPRESSION_FAILED: exitCodes.invalidInput,
  WORKFLOW_RUN_ACTIVE: exitCodes.noSuchRun,
  WORKFLOW_RUN_NOT_FOUND: exitCodes.noSuchRun,
  WORKFLOW_RUN_ENDED: exitCodes.noSuchRun,
  WORKFLOW_JOURNAL_DAMAGED: exitCodes.cannotGoOn,
  WORKFLOW_JOURNAL_FAILED: exitCodes.cannotGoOn,
  WORKFLOW_STORAGE_FAILED: exitCodes.cannotGoOn,
  WORKFLOW_RESULT_MISSING: exitCodes.cannotGoOn,
  WORKFLOW_OUTPUT_MISSING: exitCodes.cannotGoOn,
};

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error;
}
