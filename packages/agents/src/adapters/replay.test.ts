/** Recorded streams of the real programs, through the same reader and parser that a running one goes through. */
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Adapter } from '../adapter.ts';
import type { AgentDefinition, AgentTask } from '../definition.ts';
import type { AgentEvent } from '../event.ts';
import type { AttemptExit, Outcome } from '../outcome.ts';
import { openOutputReader } from '../output-reader.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';

interface Expected {
  readonly status: 'succeeded' | 'failed';
  readonly reason?: string;
  readonly retryable?: boolean;
  readonly usd: number;
  readonly basis: string;
  /** input, cached, cache write, output, reasoning */
  readonly tokens: readonly [number, number, number, number, number];
  readonly text: string;
  readonly output?: unknown;
  /** First eight characters; undefined where the program said none. */
  readonly session?: string;
  readonly message?: RegExp;
}

const hello = 'Hello from stub.';
const nothing: Expected['tokens'] = [0, 0, 0, 0, 0];
const oneCall = { usd: 0.0005115, basis: 'reported', tokens: [160, 30, 10, 7, 0] } as const;
const twoCalls = { usd: 0.001023, basis: 'reported', tokens: [320, 60, 20, 14, 0] } as const;
const refused = { status: 'failed', usd: 0, basis: 'reported', tokens: nothing } as const;
const rateLimited = 'API Error: Request rejected (429) · This request would exceed your rate limit (stub)';

// One turn of 200 tokens in, 50 of them cached, and 20 out on gpt-5.1-codex: (150 × 1.25 + 50 × 0.125 + 20 × 10) / 1e6.
const codexTurn = {
  status: 'succeeded',
  usd: 0.00039375,
  basis: 'list',
  tokens: [200, 50, 0, 20, 5],
  text: hello,
} as const;
const codexTwoTurns = { ...codexTurn, usd: 0.0007875, tokens: [400, 100, 0, 40, 10] } as const;
const codexUnknown = { status: 'failed', usd: 0, basis: 'unpriced', tokens: nothing, text: '' } as const;

