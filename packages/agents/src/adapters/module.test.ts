import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createThreadPool, type ThreadPool } from '@cadre/spawner';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AgentTask } from '../definition.ts';
import type { AgentEvent } from '../event.ts';
import { runAgent } from '../run-agent.ts';

const module = fileURLToPath(new URL('../../test/programs/module-agents.mjs', import.meta.url));
const task: AgentTask = { prompt: 'count', input: { folder: 'src' }, cwd: '/' };

let threads: ThreadPool;

beforeAll(() => {
  threads = createThreadPool({ size: 1 });
});

afterAll(() => threads.close());

const run = (name: string, more: Partial<AgentTask> = {}, onEvent: (event: AgentEvent) => void = () => undefined) =>
  runAgent(
    { adapter: 'module', module, export: name },
    { ...task, ...more },
    { threads, onEvent, maxOutputBytes: 1000 },
  );

describe('runAgent with the adapter module', () => {
  test('gives the function its task in another thread, and its events and value back as JSON', async () => {
    const events: AgentEvent[] = [];
    const started: unknown[] = [];
    const outcome = await runAgent({ adapter: 'module', module }, task, {
      threads,
      onEvent: (event) => events.push(event),
      onStarted: (identity) => {
        started.push(identity);
      },
    });
    expect(outcome).toMatchObject({
      status: 'succeeded',
      output: {
        prompt: 'count',
        input: { folder: 'src' },
        cwd: '/',
        isMainThread: false,
        when: '1970-01-01T00:00:00.000Z',
      },
      text: 'counting',
      cost: { usd: (1.25 + 10) / 1e6, basis: 'list' },
      warnings: ['An emitted event was ignored: type "novelty" is not known.'],
    });
    expect(events.map((event) => event.type)).toEqual(['text', 'progress', 'warning', 'usage', 'settled']);
    expect(started).toEqual([undefined]);
  });

  test('runs on a thread of its own where no pool is given', async () => {
    const outcome = await runAgent({ adapter: 'module', module, export: 'nothing' }, task);
    expect(outcome).toMatchObject({ status: 'succeeded', output: null, text: '', cost: { basis: 'none' } });
  });

  test.for([
    ['throwing', { reason: 'failed', retryable: false, message: 'The module threw: no such luck' }],
    ['stating', { reason: 'rateLimit', retryable: true, message: 'slow down', retryAtMs: 7 }],
    ['circular', { reason: 'badOutput', retryable: false }],
    [
      'large',
      { reason: 'badOutput', retryable: false, message: expect.stringContaining('over maxOutputBytes (1000)') },
    ],
    ['dying', { reason: 'crash', retryable: true }],
    ['absent', { reason: 'programNotFound', retryable: false }],
  ] as const)('fails for a function that is %s', async ([name, expected]) => {
    expect(await run(name)).toMatchObject({ status: 'failed', ...expected });
  });

  test('says so when the module does not exist', async () => {
    const outcome = await runAgent({ adapter: 'module', module: '/nowhere/agent.mjs' }, task, { threads });
    expect(outcome).toMatchObject({ status: 'failed', reason: 'programNotFound' });
  });

  test('ends a function that never yields, at its time limit and after silence', async () => {
    expect(await run('spinning', { timeoutMs: 200 })).toMatchObject({ status: 'failed', reason: 'timeout' });
    expect(await run('spinning', { idleTimeoutMs: 200 })).toMatchObject({ reason: 'idle', text: 'spinning' });
  });

  test('ends it on abort', async () => {
    const controller = new AbortController();
    const outcome = await runAgent({ adapter: 'module', module, export: 'spinning' }, task, {
      ...{ threads, signal: controller.signal },
      onEvent: () => controller.abort(),
    });
    expect(outcome).toMatchObject({ status: 'failed', reason: 'cancelled', retryable: false });
  });

  test('rejects when the caller fails', async () => {
    const fail = () => {
      throw new Error('journal is full');
    };
    await expect(run('default', {}, fail)).rejects.toThrow('journal is full');
  });

  test('records what was asked', async () => {
    const attemptDirectory = await mkdtemp(join(tmpdir(), 'agents-test-'));
    await run('nothing', { attemptDirectory });
    expect(await readFile(join(attemptDirectory, 'prompt.txt'), 'utf8')).toBe('count');
    expect(JSON.parse(await readFile(join(attemptDirectory, 'input.json'), 'utf8'))).toEqual({ folder: 'src' });
    await rm(attemptDirectory, { recursive: true });
  });
});
