import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClaudeAgentDefinition } from './definition.ts';
import type { AgentEvent } from './event.ts';
import { runAgent } from './run-agent.ts';
import { openAgentSession } from './session.ts';
import { type ReceivedByScript, scriptedAgent } from './testing.ts';

const talker: ClaudeAgentDefinition = {
  adapter: 'claude',
  program: [process.execPath, fileURLToPath(new URL('../test/programs/talking-claude.mjs', import.meta.url))],
};

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agents-test-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('openAgentSession', () => {
  test('speaks to one process in turns, and counts each by itself', async () => {
    const pids: unknown[] = [];
    await using session = openAgentSession(
      talker,
      { cwd: directory },
      { onStarted: (identity) => void pids.push(identity) },
    );
    const both = await Promise.all([session.send('one'), session.send('two')]);
    expect(both).toMatchObject([
      { status: 'succeeded', text: 'turn 1: one', cost: { usd: 0.5, basis: 'reported' } },
      { status: 'succeeded', text: 'turn 2: two', cost: { usd: 0.5, basis: 'reported' } },
    ]);
    expect(session.sessionId).toBe('talk-1');
    expect(pids).toHaveLength(1);
  });

  test('starts the program again and resumes when it ended between two turns', async () => {
    const pids: unknown[] = [];
    await using session = openAgentSession(
      talker,
      { cwd: directory },
      { onStarted: (identity) => void pids.push(identity) },
    );
    await session.send('one');
    const dead = await session.send('die');
    expect(dead).toMatchObject({ status: 'failed', reason: 'crash', retryable: true, exitCode: 3 });
    expect(await session.send('three')).toMatchObject({ status: 'succeeded', text: 'turn 1 of talk-1: three' });
    expect(pids).toHaveLength(2);
  });

  test('ends one turn at its time limit and goes on with the next', async () => {
    await using session = openAgentSession(talker, { cwd: directory });
    await session.send('one');
    expect(await session.send('wait', { timeoutMs: 100 })).toMatchObject({ status: 'failed', reason: 'timeout' });
    expect(await session.send('three')).toMatchObject({ status: 'succeeded', text: 'turn 3: three' });
  });

  test('ends one turn that falls silent and goes on with the next', async () => {
    await using session = openAgentSession(talker, { cwd: directory });
    await session.send('one');
    expect(await session.send('wait', { idleTimeoutMs: 100 })).toMatchObject({ status: 'failed', reason: 'idle' });
    expect(await session.send('three')).toMatchObject({ status: 'succeeded', text: 'turn 3: three' });
  });

  test('ends a program whose line has no end, and goes on with another', async () => {
    await using session = openAgentSession(talker, { cwd: directory }, { maxOutputBytes: 1000 });
    await session.send('one');
    expect(await session.send('flood')).toMatchObject({ status: 'failed', reason: 'badOutput', retryable: false });
    expect(await session.send('three')).toMatchObject({ status: 'succeeded', text: 'turn 1 of talk-1: three' });
  });

  test('resumes programs that take one turn a process', async () => {
    const received = join(directory, 'received.json');
    const recording = new URL('../test/recordings/codex-basic/', import.meta.url);
    await using session = openAgentSession(scriptedAgent({ recording, received }, 'codex'), { cwd: directory });
    const first = await session.send('one');
    const second = await session.send('two');
    const { arguments: given }: ReceivedByScript = JSON.parse(await readFile(received, 'utf8'));
    expect(given.slice(-3)).toEqual(['resume', first.sessionId, '-']);
    // The thread reports the same total again: nothing was added to it.
    expect(first.usage.inputTokens).toBe(200);
    expect(second.usage.inputTokens).toBe(0);
  });

  test('refuses agents that answer once, turns after its end, and turns without a session', async () => {
    expect(() => openAgentSession({ adapter: 'command', command: ['true'] }, { cwd: directory })).toThrow(TypeError);
    const session = openAgentSession(scriptedAgent({ lines: [{ type: 'result', output: 1 }] }), { cwd: directory });
    expect((await session.send('one')).status).toBe('succeeded');
    await expect(session.send('two')).rejects.toMatchObject({ code: 'AGENT_SESSION_LOST' });
    await session.close();
    await session.close();
    await expect(session.send('three')).rejects.toMatchObject({ code: 'AGENT_SESSION_CLOSED' });
  });
});

describe('permissions', () => {
  const ask = async (options: Parameters<typeof runAgent>[2], prompt = 'ask') => {
    const events: AgentEvent[] = [];
    const task = { prompt, cwd: directory, timeoutMs: 20_000 };
    const outcome = await runAgent(talker, task, { ...options, onEvent: (event) => events.push(event) });
    return { outcome, answers: events.filter(({ type }) => type === 'permissionAnswered') };
  };

  test('are put to the host, and its answer to the agent', async () => {
    const { outcome, answers } = await ask({
      onPermission: ({ tool, input, message }) => {
        expect({ tool, input, message }).toEqual({ tool: 'Bash', input: { command: 'ls' }, message: 'lists files' });
        return { allow: true, input: { command: 'ls -l' } };
      },
    });
    expect(outcome.text).toBe('allow {"command":"ls -l"}');
    expect(answers).toMatchObject([{ tool: 'Bash', allowed: true, by: 'host' }]);
  });

  test('are refused when nobody answers in time', async () => {
    const { outcome, answers } = await ask({
      onPermission: () => new Promise<never>(() => undefined),
      permissionTimeoutMs: 50,
    });
    expect(outcome.text).toBe('deny Nobody answered in time; go on without it.');
    expect(answers).toMatchObject([{ allowed: false, by: 'default' }]);
  });

  test('that the agent takes back are answered by nobody', async () => {
    let withdrawn = false;
    const { outcome, answers } = await ask(
      {
        onPermission: ({ signal }) =>
          new Promise<never>(() => {
            signal.addEventListener('abort', () => {
              withdrawn = true;
            });
          }),
      },
      'ask and withdraw',
    );
    expect(outcome).toMatchObject({ status: 'succeeded', text: 'withdrawn' });
    expect(withdrawn).toBe(true);
    expect(answers).toEqual([]);
  });

  test('whose host fails end the agent and reject', async () => {
    const failing = () => Promise.reject(new Error('no operator'));
    await expect(ask({ onPermission: failing })).rejects.toThrow('no operator');
  });

  test('questions that no host is asked about are answered at once', async () => {
    const { outcome } = await ask({ onPermission: () => ({ allow: true }) }, 'hook');
    expect(outcome.text).toBe('This host does not answer hook_callback.');
  });

  test('a program that is missing is said to be missing', async () => {
    const agent = { adapter: 'claude', program: join(directory, 'claude') } as const;
    const outcome = await runAgent(agent, { prompt: '', cwd: directory }, { onPermission: () => ({ allow: true }) });
    expect(outcome).toMatchObject({ status: 'failed', reason: 'programNotFound' });
  });
});
