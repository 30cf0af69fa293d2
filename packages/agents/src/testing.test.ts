import { describe, expect, test } from 'vitest';
import { runAgent } from './run-agent.ts';
import { scriptedAgent } from './testing.ts';

const task = { prompt: '', cwd: process.cwd() };

describe('scriptedAgent', () => {
  test('plays a recorded folder with its own stderr and exit code', async () => {
    const recording = new URL('../test/recordings/codex-nogit/', import.meta.url);
    const outcome = await runAgent(scriptedAgent({ recording }, 'codex'), task);
    expect(outcome).toMatchObject({ status: 'failed', reason: 'invalidRequest', exitCode: 1 });
  });

  test.for([
    ['claude', 'claude-basic'],
    ['codex', 'codex-basic'],
    ['gemini', 'gemini-basic'],
    ['opencode', 'opencode-basic'],
  ] as const)('is spoken to through %s', async ([adapter, name]) => {
    const recording = new URL(`../test/recordings/${name}/`, import.meta.url);
    const outcome = await runAgent(scriptedAgent({ recording }, adapter), task);
    expect(outcome).toMatchObject({ status: 'succeeded', text: 'Hello from stub.', exitCode: 0 });
  });

  test('keeps the order of its lines over their delays', async () => {
    const lines = [
      { type: 'text', text: 'a' },
      { type: 'text', text: 'b' },
      { type: 'result', output: null },
    ];
    const outcome = await runAgent(scriptedAgent({ lines, delaysMs: [20, 0, 10] }), task);
    expect(outcome).toMatchObject({ status: 'succeeded', text: 'a\nb' });
  });

  test('that ignores TERM is ended all the same', async () => {
    const controller = new AbortController();
    const lines = [{ type: 'text', text: 'try me' }];
    const outcome = await runAgent(scriptedAgent({ lines, afterwards: 'hang', terminate: 'ignore' }), task, {
      ...{ signal: controller.signal, graceMs: 50 },
      onEvent: () => controller.abort(),
    });
    expect(outcome).toMatchObject({ status: 'failed', reason: 'cancelled', exitCode: null });
  });

  test('refuses a script that no argument can hold', () => {
    expect(() => scriptedAgent({ lines: ['x'.repeat(100_001)] })).toThrow(
      expect.objectContaining({ code: 'AGENT_SCRIPT_TOO_LARGE' }),
    );
  });
});
