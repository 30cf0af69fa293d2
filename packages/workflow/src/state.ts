/**
 * The state of a run is the fold of its events: `apply(state, event)` gives the next state and changes nothing. Whoever
 * holds a state may keep it; the engine, the terminal and a reader of an old journal all use this one function.
 *
 * Cost of one event: O(log tasks), and for one that settles a task also its dependents.
 */
import type { TokenUsage } from '@cadre/agents';
import type { AttemptSettled, EndStatus, Failure, RunEvent, RunStarted, StoredResult } from './event.ts';
import { PersistentVector } from './persistent-vector.ts';
import type { Plan, PlannedTask } from './plan.ts';
import { type ReadyQueue, withoutFirst, withTask } from './ready-queue.ts';

/**
 * `blocked`: needs are not settled · `doomed`: a need failed, to be skipped · `ready` · `waiting`: for its next try ·
 * `running` · and six ways to be settled.
 */
export type TaskPhase = 'blocked' | 'doomed' | 'ready' | 'waiting' | 'running' | SettledPhase;
export type SettledPhase = 'succeeded' | 'reused' | 'failed' | 'cancelled' | 'skipped' | 'needFailed';

export interface TaskState {
  readonly phase: TaskPhase;
  /** Needs not yet settled. */
  readonly blockers: number;
  /** Number of the latest attempt, over the whole life of the run; 0 before the first. */
  readonly attempt: number;
  /** Attempts that count against `retry.attempts`: those since the run was last taken up. */
  readonly tries: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly retryAt?: number;
  readonly usd: number;
  readonly result?: StoredResult;
  readonly failure?: Failure;
}

export interface RunState {
  readonly plan: Plan;
  readonly status: 'pending' | 'running' | 'stopping' | EndStatus;
  readonly started: RunStarted | undefined;
  readonly stopReason: 'failure' | 'interrupted' | 'cancelled' | undefined;
  readonly endedAt: number | undefined;
  readonly tasks: PersistentVector<TaskState>;
  /** Tasks that may start, by lane. Behind its first, a queue may hold tasks that have left its phase since. */
  readonly ready: readonly (ReadyQueue | undefined)[];
  /** Tasks that wait for their next try, the earliest first; the same holds. */
  readonly waiting: ReadyQueue | undefined;
  /** Tasks to be skipped; the same holds. */
  readonly doomed: ReadyQueue | undefined;
  /** Attempts under way, by lane. */
  readonly running: readonly number[];
  readonly counts: Readonly<Record<SettledPhase, number>>;
  readonly totals: Totals;
}

export interface Totals {
  readonly attempts: number;
  readonly usd: number;
  /** What reused results cost when they were made. */
  readonly savedUsd: number;
  readonly savedMs: number;
  readonly usage: TokenUsage;
}

/** Of a run that has no events yet: tasks without needs are ready, all others blocked. */
export function initialState(plan: Plan): RunState {
  const tasks = plan.tasks.map(
    (task): TaskState => ({
      phase: task.needs.length === 0 ? 'ready' : 'blocked',
      blockers: task.needs.length,
      attempt: 0,
      tries: 0,
      usd: 0,
    }),
  );
  return {
    plan,
    status: 'pending',
    started: undefined,
    stopReason: undefined,
    endedAt: undefined,
    tasks: PersistentVector.from(tasks),
    ready: readyQueues(plan, tasks),
    waiting: undefined,
    doomed: undefined,
    running: plan.laneLimits.map(() => 0),
    counts: { succeeded: 0, reused: 0, failed: 0, cancelled: 0, skipped: 0, needFailed: 0 },
    totals: { attempts: 0, usd: 0, savedUsd: 0, savedMs: 0, usage: noUsage },
  };
}

