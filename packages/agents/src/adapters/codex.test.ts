import { describe, expect, test } from 'vitest';
import type { AgentTask, CodexAgentDefinition } from '../definition.ts';
import type { AttemptExit } from '../outcome.ts';
import { listPrices } from '../price.ts';
import { noUsage } from '../usage.ts';
import { codex } from './codex.ts';

const exit: AttemptExit = { exitCode: 0, signalName: null, endedBy: 'exit', durationMs: 5, stderr: '' };

function play(lines: readonly unknown[], task: Partial<AgentTask> = {}, model?: string) {
  const definition = { adapter: 'codex', ...(model === undefined ? {} : { model }) } as const;
  const parser = codex.parse(definition, { prompt: 'hello', cwd: '/', ...task }, listPrices);
  const events = lines.flatMap((line) => [...parser.read(line)]);
  return { events, outcome: parser.end(exit), state: parser.state };
}

const item = (type: string, more: object) => ({ type: 'item.completed', item: { id: 'item_1', type, ...more } });
const completed = { type: 'turn.completed', usage: { input_tokens: 100, cached_input_tokens: 40, output_tokens: 10 } };

describe('the codex parser', () => {
  test('gives both events of a tool that is only seen completed', () => {
    const changes = [{ path: 'a.ts', kind: 'update' }];
    expect(play([item('file_change', { changes, status: 'completed' })]).events).toEqual([
      { type: 'toolStarted', id: 'item_1', name: 'file_change', input: { changes } },
      { type: 'toolEnded', id: 'item_1', name: 'file_change', failed: false },
    ]);
  });

  test('gives one pair of events for a tool that is seen three times', () => {
    const call = { server: 'files', tool: 'read', arguments: { path: 'a' } };
    const result = { content: [{ type: 'text', text: 'A' }] };
    const { events } = play([
      { type: 'item.started', item: { id: 'item_1', type: 'mcp_tool_call', ...call } },
      { type: 'item.updated', item: { id: 'item_1', type: 'mcp_tool_call', ...call } },
      item('mcp_tool_call', { ...call, result, status: 'completed' }),
    ]);
    expect(events).toEqual([
      { type: 'toolStarted', id: 'item_1', name: 'files.read', input: { path: 'a' } },
      { type: 'toolEnded', id: 'item_1', name: 'files.read', failed: false, output: 'A' },
    ]);
  });

  test('reports a declined command as a permission', () => {
    const { events } = play([item('command_execution', { command: 'rm', status: 'declined' })]);
    expect(events.map((event) => event.type)).toEqual(['toolStarted', 'permissionAsked', 'toolEnded']);
  });

  test('reads a to-do list as progress', () => {
    const items = [
      { text: 'one', completed: true },
      { text: 'two', completed: false },
    ];
    expect(play([item('todo_list', { items })]).events).toEqual([
      { type: 'progress', done: 1, total: 2, message: 'two' },
    ]);
  });

  test('takes reconnecting for what it is', () => {
    const message = 'Reconnecting... 2/5 (exceeded retry limit, last status: 429 Too Many Requests)';
    const { events, outcome } = play([{ type: 'error', message }, item('agent_message', { text: 'hi' }), completed]);
    expect(events[0]).toMatchObject({ type: 'retrying', attempt: 2, maxAttempts: 5, reason: 'rateLimit' });
    expect(outcome).toMatchObject({ status: 'succeeded', text: 'hi' });
  });

  test('is hopeless when it reconnects with a refused key', () => {
    const message = 'Reconnecting... 1/5 (unexpected status 401 Unauthorized: no)';
    expect(play([{ type: 'error', message }])).toMatchObject({
      state: 'hopeless',
      outcome: { reason: 'authentication', retryable: false },
    });
  });

  test.for([
    ['unexpected status 401 Unauthorized: ', 'authentication'],
    ["You've hit your usage limit. Upgrade to Pro", 'rateLimit'],
    ['{"error":{"code":"insufficient_quota","message":"You exceeded your current quota"}}', 'budget'],
    ['stream disconnected before completion', 'overloaded'],
    ['unexpected status 503 Service Unavailable', 'overloaded'],
    ['{"type":"error","error":{"type":"invalid_request_error"}}', 'invalidRequest'],
    ['Codex ran out of room in the model context window', 'invalidRequest'],
    ['something else', 'failed'],
  ] as const)('reads %j as %s', ([message, reason]) => {
    expect(play([{ type: 'turn.failed', error: { message } }]).outcome).toMatchObject({ status: 'failed', reason });
  });

  test('prices the model of its definition and no other', () => {
    expect(play([completed], {}, 'gpt-5.1-codex').outcome.cost).toEqual({
      usd: expect.closeTo(0.00018, 9),
      basis: 'list',
    });
    expect(play([completed], {}, 'gpt-nobody-knows').outcome.cost).toEqual({ usd: 0, basis: 'unpriced' });
    expect(play([completed]).outcome.cost).toEqual({ usd: 0, basis: 'unpriced' });
  });

  test('counts a resumed thread from where it was', () => {
    const resumeSessionTotal = { usage: { ...noUsage, inputTokens: 60, cachedInputTokens: 30, outputTokens: 4 } };
    const known = play([completed], { resumeSessionId: 't', resumeSessionTotal }).outcome;
    expect(known.usage).toMatchObject({ inputTokens: 40, cachedInputTokens: 10, outputTokens: 6 });
    expect(known.sessionTotal?.usage.inputTokens).toBe(100);
    const unknown = play([completed], { resumeSessionId: 't' }, 'gpt-5.1-codex').outcome;
    expect(unknown).toMatchObject({ usage: { inputTokens: 100 }, cost: { basis: 'unpriced' } });
    expect(unknown.warnings).toEqual([expect.stringContaining('tokens are a ceiling')]);
  });
});

const context = { pathOf: (name: string) => `/files/${name}`, asks: false };

describe('the codex plan', () => {
  test('keeps every value a value', () => {
    const definition: CodexAgentDefinition = {
      adapter: 'codex',
      program: ['node', 'codex.js'],
      model: '--yolo',
      sandbox: 'workspace-write',
      skipGitRepoCheck: true,
      reasoningEffort: 'high',
      config: { web_search: '"disabled"' },
      addDirectories: ['-x'],
    };
    const plan = codex.plan(definition, { prompt: '--help', cwd: '/', resumeSessionId: 'abc' }, context);
    expect(plan.command).toEqual([
      ...['node', 'codex.js', 'exec', '--json', '--model=--yolo', '--sandbox=workspace-write', '--add-dir=-x'],
      ...['--skip-git-repo-check', '--config=model_reasoning_effort="high"', '--config=web_search="disabled"'],
      ...['resume', 'abc', '-'],
    ]);
    expect(plan.stdin).toBe('--help');
  });
});
