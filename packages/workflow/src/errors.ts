/** Every error class of the package. The README lists each code with when it comes and what to do. */
import { formatProblems, type Problem } from './problems.ts';

/** What is wrong with a workflow, a run or its folder; the README says when each comes and what to do. */
export type WorkflowErrorCode =
  | 'WORKFLOW_INVALID'
  | 'WORKFLOW_NOT_FOUND'
  | 'WORKFLOW_UNREADABLE'
  | 'WORKFLOW_TOO_LARGE'
  | 'WORKFLOW_EXPRESSION_FAILED'
  | 'WORKFLOW_RUN_ACTIVE'
  | 'WORKFLOW_JOURNAL_DAMAGED'
  | 'WORKFLOW_JOURNAL_FAILED'
  | 'WORKFLOW_STORAGE_FAILED'
  | 'WORKFLOW_RESULT_MISSING'
  | 'WORKFLOW_OUTPUT_MISSING'
  | 'WORKFLOW_RUN_NOT_FOUND'
  | 'WORKFLOW_RUN_ENDED';

/** What this package throws; `code` says which, the message what to do. */
export class WorkflowError extends Error {
  readonly code: WorkflowErrorCode;

  constructor(code: WorkflowErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'WorkflowError';
    this.code = code;
  }
}

/** WORKFLOW_INVALID: a workflow, or the inputs given to it, with everything that is wrong in `problems`. */
export class WorkflowInvalidError extends WorkflowError {
  /** In the order of the file; at least one. */
  readonly problems: readonly Problem[];

  constructor(subject: string, problems: readonly Problem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    const listed = problems.slice(0, 20);
    const rest = problems.length > listed.length ? `\n… and ${problems.length - listed.length} more` : '';
    super('WORKFLOW_INVALID', `${subject} has ${count}:\n${formatProblems(listed)}${rest}`);
    this.name = 'WorkflowInvalidError';
    this.problems = problems;
  }
}

/** Whether the run itself can't go on, as against one of its tasks. */
export function isFatal(error: unknown): boolean {
  return (
    error instanceof WorkflowError &&
    (error.code === 'WORKFLOW_JOURNAL_FAILED' || error.code === 'WORKFLOW_STORAGE_FAILED')
  );
}