/** The state after one more event. Events of unknown types and of tasks that the plan doesn't hold change nothing. */
export function apply(state: RunState, event: RunEvent): RunState {
  switch (event.type) {
    case 'runStarted':
      return { ...state, status: 'running', started: event };
    case 'runResumed':
      return resumed(state);
    case 'runStopping':
      return { ...state, status: 'stopping', stopReason: state.stopReason ?? event.reason };
    case 'runEnded':
      return { ...state, status: event.status, endedAt: event.at };
    case 'taskSkipped':
      return withSettled(state, event.task, event.reason === 'condition' ? 'skipped' : 'needFailed', {
        endedAt: event.at,
      });
    case 'taskReused':
      return withSaved(
        withSettled(state, event.task, 'reused', { endedAt: event.at, result: event.result }),
        event.saved,
      );
    case 'attemptStarted':
      return withAttempt(state, event.task, event.attempt, event.at);
    case 'attemptAdopted':
      // It was counted when it was started.
      return { ...withAttempt(state, event.task, event.attempt, event.at), totals: state.totals };
    case 'attemptSettled':
      return withOutcome(state, event);
    default:
      return state;
  }
}

/** Attempts under way. */
export function runningCount({ running }: RunState): number {
  return running.reduce((total, count) => total + count, 0);
}

/** Tasks settled so far, in whatever way. */
export function settledCount({ counts }: RunState): number {
  return counts.succeeded + counts.reused + counts.failed + counts.cancelled + counts.skipped + counts.needFailed;
}

/** The task's state, found by its id. */
export function taskState(state: RunState, id: string): TaskState | undefined {
  const number = state.plan.numberOf.get(id);
  return number === undefined ? undefined : state.tasks.get(number);
}

function withAttempt(state: RunState, id: string, attempt: number, at: number): RunState {
  const task = planned(state, id);
  if (task === undefined) return state;
  const before = state.tasks.get(task.number);
  const tasks = state.tasks.with(task.number, {
    phase: 'running',
    blockers: before.blockers,
    attempt,
    tries: before.tries + 1,
    startedAt: before.startedAt ?? at,
    usd: before.usd,
  });
  return {
    ...withPrunedQueue(state, tasks, task, before.phase),
    tasks,
    running: counted(state.running, task.lane, 1),
    totals: { ...state.totals, attempts: state.totals.attempts + 1 },
  };
}

function withOutcome(state: RunState, event: AttemptSettled): RunState {
  const task = planned(state, event.task);
  if (task === undefined) return state;
  const before = state.tasks.get(task.number);
  const usd = before.usd + event.cost.usd;
  const next: RunState = {
    ...state,
    running: before.phase === 'running' ? counted(state.running, task.lane, -1) : state.running,
    totals: {
      ...state.totals,
      usd: state.totals.usd + event.cost.usd,
      usage: addUsage(state.totals.usage, event.usage),
    },
  };
  const { failure, result } = event;
  if (failure === undefined) {
    return withSettled(next, event.task, 'succeeded', {
      usd,
      endedAt: event.at,
      ...(result === undefined ? {} : { result }),
    });
  }
  if (failure.retryAt !== undefined) {
    const tasks = next.tasks.with(task.number, { ...before, phase: 'waiting', usd, failure, retryAt: failure.retryAt });
    return { ...next, tasks, waiting: withTask(next.waiting, task.number, -failure.retryAt) };
  }
  const phase = state.status === 'stopping' && failure.reason === 'cancelled' ? 'cancelled' : 'failed';
  return withSettled(next, event.task, phase, { usd, endedAt: event.at, failure });
}

function withSettled(state: RunState, id: string, phase: SettledPhase, change: Partial<TaskState>): RunState {
  const task = planned(state, id);
  if (task === undefined) return state;
  const before = state.tasks.get(task.number);
  let tasks = state.tasks.with(task.number, { ...before, ...change, phase });
  let { ready, doomed } = withPrunedQueue(state, tasks, task, before.phase);
  const spoiled = phase === 'failed' || phase === 'cancelled' || phase === 'needFailed';
  for (const number of task.dependents) {
    const dependent = tasks.get(number);
    const blockers = dependent.blockers - 1;
    if (spoiled && dependent.phase === 'blocked') {
      tasks = tasks.with(number, { ...dependent, blockers, phase: 'doomed' });
      doomed = withTask(doomed, number, 0);
    } else if (blockers === 0 && dependent.phase === 'blocked') {
      tasks = tasks.with(number, { ...dependent, blockers, phase: 'ready' });
      ready = withReady(state.plan, ready, number);
    } else {
      tasks = tasks.with(number, { ...dependent, blockers });
    }
  }
  const counts = { ...state.counts, [phase]: state.counts[phase] + 1 };
  return { ...state, tasks, ready, doomed, counts };
}

