import { apply, defineWorkflow, initialState, planWorkflow, type RunEvent } from '@cadre/workflow';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { colorsFor } from './colors.ts';
import { RunModel } from './run-model.ts';
import { runLines } from './tree.ts';

const colors = colorsFor({ environment: {}, isTerminal: false, wanted: false });
const at = Date.UTC(2026, 10, 21, 12);
const usage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteInputTokens: 0,
  outputTokens: 0,
  reasoningOutputTokens: 0,
};
const result = { digest: '0'.repeat(64), bytes: 4, output: null };
const free = { usd: 0, basis: 'none' } as const;

function modelOf(groups: Readonly<Record<string, number>>): RunModel {
  const tasks: Record<string, { agent: string; prompt: string; group?: string }> = {};
  for (const [group, count] of Object.entries(groups)) {
    for (let index = 0; index < count; index += 1) {
      tasks[`${group}-${index}`] = { agent: 'a', prompt: 'x', ...(group === 'none' ? {} : { group }) };
    }
  }
  const workflow = defineWorkflow(
    { name: 'shown', agents: { a: { adapter: 'command', command: ['true'] } }, tasks },
    { directory: '/' },
  );
  const state = initialState(planWorkflow(workflow));
  const started: RunEvent = {
    type: 'runStarted',
    at,
    runId: '20261121-120000-abcd',
    workflow: { name: 'shown', file: null, directory: '/', digest: '' },
    inputs: {},
    tasks: workflow.tasks.length,
    marker: 'm',
    process: { pid: 1, startTime: '' },
  };
  return new RunModel({ id: started.runId, directory: '/runs/x', workflow }, apply(state, started));
}

function start(model: RunModel, task: string): void {
  model.apply({ type: 'attemptStarted', at, task, attempt: 1 });
}

function succeed(model: RunModel, task: string): void {
  start(model, task);
  model.apply({ type: 'attemptSettled', at, task, attempt: 1, durationMs: 1200, usage, cost: free, result });
}

function fail(model: RunModel, task: string, message: string, retryAt?: number): void {
  start(model, task);
  const failure = { reason: 'crash', message, ...(retryAt === undefined ? {} : { retryAt }) } as const;
  model.apply({ type: 'attemptSettled', at, task, attempt: 1, durationMs: 300, usage, cost: free, failure });
}

const draw = (model: RunModel, rows = 40, columns = 80) => runLines(model, { rows, columns, now: at + 2000, colors });

describe('runLines', () => {
  test('draws groups as branches, tasks with sign, time, cost and progress, and a bar', () => {
    const model = modelOf({ collect: 3, conclude: 2, none: 1 });
    succeed(model, 'collect-0');
    model.apply({
      type: 'taskReused',
      at,
      task: 'collect-1',
      key: 'k',
      result,
      saved: { durationMs: 5000, usd: 0.12 },
    });
    start(model, 'collect-2');
    model.applyAgentEvent('collect-2', { type: 'progress', done: 120, total: 600, message: 'parsing a.ts' });
    model.applyAgentEvent('collect-2', { type: 'usage', usage, cost: { usd: 0.05, basis: 'reported' } });
    fail(model, 'conclude-0', 'no luck', at + 12_000);
    fail(model, 'conclude-1', 'gone for good');
    expect(draw(model).join('\n')).toMatchInlineSnapshot(`
      "shown  6 tasks, run 20261121-120000-abcd
      ⠋ collect  2/3
      │ ✔ collect-0     1.2 s
      │ ↺ collect-1            reused, saved 5.0 s and $0.12
      │ ⠋ collect-2     2.0 s $0.05  120/600 parsing a.ts
      ✖ conclude  1/2
      │ ◷ conclude-0    0.3 s  next try in 10 s  crash: no luck
      │ ✖ conclude-1    0.3 s  crash: gone for good
      · none-0
      ━━━━━━━━━━━━──────────── 3/6 · 2.0 s · $0.05 · 1 failed · 1 reused, saved 5.0 s…"
    `);
  });

  test.for([
    { rows: 1, columns: 80 },
    { rows: 2, columns: 5 },
    { rows: 3, columns: 20 },
    { rows: 10, columns: 1 },
    { rows: 24, columns: 80 },
    { rows: 60, columns: 200 },
  ])('fits $rows rows of $columns columns with 1,000 tasks', ({ rows, columns }) => {
    const model = modelOf({ many: 600, more: 300, none: 100 });
    for (let index = 0; index < 550; index += 1) succeed(model, `many-${index}`);
    for (let index = 550; index < 570; index += 1) start(model, `many-${index}`);
    const lines = draw(model, rows, columns);
    expect(lines.length).toBeLessThanOrEqual(rows);
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
  });

  test('keeps what is under way and what failed when there is no room for all', () => {
    const model = modelOf({ many: 500, more: 500 });
    for (let index = 0; index < 300; index += 1) succeed(model, `many-${index}`);
    start(model, 'many-400');
    fail(model, 'more-250', 'broken');
    const lines = draw(model, 12).join('\n');
    expect(lines).toContain('many-400');
    expect(lines).toContain('more-250');
    expect(lines).toMatch(/many {2}300\/500/);
    expect(lines).toMatch(/… and 300 done, \d+ to come/);
    expect(lines).toContain('301/1,000');
  });

  test.for([
    ['escape codes', '\u001b[2J\u001b[31mred\u001b[0m'],
    ['a bare control sequence introducer', '\u009b2Jx'],
    ['a title', '\u001b]0;owned\u0007x'],
    ['line breaks', 'one\r\ntwo\nthree'],
    ['backspaces', 'safe\b\b\b\bevil'],
    ['reordering', '\u202egnp.exe\u2066'],
    ['half a character', '\ud83d x'],
    ['wide text', '漢字'.repeat(200)],
    ['joined emoji', '👩‍👩‍👧‍👦'.repeat(60)],
  ])('shows %s from an agent as one harmless line', ([, text]) => {
    const model = modelOf({ none: 2 });
    start(model, 'none-0');
    model.applyAgentEvent('none-0', { type: 'text', text: text ?? '' });
    fail(model, 'none-1', text ?? '');
    const lines = draw(model, 10, 60);
    expect(lines).toHaveLength(4);
    for (const line of lines) {
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\n]|\p{Surrogate}/u);
      expect(stringWidth(line)).toBeLessThanOrEqual(60);
    }
  });
});
