/** The `model` adapter against a provider on loopback, in each of the three APIs. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AgentTask, ModelAgentDefinition } from '../definition.ts';
import type { AgentEvent } from '../event.ts';
import { readAttemptEvents } from '../recorded-events.ts';
import { runAgent } from '../run-agent.ts';
import type { RunAgentOptions } from '../run-options.ts';
import { openAgentSession } from '../session.ts';
import { type ModelServer, openModelServer } from '../testing/model-server.ts';

const key = 'test-key-not-a-secret-0123456789';
const models = { anthropic: 'claude-sonnet-4-5', openai: 'gpt-5.1-codex', gemini: 'gemini-2.5-flash' };

let server: ModelServer;

beforeAll(async () => {
  server = await openModelServer();
});

beforeEach(() => server.behave({ type: 'reply' }));

afterAll(() => server.close());

function environment(): Readonly<Record<string, string>> {
  return {
    ...{ ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: server.url },
    ...{ OPENAI_API_KEY: key, OPENAI_BASE_URL: `${server.url}/v1` },
    ...{ GEMINI_API_KEY: key, GEMINI_BASE_URL: `${server.url}/` },
    ...{ ELSEWHERE_API_KEY: key, ELSEWHERE_BASE_URL: `${server.url}/v1` },
  };
}

async function ask(
  more: Partial<ModelAgentDefinition> = {},
  task: Partial<AgentTask> = {},
  options: RunAgentOptions = {},
) {
  const provider = more.provider ?? 'anthropic';
  const events: AgentEvent[] = [];
  const outcome = await runAgent(
    { adapter: 'model', provider, model: models[provider], ...more },
    { prompt: 'say hello', cwd: '/', ...task },
    { inheritFrom: environment(), onEvent: (event) => events.push(event), ...options },
  );
  return { outcome, events, types: events.map(({ type }) => type) };
}

describe.for(['anthropic', 'openai', 'gemini'] as const)('a model of %s', (provider) => {
  test('answers as it speaks, with tokens and cost', async () => {
    server.behave({ type: 'slow', delayMs: 1, pieces: 3 });
    const { outcome, types } = await ask({ provider, systemPrompt: 'Be brief.', effort: 'low' });
    expect(outcome).toMatchObject({ status: 'succeeded', text: 'Hello from the loopback model.', output: null });
    expect(outcome.usage).toMatchObject({ inputTokens: 160, cachedInputTokens: 30, outputTokens: 7 });
    expect(outcome.cost).toMatchObject({ basis: 'list' });
    expect(outcome.cost.usd).toBeGreaterThan(0);
    expect(types).toEqual(['started', 'text', 'text', 'text', 'usage', 'settled']);
    const request = server.requests.at(-1);
    expect(JSON.stringify(request?.body)).toContain('Be brief.');
    expect(JSON.stringify(request?.headers)).toContain(key);
  });

  test('gives a value of the schema that it is given', async () => {
    const outputSchema = { type: 'object', required: ['n'], properties: { n: { type: 'number' } } };
    const isTool = provider === 'anthropic';
    const answer = (value: object) =>
      isTool
        ? ({ type: 'tool', name: 'answer', input: value } as const)
        : ({ type: 'reply', text: JSON.stringify(value) } as const);
    server.behave([answer({ n: 1 }), answer({ n: 'one' })]);
    expect((await ask({ provider }, { outputSchema })).outcome).toMatchObject({
      status: 'succeeded',
      output: { n: 1 },
    });
    expect((await ask({ provider }, { outputSchema })).outcome).toMatchObject({
      status: 'failed',
      reason: 'badOutput',
    });
    expect(JSON.stringify(server.requests.at(-1)?.body)).toContain('"required":["n"]');
  });

  test.for([
    [400, 'invalidRequest', false],
    [401, 'authentication', false],
    [403, 'authentication', false],
    [404, 'invalidRequest', false],
  ] as const)('fails at once with status %i', async ([status, reason, retryable]) => {
    const asked = server.requests.length;
    server.behave({ type: 'error', status, message: `no: ${key}` });
    const { outcome, types } = await ask({ provider });
    expect(outcome).toMatchObject({ status: 'failed', reason, retryable, cost: { usd: 0, basis: 'none' } });
    expect(types).toEqual(['started', 'settled']);
    expect(server.requests.length - asked).toBe(1);
    // The provider gave the key back; it goes no further.
    expect(JSON.stringify(outcome)).not.toContain(key);
    expect(JSON.stringify(outcome)).toContain('[redacted]');
  });

  test.for([429, 500, 503, 529])('tries status %i again when the provider says so', async (status) => {
    const refused = { type: 'error', status, headers: { 'retry-after-ms': '5' } } as const;
    server.behave([refused, refused, { type: 'reply' }]);
    const { outcome, events } = await ask({ provider });
    expect(outcome.status).toBe('succeeded');
    expect(events.filter((event) => event.type === 'retrying')).toMatchObject([
      { attempt: 1, delayMs: 5, reason: status === 429 ? 'rateLimit' : 'overloaded' },
      { attempt: 2, delayMs: 5 },
    ]);
  });

  test('does not take an answer that was cut off for a whole one', async () => {
    server.behave({ type: 'drop', afterPieces: 2 });
    const asked = server.requests.length;
    const { outcome } = await ask({ provider });
    expect(outcome).toMatchObject({ status: 'failed', retryable: true });
    expect(['noResult', 'overloaded']).toContain(outcome.status === 'failed' && outcome.reason);
    // It may have been charged: whoever retries does it knowingly.
    expect(server.requests.length - asked).toBe(1);
  });
});

describe('the model adapter', () => {
  test('tries again what was cut off before anything came', async () => {
    server.behave([{ type: 'drop' }, { type: 'reply' }]);
    const { outcome, events } = await ask();
    expect(outcome.status).toBe('succeeded');
    expect(events.filter((event) => event.type === 'retrying')).toMatchObject([{ reason: 'overloaded' }]);
  });

  test('does not wait longer than it may, and says when to come back', async () => {
    server.behave({ type: 'error', status: 429, headers: { 'retry-after': '3600' } });
    const before = Date.now();
    const { outcome } = await ask();
    expect(outcome).toMatchObject({ status: 'failed', reason: 'rateLimit', retryable: true });
    const retryAtMs = outcome.status === 'failed' ? (outcome.retryAtMs ?? 0) : 0;
    expect(retryAtMs).toBeGreaterThanOrEqual(before + 3_600_000);
  });

  test('gives up after its tries', async () => {
    server.behave({ type: 'error', status: 500, headers: { 'retry-after-ms': '1' } });
    const asked = server.requests.length;
    const { outcome } = await ask({ maxRetries: 2 });
    expect(outcome).toMatchObject({ status: 'failed', reason: 'overloaded', retryable: true });
    expect(server.requests.length - asked).toBe(3);
  });

  test('does as the provider says about another try', async () => {
    server.behave({ type: 'error', status: 500, headers: { 'x-should-retry': 'false' } });
    const asked = server.requests.length;
    expect((await ask()).outcome).toMatchObject({ status: 'failed', retryable: false });
    expect(server.requests.length - asked).toBe(1);
  });

  test('is cancelled while the model hangs', async () => {
    server.behave({ type: 'hang' });
    const stop = new AbortController();
    const asked = server.requests.length;
    const running = ask({}, {}, { signal: stop.signal });
    while (server.requests.length === asked) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect((await running).outcome).toMatchObject({ status: 'failed', reason: 'cancelled', retryable: false });
  });

  test.for([
    ['timeoutMs', 'timeout'],
    ['idleTimeoutMs', 'idle'],
  ] as const)('keeps %s', async ([limit, reason]) => {
    server.behave({ type: 'hang' });
    expect((await ask({}, { [limit]: 50 })).outcome).toMatchObject({ status: 'failed', reason, retryable: true });
  });

  test('uses one connection for one question after another', async () => {
    const asked = server.requests.length;
    for (let round = 0; round < 5; round += 1) expect((await ask()).outcome.status).toBe('succeeded');
    expect(new Set(server.requests.slice(asked).map(({ connection }) => connection)).size).toBe(1);
  });

  test('takes key and address from the environment alone', async () => {
    const elsewhere = await ask({ provider: 'openai', environmentPrefix: 'ELSEWHERE', model: 'm' });
    expect(elsewhere.outcome).toMatchObject({ status: 'succeeded', cost: { basis: 'unpriced' } });
    const missing = await ask({ provider: 'openai', environmentPrefix: 'NOWHERE' });
    expect(missing.outcome).toMatchObject({ status: 'failed', reason: 'authentication' });
    expect(missing.outcome.status === 'failed' && missing.outcome.message).toContain('NOWHERE_API_KEY');
    const open = { inheritFrom: { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: 'http://example.com' } };
    expect((await ask({}, {}, open)).outcome).toMatchObject({ status: 'failed', reason: 'invalidRequest' });
    await expect(ask({ environmentPrefix: 'path' })).rejects.toThrow(TypeError);
  });

  test('is priced as its user says', async () => {
    const price = { inputUsd: 1000, outputUsd: 0, cachedInputUsd: 0, cacheWriteUsd: 0 };
    expect((await ask({ price })).outcome.cost).toEqual({ usd: expect.closeTo(0.12, 9), basis: 'list' });
    const prices = { 'claude-sonnet-4-5': { ...price, inputUsd: 2000 } };
    expect((await ask({}, {}, { prices })).outcome.cost.usd).toBeCloseTo(0.24, 9);
    expect((await ask({ price }, {}, { prices })).outcome.cost.usd).toBeCloseTo(0.12, 9);
  });

  test('takes a secret out that is spread over the pieces of an answer', async () => {
    const secret = 'hunter2-correct-horse';
    server.behave({ type: 'slow', delayMs: 0, pieces: 9, text: `the word is ${secret}, I think` });
    const { outcome, events } = await ask({}, {}, { secrets: [secret] });
    expect(outcome.text).toBe('the word is [redacted], I think');
    const said = events.flatMap((event) => (event.type === 'text' ? [event.text] : []));
    expect(said.join('')).toBe('the word is [redacted], I think');
  });

  test('leaves its events in the attempt directory', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'agents-test-'));
    try {
      const { events } = await ask({}, { attemptDirectory: directory });
      const agent = { adapter: 'model', provider: 'anthropic', model: 'm' } as const;
      const again: AgentEvent[] = [];
      for await (const event of readAttemptEvents(agent, directory)) again.push(event);
      expect(again).toEqual(events.filter(({ type }) => type !== 'settled'));
      expect(await readFile(join(directory, 'prompt.txt'), 'utf8')).toBe('say hello');
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('lets what the caller throws through', async () => {
    const onEvent = (event: AgentEvent) => {
      if (event.type === 'text') throw new Error('journal is full');
    };
    await expect(ask({}, {}, { onEvent })).rejects.toThrow('journal is full');
  });

  test('is told in each turn of a session what was said before', async () => {
    await using session = openAgentSession(
      { adapter: 'model', provider: 'openai', model: 'm' },
      { cwd: '/' },
      { inheritFrom: environment() },
    );
    await session.send('the number is 17');
    server.behave({ type: 'error', status: 400 });
    expect((await session.send('a turn that fails')).status).toBe('failed');
    server.behave({ type: 'reply' });
    await session.send('which number?');
    expect(server.requests.at(-1)?.body.messages).toEqual([
      { role: 'user', content: 'the number is 17' },
      { role: 'assistant', content: 'Hello from the loopback model.' },
      { role: 'user', content: 'which number?' },
    ]);
  });
});