/** The queues after `task` has left the phase `from`: none begins with a task that is not in its phase any more. */
function withPrunedQueue(
  state: RunState,
  tasks: PersistentVector<TaskState>,
  task: PlannedTask,
  from: TaskPhase,
): RunState {
  switch (from) {
    case 'ready': {
      const ready = state.ready.slice();
      ready[task.lane] = pruned(ready[task.lane], tasks, from);
      return { ...state, ready };
    }
    case 'waiting':
      return { ...state, waiting: pruned(state.waiting, tasks, from) };
    case 'doomed':
      return { ...state, doomed: pruned(state.doomed, tasks, from) };
    default:
      return state;
  }
}

function pruned(
  queue: ReadyQueue | undefined,
  tasks: PersistentVector<TaskState>,
  phase: TaskPhase,
): ReadyQueue | undefined {
  let rest = queue;
  while (rest !== undefined && tasks.get(rest.task).phase !== phase) rest = withoutFirst(rest);
  return rest;
}

function withSaved(state: RunState, saved: { readonly durationMs: number; readonly usd: number }): RunState {
  const { savedMs, savedUsd } = state.totals;
  return {
    ...state,
    totals: { ...state.totals, savedMs: savedMs + saved.durationMs, savedUsd: savedUsd + saved.usd },
  };
}

/** What is finished stays; everything else is worked out anew, with all its tries before it. */
function resumed(state: RunState): RunState {
  const counts = { succeeded: 0, reused: 0, failed: 0, cancelled: 0, skipped: 0, needFailed: 0 };
  const isFinished = (number: number) => finished.has(state.tasks.get(number).phase);
  const tasks = state.plan.tasks.map((task): TaskState => {
    const before = state.tasks.get(task.number);
    const { phase } = before;
    if (phase === 'succeeded' || phase === 'reused' || phase === 'skipped') {
      counts[phase] += 1;
      return before;
    }
    const blockers = task.needs.filter((need) => !isFinished(need)).length;
    const { attempt, usd } = before;
    return { phase: blockers === 0 ? 'ready' : 'blocked', blockers, attempt, tries: 0, usd };
  });
  return {
    ...state,
    status: 'running',
    stopReason: undefined,
    endedAt: undefined,
    tasks: PersistentVector.from(tasks),
    ready: readyQueues(state.plan, tasks),
    waiting: undefined,
    doomed: undefined,
    running: state.plan.laneLimits.map(() => 0),
    counts,
  };
}

const finished: ReadonlySet<TaskPhase> = new Set<TaskPhase>(['succeeded', 'reused', 'skipped']);

/** What costs nothing has used nothing. */
export const noUsage: TokenUsage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteInputTokens: 0,
  outputTokens: 0,
  reasoningOutputTokens: 0,
};

function addUsage(a: TokenUsage, b: TokenUsage): TokenUsage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    cacheWriteInputTokens: a.cacheWriteInputTokens + b.cacheWriteInputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    reasoningOutputTokens: a.reasoningOutputTokens + b.reasoningOutputTokens,
  };
}

function planned(state: RunState, id: string): PlannedTask | undefined {
  const number = state.plan.numberOf.get(id);
  return number === undefined ? undefined : state.plan.tasks[number];
}

function readyQueues(plan: Plan, tasks: readonly TaskState[]): readonly (ReadyQueue | undefined)[] {
  const queues = plan.laneLimits.map((): ReadyQueue | undefined => undefined);
  for (const { number, lane, priority } of plan.tasks) {
    if (tasks[number]?.phase === 'ready') queues[lane] = withTask(queues[lane], number, priority);
  }
  return queues;
}

function withReady(
  plan: Plan,
  queues: readonly (ReadyQueue | undefined)[],
  number: number,
): readonly (ReadyQueue | undefined)[] {
  const task = plan.tasks[number];
  if (task === undefined) return queues;
  const copy = queues.slice();
  copy[task.lane] = withTask(copy[task.lane], number, task.priority);
  return copy;
}

function counted(counts: readonly number[], lane: number, change: number): readonly number[] {
  return counts.with(lane, (counts[lane] ?? 0) + change);
}
