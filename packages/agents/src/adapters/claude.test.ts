import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AgentTask } from '../definition.ts';
import type { AgentEvent } from '../event.ts';
import type { AttemptExit, Outcome } from '../outcome.ts';
import { listPrices } from '../price.ts';
import { noUsage } from '../usage.ts';
import { claude } from './claude.ts';

const task: AgentTask = { prompt: 'hello', cwd: '/' };
const exit: AttemptExit = { exitCode: 0, signalName: null, endedBy: 'exit', durationMs: 5, stderr: '' };

function play(lines: readonly unknown[], more: { task?: Partial<AgentTask>; exit?: Partial<AttemptExit> } = {}) {
  const parser = claude.parse({ adapter: 'claude' }, { ...task, ...more.task }, listPrices);
  const events: AgentEvent[] = lines.flatMap((line) => [...parser.read(line)]);
  const outcome: Outcome = parser.end({ ...exit, ...more.exit });
  return { events, outcome, state: parser.state };
}

function recorded(name: string): readonly unknown[] {
  const text = readFileSync(new URL(`../../test/recordings/${name}/stdout.jsonl`, import.meta.url), 'utf8');
  return text.split('\n').flatMap((line): unknown[] => (line === '' ? [] : [JSON.parse(line)]));
}

function result(more: object) {
  return { type: 'result', subtype: 'success', is_error: false, result: 'ok', session_id: 's', ...more };
}

function spent(costUSD: number, costBasis = 'list') {
  return { m: { inputTokens: 10, outputTokens: 1, cacheReadInputTokens: 2, costUSD, costBasis } };
}

