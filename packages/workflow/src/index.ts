/**
 * `@cadre/workflow`: a graph of agent tasks, from a file or from code, run so that a crash loses nothing.
 *
 * `loadWorkflow` → `startRun` → `run.finished`; `resumeRun` after a crash; `readRun` to look. `apply` and `decide` are
 * the pure core, for views and for those who drive a run themselves.
 */
export { type Clock, systemClock } from './clock.ts';
export { type Command, decide, type Moment } from './decide.ts';
export {
  type DefineWorkflowOptions,
  defineWorkflow,
  type RetryInput,
  type TaskInput,
  type WorkflowAgentInput,
  type WorkflowDefinition,
} from './define.ts';
export type { EngineOptions, Run } from './engine.ts';
export { WorkflowError, type WorkflowErrorCode, WorkflowInvalidError } from './errors.ts';
export type {
  AttemptSettled,
  AttemptSpawned,
  AttemptStarted,
  EndStatus,
  Failure,
  RunEnded,
  RunEvent,
  RunResumed,
  RunStarted,
  RunStopping,
  StoredResult,
  TaskReused,
  TaskSkipped,
} from './event.ts';
export type { Attempt, AttemptObserver, Executor } from './executor.ts';
export { compileExpression, compileTemplate, type Expression, type Template } from './expression.ts';
export { resolveInputs } from './inputs.ts';
export { fold, Journal, readJournal } from './journal.ts';
export { loadWorkflow, type ParseWorkflowOptions, parseWorkflow } from './load.ts';
export { type LocalExecutorOptions, localExecutor } from './local-executor.ts';
export { type Plan, type Plannable, type PlannedTask, planWorkflow } from './plan.ts';
export { formatProblems, type Problem } from './problems.ts';
export {
  abandonRun,
  type ResumeOptions,
  type RunRecord,
  readRun,
  resumeRun,
  type StartOptions,
  startRun,
} from './run.ts';
export { attemptDirectory, listRuns, loadResult } from './run-directory.ts';
export { workflowSchema } from './schema.ts';
export {
  apply,
  initialState,
  type RunState,
  runningCount,
  settledCount,
  type TaskPhase,
  type TaskState,
  type Totals,
  taskState,
} from './state.ts';
export type {
  InputDefinition,
  JsonValue,
  RetryPolicy,
  Scope,
  TaskDefinition,
  Workflow,
  WorkflowAgent,
} from './workflow.ts';
