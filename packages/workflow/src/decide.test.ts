import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Command, decide } from './decide.ts';
import type { AttemptSettled, Failure, RunEvent } from './event.ts';
import { fold } from './journal.ts';
import { type Plan, planWorkflow } from './plan.ts';
import { apply, initialState, noUsage, type RunState, runningCount, settledCount } from './state.ts';

describe('decide', () => {
  test('starts the most urgent tasks first, as many as there is room for', () => {
    const plan = planOf([[], [], [0], [2]]);
    const state = apply(initialState(plan), started(plan));
    expect(decide(state, { now: 0, concurrency: 1, busy: new Set() })).toEqual([{ type: 'start', task: 0 }]);
    expect(decide(state, { now: 0, concurrency: 9, busy: new Set([0]) })).toEqual([{ type: 'start', task: 1 }]);
    expect(decide(state, { now: 0, concurrency: 1, busy: new Set([0]) })).toEqual([]);
  });

  test('holds an agent to its own limit while others go on', () => {
    const plan = planOf([[], [], [], []], { lanes: [1, 1, 1, 0], limit: 2 });
    const state = apply(initialState(plan), started(plan));
    expect(starts(decide(state, { now: 0, concurrency: 9, busy: new Set() }))).toEqual([0, 1, 3]);
  });

  test('waits for the next try, then makes it before anything new', () => {
    const plan = planOf([[], []]);
    const events = [started(plan), attempt('t0', 1), settled('t0', 1, { retryAt: 5_000 })];
    const state = fold(plan, [...events, attempt('t1', 1)]);
    expect(decide(state, { now: 4_999, concurrency: 2, busy: new Set() })).toEqual([{ type: 'wait', until: 5_000 }]);
    const later = fold(plan, events);
    expect(starts(decide(later, { now: 5_000, concurrency: 1, busy: new Set() }))).toEqual([0]);
  });

  test('skips what needs a failed task, and what needs that', () => {
    const plan = planOf([[], [0], [1]]);
    let state = fold(plan, [started(plan), attempt('t0', 1), settled('t0', 1, {})]);
    expect(decide(state, moment)).toEqual([{ type: 'skip', task: 1 }]);
    state = apply(state, { type: 'taskSkipped', at: 1, task: 't1', reason: 'needFailed' });
    expect(decide(state, moment)).toEqual([{ type: 'skip', task: 2 }]);
    state = apply(state, { type: 'taskSkipped', at: 1, task: 't2', reason: 'needFailed' });
    expect(decide(state, moment)).toEqual([{ type: 'end', status: 'failed' }]);
  });

  test('goes on after a task whose condition was false', () => {
    const plan = planOf([[], [0]]);
    const state = fold(plan, [started(plan), { type: 'taskSkipped', at: 1, task: 't0', reason: 'condition' }]);
    expect(starts(decide(state, moment))).toEqual([1]);
  });

  test('stops at the first failure where the workflow says so, and ends when nothing runs any more', () => {
    const plan = planOf([[], [], []], { onFailure: 'stop' });
    let state = fold(plan, [started(plan), attempt('t0', 1), attempt('t1', 1), settled('t0', 1, {})]);
    expect(decide(state, moment)).toEqual([{ type: 'stop', reason: 'failure' }]);
    state = apply(state, { type: 'runStopping', at: 2, reason: 'failure' });
    expect(decide(state, moment)).toEqual([]);
    state = apply(state, settled('t1', 1, { reason: 'cancelled' }));
    expect(state.tasks.get(1).phase).toBe('cancelled');
    expect(decide(state, moment)).toEqual([{ type: 'end', status: 'failed' }]);
  });

  test('brings any graph to its end within its limits, however tasks end and wherever it crashes', () => {
    fc.assert(
      fc.property(graphs, fc.infiniteStream(fc.nat(99)), fc.integer({ min: 1, max: 5 }), (needs, dice, concurrency) => {
        const plan = planOf(needs, { lanes: needs.map((_, n) => n % 2), limit: 2 });
        const { journal, states } = simulate(plan, concurrency, dice);
        const end = states.at(-1);
        expect(end && settledCount(end)).toBe(needs.length);
        expect(finishedTwice(journal)).toEqual([]);
        expect(fold(plan, journal)).toEqual(end);
      }),
      { numRuns: 300 },
    );
  });
});

describe('apply', () => {
  test('changes no state it is given', () => {
    fc.assert(
      fc.property(graphs, fc.infiniteStream(fc.nat(99)), (needs, dice) => {
        const plan = planOf(needs);
        const { journal } = simulate(plan, 3, dice);
        let state = deepFreeze(initialState(plan));
        for (const event of journal) state = deepFreeze(apply(state, deepFreeze(event)));
      }),
      { numRuns: 50 },
    );
  });

  test('ignores tasks and events that it does not know', () => {
    const plan = planOf([[]]);
    const state = fold(plan, [started(plan)]);
    expect(apply(state, attempt('ghost', 1))).toBe(state);
    const unknown: RunEvent = JSON.parse('{"type":"somethingNew","at":1}');
    expect(apply(state, unknown)).toBe(state);
  });

  test('adds up what attempts cost and what reused results saved', () => {
    const plan = planOf([[], []]);
    const state = fold(plan, [
      started(plan),
      attempt('t0', 1),
      { ...settled('t0', 1, { retryAt: 1 }), cost: { usd: 0.5, basis: 'reported' } },
      attempt('t0', 2),
      { ...settled('t0', 2), cost: { usd: 0.25, basis: 'reported' } },
      { type: 'taskReused', at: 9, task: 't1', key: 'k', result: result('t1'), saved: { durationMs: 70, usd: 2 } },
    ]);
    expect(state.totals).toMatchObject({ attempts: 2, usd: 0.75, savedUsd: 2, savedMs: 70 });
    expect(state.counts).toMatchObject({ succeeded: 1, reused: 1 });
  });
});