describe('the claude parser', () => {
  test('tells what happened in the order it happened', () => {
    const { events } = play(recorded('claude-deny'));
    expect(events.map((event) => event.type)).toEqual([
      ...['started', 'usage', 'toolStarted', 'permissionAsked', 'toolEnded', 'usage', 'text', 'usage'],
    ]);
    expect(events[0]).toEqual({
      type: 'started',
      sessionId: '8c2ca1a5-5377-4b15-87b5-bd1a489c2455',
      model: 'claude-sonnet-4-5',
    });
    expect(events[2]).toMatchObject({ id: 'toolu_1', name: 'Bash', input: { command: 'touch zzz' } });
    expect(events[3]).toMatchObject({ tool: 'Bash', denied: true });
    expect(events[4]).toMatchObject({ id: 'toolu_1', name: 'Bash', failed: true });
    expect(events[7]).toMatchObject({ usage: { inputTokens: 320 }, cost: { usd: 0.001023, basis: 'reported' } });
  });

  test('shows each retry with its delay', () => {
    const { events } = play(recorded('claude-ra'));
    expect(events.filter((event) => event.type === 'retrying')).toEqual([
      {
        ...{ type: 'retrying', attempt: 1, maxAttempts: 1, delayMs: 5406, reason: 'rateLimit' },
        message: 'rate_limit, HTTP status 429',
      },
    ]);
  });

  test('knows when a used-up subscription limit resets', () => {
    const info = { status: 'rejected', resetsAt: 1_800_000_000, rateLimitType: 'five_hour' };
    const error = { is_error: true, api_error_status: 429, result: 'limit reached' };
    const { outcome, events } = play([{ type: 'rate_limit_event', rate_limit_info: info }, result(error)], {
      exit: { exitCode: 1 },
    });
    expect(events[0]).toEqual({
      type: 'warning',
      message: 'The five_hour rate limit is used up; it resets at 2027-01-15T08:00:00.000Z.',
    });
    expect(outcome).toMatchObject({ reason: 'rateLimit', retryable: true, retryAtMs: 1_800_000_000_000 });
  });

  test('is hopeless as soon as the key is refused', () => {
    const retry = { type: 'system', subtype: 'api_retry', attempt: 1, error: 'unknown', error_status: 401 };
    expect(play([retry], { exit: { endedBy: 'ended', exitCode: 143 } })).toMatchObject({
      state: 'hopeless',
      outcome: { status: 'failed', reason: 'authentication', retryable: false },
    });
  });

  test.for([
    ['timeout', 'timeout'],
    ['idle', 'idle'],
    ['aborted', 'cancelled'],
    ['ended', 'cancelled'],
  ] as const)('takes an interrupted run that was ended by %s for %s', ([endedBy, reason]) => {
    const interrupted = result({ subtype: 'error_during_execution', is_error: true, terminal_reason: 'aborted_tools' });
    expect(play([interrupted], { exit: { endedBy } }).outcome).toMatchObject({ reason });
    expect(play([], { exit: { endedBy } }).outcome).toMatchObject({ reason });
    expect(play([result({})], { exit: { endedBy } }).outcome).toMatchObject({ status: 'succeeded' });
  });

  test.for([
    ['billing_error', null, 'budget', false],
    ['overloaded', 529, 'overloaded', true],
    ['model_not_found', 404, 'invalidRequest', false],
    ['a_new_code', 503, 'overloaded', true],
    ['a_new_code', null, 'failed', false],
    ['constructor', null, 'failed', false],
  ] as const)('maps the error %s with status %s', ([error, api_error_status, reason, retryable]) => {
    const said = { type: 'assistant', error, api_error_status, is_api_error_message: true, message: { content: [] } };
    const { outcome } = play([said, result({ is_error: true, api_error_status })]);
    expect(outcome).toMatchObject({ status: 'failed', reason, retryable });
  });

  test('adds up the results of one process and the models of one result', () => {
    const { outcome } = play([
      result({ model_usage_since_last_result: spent(0.1) }),
      result({ model_usage_since_last_result: { ...spent(0.2), n: { costUSD: 0.3 } }, modelUsage: spent(9) }),
    ]);
    expect(outcome.cost.usd).toBeCloseTo(0.6, 10);
    expect(outcome.usage).toMatchObject({ inputTokens: 24, cachedInputTokens: 4, outputTokens: 2 });
  });

  test('gives only the part that has a known price', () => {
    const models = { ...spent(0.25), n: { costUSD: 3, costBasis: 'unknown' } };
    expect(play([result({ model_usage_since_last_result: models })]).outcome.cost).toEqual({
      usd: 0.25,
      basis: 'unpriced',
    });
  });

  test('takes the sum of a version that does not tell models apart, and no sum for no price', () => {
    const usage = { input_tokens: 4, output_tokens: 2 };
    const { outcome } = play([result({ total_cost_usd: 0.5, usage })]);
    expect(outcome).toMatchObject({
      cost: { usd: 0.5, basis: 'reported' },
      usage: { inputTokens: 4, outputTokens: 2 },
    });
    expect(play([result({ usage })]).outcome.cost).toEqual({ usd: 0, basis: 'unpriced' });
  });

  test('subtracts what a resumed session took before, where only its total is reported', () => {
    const line = result({ modelUsage: spent(0.5), total_cost_usd: 0.5, usage: { input_tokens: 4 } });
    const resumed = { resumeSessionId: 's' };
    const before = { usage: { ...noUsage, inputTokens: 5 }, usd: 0.125 };
    const known = play([line], { task: { ...resumed, resumeSessionTotal: before } }).outcome;
    expect(known).toMatchObject({ cost: { usd: 0.375, basis: 'reported' }, usage: { inputTokens: 7 }, warnings: [] });
    expect(known.sessionTotal).toMatchObject({ usd: 0.5, usage: { inputTokens: 12 } });
    const unknown = play([line], { task: resumed }).outcome;
    expect(unknown).toMatchObject({ cost: { usd: 0, basis: 'unpriced' }, usage: { inputTokens: 4 } });
    expect(unknown.warnings).toHaveLength(1);
  });

  test('does not take a subagent for the one who answers', () => {
    const say = (text: string, parent_tool_use_id: string | null) => ({
      type: 'assistant',
      parent_tool_use_id,
      message: { content: [{ type: 'text', text }] },
    });
    expect(play([say('mine', null), say('its', 'toolu_1')]).outcome.text).toBe('mine');
  });

  test('drops a session id that could not be handed back', () => {
    expect(play([{ type: 'system', session_id: '--continue' }]).outcome).not.toHaveProperty('sessionId');
  });

  test('fails when a demanded structure did not come', () => {
    const { outcome } = play([result({ result: 'sorry' })], { task: { outputSchema: {} } });
    expect(outcome).toMatchObject({ status: 'failed', reason: 'badOutput', retryable: true, text: 'sorry' });
  });
});