const claudeCases: Readonly<Record<string, Expected>> = {
  'claude-400': {
    ...{ ...refused, reason: 'invalidRequest', retryable: false, session: 'b1e35f58' },
    text: 'API Error: 400 bad request (stub)',
  },
  'claude-429': { ...refused, reason: 'rateLimit', retryable: true, session: '6727182e', text: rateLimited },
  'claude-500': {
    ...{ ...refused, reason: 'overloaded', retryable: true, session: '4ae206f4' },
    text: 'API Error: 500 Internal server error (stub). This is a server-side issue, usually temporary — try again in a moment. If it persists, check your inference gateway (127.0.0.1:8099).',
  },
  'claude-allow': { status: 'succeeded', ...twoCalls, session: 'd42e5252', text: hello },
  'claude-basic': { status: 'succeeded', ...oneCall, session: '7b695124', text: hello },
  'claude-bearer': { status: 'succeeded', ...oneCall, session: '8bbff79f', text: hello },
  'claude-bypass': {
    ...{ status: 'failed', reason: 'invalidRequest', retryable: false, usd: 0, basis: 'unpriced', tokens: nothing },
    text: '',
    message: /refused to start; .*cannot be used with root/,
  },
  'claude-deny': { status: 'succeeded', ...twoCalls, session: '8c2ca1a5', text: hello },
  'claude-edits': { status: 'succeeded', ...twoCalls, session: '885bc053', text: hello },
  'claude-kill9': {
    ...{ status: 'failed', reason: 'noResult', retryable: true, session: '33333333', text: '' },
    // No total came: the one request is priced at list, without the output tokens nobody reported.
    ...{ usd: 0.0004215, basis: 'list', tokens: [160, 30, 10, 1, 0] },
  },
  'claude-kill9res': {
    ...{ status: 'failed', reason: 'turns', retryable: false, ...oneCall, session: '33333333', text: '' },
    message: /Reached maximum number of turns \(1\)/,
  },
  'claude-nokey': {
    ...{ ...refused, reason: 'authentication', retryable: false, session: 'f26f0e34' },
    text: 'Not logged in · Please run /login',
    message: /ANTHROPIC_API_KEY/,
  },
  'claude-partial': { status: 'succeeded', ...oneCall, session: 'fa647aef', text: hello },
  'claude-r0': { ...refused, reason: 'rateLimit', retryable: true, session: 'dd591e88', text: rateLimited },
  'claude-ra': { ...refused, reason: 'rateLimit', retryable: true, session: '8e8b4f47', text: rateLimited },
  'claude-raw': {
    session: '9aacade3',
    status: 'failed',
    reason: 'crash',
    retryable: true,
    usd: 0,
    basis: 'unpriced',
    tokens: nothing,
    text: '',
  },
  'claude-res': { status: 'succeeded', ...oneCall, session: '22222222', text: hello },
  'claude-resumebad': {
    ...{ ...refused, reason: 'invalidRequest', retryable: false, session: '11111111', text: '' },
    message: /No conversation found/,
  },
  'claude-schema': {
    status: 'succeeded',
    ...oneCall,
    session: 'e41ca57a',
    text: '{"answer":"42"}',
    output: { answer: '42' },
  },
  'claude-sid': { status: 'succeeded', ...oneCall, session: '22222222', text: hello },
  'claude-sid2': {
    ...{ status: 'failed', reason: 'invalidRequest', retryable: false, usd: 0, basis: 'unpriced', tokens: nothing },
    text: '',
    message: /already in use/,
  },
  'claude-sigINT': {
    ...{ status: 'failed', reason: 'cancelled', retryable: false, session: '535e5c4d', text: '' },
    ...{ usd: 0.03017850000000004, basis: 'reported', tokens: [9440, 1770, 590, 413, 0] },
  },
  'claude-sigTERM': {
    ...{ status: 'failed', reason: 'crash', retryable: true, session: 'd88471c6', text: '' },
    ...{ usd: 38 * 0.0004215, basis: 'list', tokens: [38 * 160, 38 * 30, 38 * 10, 38, 0] },
  },
  'claude-stdin': { status: 'succeeded', ...oneCall, session: '68edd1bc', text: hello },
  'claude-term': {
    ...{ status: 'failed', reason: 'crash', retryable: true, session: 'b38edc7a', text: '' },
    ...{ usd: 0.0004215, basis: 'list', tokens: [160, 30, 10, 1, 0] },
  },
  'claude-tool': { status: 'succeeded', ...twoCalls, session: 'c7280dd4', text: hello },
  'claude-unk': { status: 'succeeded', ...oneCall, usd: 0, basis: 'unpriced', session: 'f6b294fb', text: hello },
};

const codexCases: Readonly<Record<string, Expected>> = {
  'codex-400': {
    ...codexUnknown,
    reason: 'invalidRequest',
    retryable: false,
    session: '01a1fb72',
    message: /bad request/,
  },
  'codex-429': { ...codexUnknown, reason: 'rateLimit', retryable: true, session: '01a1fb72' },
  'codex-500': { ...codexUnknown, reason: 'overloaded', retryable: true, session: '01a1fb72' },
  'codex-basic': { ...codexTurn, session: '01a1fb71' },
  'codex-noenv': { ...codexTurn, session: '01a1fb7e' },
  'codex-nogit': { ...codexUnknown, reason: 'invalidRequest', retryable: false, message: /set skipGitRepoCheck/ },
  'codex-nohome': { ...codexUnknown, reason: 'invalidRequest', retryable: false, message: /CODEX_HOME/ },
  'codex-nokey': {
    ...codexUnknown,
    reason: 'authentication',
    retryable: false,
    session: '01a1fb7e',
    message: /MISSING_KEY/,
  },
  'codex-resume': { ...codexTurn, session: '01a1fb71' },
  'codex-resumebad': { ...codexUnknown, reason: 'invalidRequest', retryable: false, message: /no rollout found/ },
  'codex-sandbox': { ...codexTwoTurns, session: '01a1fb71' },
  'codex-schema': { ...codexTurn, session: '01a1fb72', text: '{"answer":"42"}', output: { answer: '42' } },
  'codex-sigINT': { ...codexUnknown, reason: 'crash', retryable: true, session: '01a1fb73' },
  'codex-sigTERM': { ...codexUnknown, reason: 'crash', retryable: true, session: '01a1fb73' },
  'codex-stdin': { ...codexTurn, session: '01a1fb7e' },
  'codex-tool': { ...codexTwoTurns, session: '01a1fb71' },
};

