/**
 * What to do next: `decide(state, moment) → commands`, pure. The engine carries the commands out, appends the events
 * that come of them, and asks again.
 */

import type { EndStatus } from './event.ts';
import { isBefore, type ReadyQueue, withoutFirst } from './ready-queue.ts';
import { type RunState, runningCount, settledCount } from './state.ts';

/** What is to be done next, as `decide` says it; `task` is a position in the plan. */
export type Command =
  | { readonly type: 'start'; readonly task: number }
  | { readonly type: 'skip'; readonly task: number }
  /** Nothing else can be done before this moment, in milliseconds since 1970, unless an attempt settles. */
  | { readonly type: 'wait'; readonly until: number }
  | { readonly type: 'stop'; readonly reason: 'failure' }
  | { readonly type: 'end'; readonly status: EndStatus };

export interface Moment {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Attempts at once; at least 1. */
  readonly concurrency: number;
  /** Tasks that an earlier command is being carried out for and of which the journal doesn't know yet. */
  readonly busy: ReadonlySet<number>;
}

/** Cost: O((commands + busy) · log tasks). */
export function decide(state: RunState, moment: Moment): readonly Command[] {
  if (state.status === 'stopping') {
    const idle = runningCount(state) === 0 && moment.busy.size === 0;
    return idle ? [{ type: 'end', status: endStatus(state) }] : [];
  }
  if (state.status !== 'running') return [];
  if (settledCount(state) === state.tasks.length) return [{ type: 'end', status: endStatus(state) }];
  if (state.plan.onFailure === 'stop' && state.counts.failed > 0) return [{ type: 'stop', reason: 'failure' }];

  return [...skips(state, moment), ...starts(state, moment)];
}

function endStatus({ stopReason, counts }: RunState): EndStatus {
  if (stopReason === 'interrupted' || stopReason === 'cancelled') return stopReason;
  return counts.failed + counts.needFailed + counts.cancelled > 0 ? 'failed' : 'succeeded';
}

function skips(state: RunState, { busy }: Moment): readonly Command[] {
  const commands: Command[] = [];
  for (let queue = state.doomed; queue !== undefined; queue = withoutFirst(queue)) {
    if (state.tasks.get(queue.task).phase === 'doomed' && !busy.has(queue.task)) {
      commands.push({ type: 'skip', task: queue.task });
    }
  }
  return commands;
}

function starts(state: RunState, { now, concurrency, busy }: Moment): readonly Command[] {
  const commands: Command[] = [];
  const occupied = occupancy(state, busy);
  let free = concurrency - occupied.total;
  const room = state.plan.laneLimits.map((limit, lane) => limit - (occupied.byLane[lane] ?? 0));
  const take = (task: number, lane: number): void => {
    commands.push({ type: 'start', task });
    free -= 1;
    room[lane] = (room[lane] ?? 0) - 1;
  };

  // A task whose pause is over goes before the ones that have not been tried yet.
  let waiting = state.waiting;
  for (; waiting !== undefined && free > 0 && -waiting.priority <= now; waiting = withoutFirst(waiting)) {
    const lane = state.plan.tasks[waiting.task]?.lane ?? 0;
    const isCurrent = state.tasks.get(waiting.task).retryAt === -waiting.priority;
    if (isCurrent && isStartable(state, waiting.task, 'waiting', busy) && (room[lane] ?? 0) > 0) {
      take(waiting.task, lane);
    }
  }

  const queues = state.ready.slice();
  while (free > 0) {
    const lane = mostUrgent(queues, room);
    const queue = queues[lane];
    if (queue === undefined) break;
    if (isStartable(state, queue.task, 'ready', busy)) take(queue.task, lane);
    queues[lane] = withoutFirst(queue);
  }

  if (commands.length > 0 || waiting === undefined || -waiting.priority <= now) return commands;
  return [{ type: 'wait', until: -waiting.priority }];
}

function occupancy(state: RunState, busy: ReadonlySet<number>): { total: number; byLane: readonly number[] } {
  const byLane = [...state.running];
  for (const task of busy) {
    const lane = state.plan.tasks[task]?.lane ?? 0;
    byLane[lane] = (byLane[lane] ?? 0) + 1;
  }
  return { total: byLane.reduce((total, count) => total + count, 0), byLane };
}

function isStartable(state: RunState, task: number, phase: 'ready' | 'waiting', busy: ReadonlySet<number>): boolean {
  return state.tasks.get(task).phase === phase && !busy.has(task);
}

/** The lane with room whose first task is the most urgent; -1 when no lane has both. */
function mostUrgent(queues: readonly (ReadyQueue | undefined)[], room: readonly number[]): number {
  let best = -1;
  let first: ReadyQueue | undefined;
  queues.forEach((queue, lane) => {
    if (queue === undefined || (room[lane] ?? 0) <= 0) return;
    if (first === undefined || isBefore(queue, first)) {
      best = lane;
      first = queue;
    }
  });
  return best;
}
