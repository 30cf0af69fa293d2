import { describe, expect, test } from 'vitest';
import { type Plannable, planWorkflow } from './plan.ts';

const graph = (needs: Readonly<Record<string, readonly string[]>>, change: Partial<Plannable> = {}): Plannable => ({
  tasks: Object.entries(needs).map(([id, list]) => ({ id, agent: 'worker', needs: list })),
  agents: { worker: { concurrency: Number.POSITIVE_INFINITY } },
  onFailure: 'continue',
  result: '',
  ...change,
});

describe('planWorkflow', () => {
  test('numbers tasks in the order of the file and links them both ways', () => {
    const plan = planWorkflow(graph({ c: ['a', 'b'], a: [], b: ['a'] }));
    expect(plan.tasks.map(({ id, needs, dependents }) => [id, needs, dependents])).toEqual([
      ['c', [1, 2], []],
      ['a', [], [0, 2]],
      ['b', [1], [0]],
    ]);
  });

  test('gives a task the length of the chain it holds up as its priority', () => {
    const plan = planWorkflow(graph({ short: [], long: [], middle: ['long'], end: ['middle', 'short'] }));
    expect(plan.tasks.map(({ id, priority, depth }) => [id, priority, depth])).toEqual([
      ['short', 2, 0],
      ['long', 3, 0],
      ['middle', 2, 1],
      ['end', 1, 2],
    ]);
  });

  test('puts agents with a limit of their own into lanes', () => {
    const agents = { worker: { concurrency: 2 }, other: { concurrency: Number.POSITIVE_INFINITY } };
    const plan = planWorkflow(graph({ a: [] }, { agents }));
    expect([plan.tasks[0]?.lane, plan.laneLimits]).toEqual([1, [Number.POSITIVE_INFINITY, 2]]);
  });

  test('refuses a circle and names its tasks', () => {
    const circle = graph({ start: [], a: ['start', 'c'], b: ['a'], c: ['b'] });
    expect(() => planWorkflow(circle)).toThrow('need each other in a circle: a, b, c.');
  });

  test('refuses a need that is not there', () => {
    expect(() => planWorkflow(graph({ a: ['ghost'] }))).toThrow('Task "a" needs "ghost"');
  });

  test('plans a chain of 100,000 tasks without running out of stack', () => {
    const chain = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, n) => [`t${n}`, n === 0 ? [] : [`t${n - 1}`]]),
    );
    const plan = planWorkflow(graph(chain));
    expect(plan.tasks[0]?.priority).toBe(100_000);
  });
});