describe.each([
  ['claude', claudeCases],
  ['codex', codexCases],
] as const)('%s', (_adapter, cases) => {
  test.for(Object.entries(cases))('reads the recording %s', ([name, expected]) => {
    const { outcome, events } = replay(name, recordedBytes(name));
    const failed = outcome.status === 'failed' ? outcome : undefined;
    expect({ status: outcome.status, reason: failed?.reason, retryable: failed?.retryable }).toEqual({
      status: expected.status,
      reason: expected.reason,
      retryable: expected.retryable,
    });
    expect(outcome.text).toBe(expected.text);
    expect(outcome.output).toEqual(expected.output ?? null);
    expect(outcome.sessionId?.slice(0, 8)).toBe(expected.session);
    expect(outcome.cost.basis).toBe(expected.basis);
    expect(outcome.cost.usd).toBeCloseTo(expected.usd, 9);
    const { usage } = outcome;
    expect([
      usage.inputTokens,
      usage.cachedInputTokens,
      usage.cacheWriteInputTokens,
      usage.outputTokens,
      usage.reasoningOutputTokens,
    ]).toEqual(expected.tokens);
    if (expected.message !== undefined) expect(failed?.message).toMatch(expected.message);
    expect(JSON.parse(JSON.stringify(events))).toEqual(events);
  });

  test.for(Object.keys(cases))('gives the same for %s wherever its chunks are cut', (name) => {
    const bytes = recordedBytes(name);
    const whole = replay(name, bytes);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: bytes.length }), { maxLength: 12 }), (cuts) => {
        const places = [...new Set([0, ...cuts, bytes.length])].sort((a, b) => a - b);
        const chunks = places.slice(1).map((place, index) => bytes.subarray(places[index], place));
        expect(replay(name, { bytes: chunks, ...recordedEnd(name) })).toEqual(whole);
      }),
      { numRuns: 10 },
    );
  });

  test.for(Object.keys(cases))('gives the same for %s among lines and keys of a later version', (name) => {
    const lines = recordedLines(name);
    const strange = lines.flatMap((line) => [
      '{"type":"from_the_future","subtype":"init","session_id":7,"message":[],"item":null}',
      '{"no_type":true}',
      line.replace(/\}$/, ',"from_the_future":{"type":"result"}}'),
      '{"type":"system","subtype":"from_the_future","attempt":"one"}',
      '{"type":"assistant","message":{"content":[{"type":"from_the_future"},null,7]}}',
      '{"type":"item.completed","item":{"id":"x","type":"from_the_future"}}',
      '',
    ]);
    const { outcome } = replay(name, encode(strange));
    expect(outcome).toEqual(replay(name, recordedBytes(name)).outcome);
  });

  // Fails against a verdict by exit code.
  test.for(Object.keys(cases))('never takes %s for a success when it is cut before its terminal line', (name) => {
    const lines = recordedLines(name);
    const terminal = lines.findIndex((line) => /"type":"(?:result|turn\.completed|turn\.failed)"/.test(line));
    for (let kept = 0; kept < lines.length; kept += 1) {
      const { outcome } = replay(name, { bytes: [encode(lines.slice(0, kept))], exitCode: 0, stderr: '' });
      if (terminal !== -1 && kept > terminal) continue;
      expect(outcome).toMatchObject({ status: 'failed', reason: 'noResult', retryable: true });
    }
  });

  test.for(Object.keys(cases))('survives %s with any byte changed', (name) => {
    const bytes = recordedBytes(name);
    if (bytes.length === 0) return;
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 }), (place, value) => {
        const damaged = Buffer.from(bytes);
        damaged[place] = value;
        expect(['succeeded', 'failed']).toContain(replay(name, damaged).outcome.status);
      }),
      { numRuns: 20 },
    );
  });
});

