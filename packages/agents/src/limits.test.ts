import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentDefinition, AgentLimits } from './definition.ts';
import { runAgent } from './run-agent.ts';
import { openAgentSession } from './session.ts';

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'agents-test-'));
});
afterAll(() => rm(cwd, { recursive: true }));

const run = (agent: AgentDefinition, limits: AgentLimits) =>
  runAgent(agent, { prompt: 'do it', cwd, limits }, { graceMs: 100 });

const runs = (...command: string[]): AgentDefinition => ({ adapter: 'command', command });

describe('limits', () => {
  test('end a program that takes more memory, with what it started', async () => {
    // The shell itself takes next to nothing.
    const hoard = 'const all = []; setInterval(() => all.push(Buffer.alloc(16 * 2 ** 20, 1)), 5)';
    const outcome = await run(runs('sh', '-c', `${process.execPath} -e "${hoard}"; :`), { memoryBytes: 200 * 2 ** 20 });
    expect(outcome).toMatchObject({ status: 'failed', reason: 'memory', retryable: false });
  });

  test('end a program that prints more', async () => {
    const outcome = await run(runs('yes'), { outputBytes: 100_000 });
    expect(outcome).toMatchObject({ status: 'failed', reason: 'badOutput', retryable: false });
  });

  test('that the machine can not give are a request that can not be served', async () => {
    const outcome = await run(runs('true'), { cpus: [8191] });
    expect(outcome).toMatchObject({ status: 'failed', reason: 'invalidRequest', retryable: false });
  });

  test('are refused by agents that have no program', async () => {
    await expect(run({ adapter: 'module', module: '/nowhere.mjs' }, {})).rejects.toThrow('a module runs in a thread');
    const model: AgentDefinition = { adapter: 'model', provider: 'anthropic', model: 'm' };
    await expect(run(model, {})).rejects.toThrow('a model is asked over the network');
    await using session = openAgentSession(model, { cwd, limits: {} });
    await expect(session.send('hello')).rejects.toThrow('a model is asked over the network');
  });

  test('hold for a program that stays between turns, and for the one that is started after it', async () => {
    const program = fileURLToPath(new URL('../test/programs/talking-claude.mjs', import.meta.url));
    const agent: AgentDefinition = { adapter: 'claude', program: [process.execPath, program] };
    await using session = openAgentSession(agent, { cwd, limits: { outputBytes: 4000 } });
    expect(await session.send('one')).toMatchObject({ status: 'succeeded' });
    for (let round = 0; round < 2; round += 1) {
      expect(await session.send('flood')).toMatchObject({ status: 'failed', reason: 'badOutput', retryable: false });
      expect(await session.send('three')).toMatchObject({ status: 'succeeded', text: 'turn 1 of talk-1: three' });
    }
  });
});
