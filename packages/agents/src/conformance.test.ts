import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { checkLineProtocol } from './conformance.ts';
import { type AgentScript, scriptedCommand } from './testing.ts';

const check = (script: AgentScript, timeoutMs = 20_000) =>
  checkLineProtocol(scriptedCommand(script), { cwd: tmpdir(), timeoutMs });

describe('checkLineProtocol', () => {
  test('finds nothing in what is as the protocol says', async () => {
    const lines = [
      { type: 'started', sessionId: 's' },
      { type: 'tool', id: 't', status: 'started' },
      { type: 'tool', id: 't', status: 'ended' },
      { type: 'from_the_future_of_a_field', text: 'x' },
      { type: 'result', output: null },
    ].filter(({ type }) => type !== 'from_the_future_of_a_field');
    expect(await check({ lines })).toMatchObject({
      ...{ conforms: true, problems: [], verdict: 'result', exitCode: 0 },
      counts: { started: 1, tool: 2, result: 1 },
    });
  });

  test('names each line that an attempt would pass over', async () => {
    const lines = [
      ...['noise', '[1]', { type: 'novelty' }, { type: 'text' }, { type: 'tool', id: 'a', status: 'ended' }],
      ...[{ type: 'tool', id: 'b', status: 'started' }, { type: 'result' }, { type: 'text', text: 'late' }],
    ];
    const { conforms, problems } = await check({ lines, exitCode: 4 });
    expect(conforms).toBe(true);
    expect(problems.map(({ line, message }) => `${line ?? '-'} ${message}`)).toEqual([
      '1 no JSON object: "noise"; log to stderr',
      '2 no JSON object: [1]',
      '3 it would be ignored: type "novelty" is not known',
      '4 it would be ignored: `text` must be a string',
      '5 tool "a" ended and was never started',
      '7 `result` has no `output`',
      '8 a `text` line came after the terminal line',
      '- tool "b" was started and never ended',
      '- it gave a result and exited with code 4; exit with 0',
    ]);
  });

  test('refuses a program without a verdict, one whose line is damaged, and one that stays', async () => {
    const wrong = async (script: AgentScript, timeoutMs?: number) => {
      const report = await check(script, timeoutMs);
      expect(report.conforms).toBe(false);
      return report.problems.filter(({ severity }) => severity === 'wrong').map(({ message }) => message);
    };
    expect(await wrong({ lines: [{ type: 'text', text: 'a' }] })).toMatchObject([
      expect.stringContaining('no `result`'),
    ]);
    const damaged = { lines: ['{"type":"text","te', { type: 'result', output: 1 }] };
    expect(await wrong(damaged)).toHaveLength(1);
    const staying = { lines: [{ type: 'result', output: 1 }], afterwards: 'hang' } as const;
    expect(await wrong(staying, 500)).toMatchObject([expect.stringContaining('had not ended after 500 ms')]);
  });

  test('says that there is no such program', async () => {
    await expect(checkLineProtocol(['no-such-program-at-all'], { cwd: tmpdir() })).rejects.toMatchObject({
      code: 'SPAWN_PROGRAM_NOT_FOUND',
    });
    await expect(checkLineProtocol([], { cwd: tmpdir() })).rejects.toThrow(TypeError);
  });
});