describe('the parsers', () => {
  test('never throw, whatever JSON comes', () => {
    fc.assert(
      fc.property(fc.array(hostileLine(), { maxLength: 6 }), (lines) => {
        for (const name of ['claude-basic', 'codex-basic'])
          replay(name, encode(lines.map((line) => JSON.stringify(line))));
      }),
      { numRuns: 300 },
    );
  });
});

interface Replayed {
  readonly outcome: Outcome;
  readonly events: readonly AgentEvent[];
}

interface Run {
  readonly bytes: readonly Uint8Array[];
  readonly exitCode: number;
  readonly stderr: string;
}

function replay(name: string, what: Uint8Array | Run): Replayed {
  const run = what instanceof Uint8Array ? { bytes: [what], ...recordedEnd(name) } : what;
  return name.startsWith('claude-')
    ? pass(claude, { adapter: 'claude' }, taskOf(name), run)
    : pass(codex, { adapter: 'codex', model: 'gpt-5.1-codex' }, taskOf(name), run);
}

function pass<D extends AgentDefinition>(adapter: Adapter<D>, definition: D, task: AgentTask, run: Run): Replayed {
  const parser = adapter.parse(definition, task);
  const reader = openOutputReader(parser, adapter.format, 1024 * 1024);
  const events = [...run.bytes.flatMap((chunk) => [...reader.push(chunk)]), ...reader.end()];
  const exit: AttemptExit = {
    ...{ exitCode: run.exitCode, stderr: run.stderr, durationMs: 5 },
    ...{ signalName: null, endedBy: 'exit' as const },
  };
  return { outcome: parser.end(exit), events };
}

function taskOf(name: string): AgentTask {
  const task = { prompt: 'say hello', cwd: '/' };
  if (name.endsWith('-schema')) return { ...task, outputSchema: { type: 'object' } };
  if (name === 'codex-resume') {
    const usage = { inputTokens: 200, cachedInputTokens: 50, cacheWriteInputTokens: 0, outputTokens: 20 };
    const resumeSessionTotal = { usage: { ...usage, reasoningOutputTokens: 5 } };
    return { ...task, resumeSessionId: '01a1fb71-a547-7e90-ab83-977ef77e358c', resumeSessionTotal };
  }
  if (name === 'claude-res') return { ...task, resumeSessionId: '22222222-2222-4222-8222-222222222222' };
  return task;
}

function recording(name: string, file: string): URL {
  return new URL(`../../test/recordings/${name}/${file}`, import.meta.url);
}

function recordedBytes(name: string): Buffer {
  return readFileSync(recording(name, 'stdout.jsonl'));
}

function recordedLines(name: string): readonly string[] {
  return recordedBytes(name)
    .toString()
    .split('\n')
    .filter((line) => line !== '');
}

function recordedEnd(name: string): { readonly exitCode: number; readonly stderr: string } {
  const stderr = recording(name, 'stderr.txt');
  return {
    exitCode: Number(readFileSync(recording(name, 'exit-code.txt'), 'utf8')),
    stderr: existsSync(stderr) ? readFileSync(stderr, 'utf8') : '',
  };
}

function encode(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

/** Objects with the types and keys that the parsers look at, holding anything. */
function hostileLine() {
  const types = ['system', 'assistant', 'user', 'result', 'rate_limit_event', 'error', 'turn.completed', 'turn.failed'];
  const more = ['item.started', 'item.completed', 'thread.started'];
  const keys = ['message', 'item', 'usage', 'modelUsage', 'model_usage_since_last_result', 'errors', 'rate_limit_info'];
  return fc
    .tuple(
      fc.constantFrom(...types, ...more),
      fc.constantFrom('init', 'success', 'api_retry', 'permission_denied', 'error_during_execution', '__proto__'),
      fc.dictionary(
        fc.constantFrom(...keys, 'error', 'session_id', 'result', 'content', 'type', '__proto__'),
        fc.jsonValue(),
      ),
    )
    .map(([type, subtype, rest]) => ({ ...rest, type, subtype }));
}