const moment = { now: 1, concurrency: 4, busy: new Set<number>() };

/** Each task needs some of those before it. */
const graphs = fc
  .array(fc.array(fc.nat(1_000), { maxLength: 3 }), { minLength: 1, maxLength: 40 })
  .map((lists) => lists.map((list, task) => (task === 0 ? [] : [...new Set(list.map((need) => need % task))])));

/** Runs a plan with made-up outcomes, crashing now and then, and checks the limits at every step. */
function simulate(
  plan: Plan,
  concurrency: number,
  dice: Iterable<number>,
): { journal: RunEvent[]; states: RunState[] } {
  const rolls = dice[Symbol.iterator]();
  const roll = (): number => rolls.next().value ?? 0;
  const journal: RunEvent[] = [];
  const states = [initialState(plan)];
  const now = (): number => journal.length;
  const current = (): RunState => states.at(-1) ?? initialState(plan);
  const append = (event: RunEvent): void => {
    journal.push(event);
    states.push(apply(current(), event));
  };
  append(started(plan));
  for (;;) {
    const commands = decide(current(), { now: now(), concurrency, busy: new Set() });
    if (commands.some(({ type }) => type === 'end')) return { journal, states };
    for (const command of commands) {
      if (command.type === 'skip')
        append({ type: 'taskSkipped', at: now(), task: `t${command.task}`, reason: 'needFailed' });
      if (command.type === 'start') {
        const { phase, attempt: earlier } = current().tasks.get(command.task);
        expect(['ready', 'waiting']).toContain(phase);
        for (const need of plan.tasks[command.task]?.needs ?? []) {
          expect(['succeeded', 'reused', 'skipped']).toContain(current().tasks.get(need).phase);
        }
        if (roll() < 10) append({ type: 'taskSkipped', at: now(), task: `t${command.task}`, reason: 'condition' });
        else append(attempt(`t${command.task}`, earlier + 1));
      }
    }
    const running = plan.tasks.flatMap(({ number }) =>
      current().tasks.get(number).phase === 'running' ? [number] : [],
    );
    expect(runningCount(current())).toBe(running.length);
    expect(running.length).toBeLessThanOrEqual(concurrency);
    plan.laneLimits.forEach((limit, lane) => {
      expect(running.filter((task) => plan.tasks[task]?.lane === lane).length).toBeLessThanOrEqual(limit);
    });
    if (roll() < 3) append({ type: 'runResumed', at: now(), process: self });
    const task = running[roll() % Math.max(1, running.length)];
    if (task === undefined || runningCount(current()) === 0) {
      // Nothing runs: only the clock can bring the run on, which here is the length of the journal.
      if (commands.length === 0 || commands[0]?.type === 'wait')
        append({ type: 'attemptSpawned', at: now(), task: 'x', attempt: 1, process: self });
      continue;
    }
    const { attempt: number, tries } = current().tasks.get(task);
    const fate = roll();
    if (fate < 70) append(settled(`t${task}`, number));
    else append(settled(`t${task}`, number, fate < 85 && tries < 3 ? { retryAt: now() + (fate % 5) } : {}));
  }
}

function finishedTwice(journal: readonly RunEvent[]): readonly string[] {
  const finished = new Set<string>();
  return journal.flatMap((event) => {
    if (event.type !== 'attemptSettled' || event.failure !== undefined) return [];
    const again = finished.has(event.task);
    finished.add(event.task);
    return again ? [event.task] : [];
  });
}

const self = { pid: 1, startTime: '1' };
const result = (task: string) => ({ digest: task, bytes: 4, output: null });

function planOf(
  needs: readonly (readonly number[])[],
  options: { lanes?: readonly number[]; limit?: number; onFailure?: 'continue' | 'stop' } = {},
): Plan {
  return planWorkflow({
    tasks: needs.map((list, number) => ({
      id: `t${number}`,
      agent: options.lanes?.[number] === 1 ? 'limited' : 'free',
      needs: list.map((need) => `t${need}`),
    })),
    agents: { free: { concurrency: Number.POSITIVE_INFINITY }, limited: { concurrency: options.limit ?? 1 } },
    onFailure: options.onFailure ?? 'continue',
    result: `t${needs.length - 1}`,
  });
}

function started(plan: Plan): RunEvent {
  return {
    type: 'runStarted',
    at: 0,
    runId: 'r',
    workflow: { name: 'w', file: null, directory: '/', digest: '' },
    inputs: {},
    tasks: plan.tasks.length,
    marker: 'm',
    process: self,
  };
}

function attempt(task: string, number: number): RunEvent {
  return { type: 'attemptStarted', at: 1, task, attempt: number };
}

function settled(task: string, number: number, failure?: Partial<Failure>): AttemptSettled {
  return {
    type: 'attemptSettled',
    at: 2,
    task,
    attempt: number,
    durationMs: 1,
    usage: noUsage,
    cost: { usd: 0, basis: 'none' },
    ...(failure === undefined
      ? { result: result(task) }
      : { failure: { reason: 'crash', message: 'It crashed.', ...failure } }),
  };
}

function starts(commands: readonly Command[]): readonly number[] {
  return commands.flatMap((command) => (command.type === 'start' ? [command.task] : []));
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
