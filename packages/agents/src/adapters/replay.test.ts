/** Recorded streams of the real programs, through the same reader and parser that a running one goes through. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claudeCases, codexCases, geminiCases, opencodeCases } from '../../test/recorded-cases.ts';
import type { Adapter } from '../adapter.ts';
import type { AgentDefinition, AgentTask } from '../definition.ts';
import type { AgentEvent } from '../event.ts';
import type { AttemptExit, Outcome } from '../outcome.ts';
import { openOutputReader } from '../output-reader.ts';
import { listPrices } from '../price.ts';
import { openStderrLines } from '../stderr-lines.ts';
import { claude } from './claude.ts';
import { codex } from './codex.ts';
import { gemini } from './gemini.ts';
import { opencode } from './opencode.ts';

const terminalLine =
  /"type":"(?:result|turn\.completed|turn\.failed)"|"type":"error".*"name":"(?:API|Unknown)Error"|"reason":"stop"/;

describe.each([
  ['claude', claudeCases],
  ['codex', codexCases],
  ['gemini', geminiCases],
  ['opencode', opencodeCases],
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
    if (expected.retries !== undefined) {
      expect(events.filter((event) => event.type === 'retrying')).toHaveLength(expected.retries);
    }
    expect(outcome).not.toHaveProperty('unknownKinds');
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
    const { outcome, events } = replay(name, encode(strange));
    const { unknownKinds, ...known } = outcome;
    expect(known).toEqual(replay(name, recordedBytes(name)).outcome);
    if (lines.length === 0) return;
    expect(unknownKinds).toMatchObject({ from_the_future: lines.length });
    const counted = Object.values(unknownKinds ?? {}).reduce((sum, count) => sum + count, 0);
    expect(events.filter((event) => event.type === 'unknown')).toHaveLength(counted);
  });

  // Fails against a verdict by exit code.
  test.for(Object.keys(cases))('never takes %s for a success when it is cut before its terminal line', (name) => {
    const lines = recordedLines(name);
    const terminal = lines.findIndex((line) => terminalLine.test(line));
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

test('every recording of a one-shot run has its case', () => {
  const recorded = readdirSync(new URL('../../test/recordings/', import.meta.url)).filter(
    (name) => !name.startsWith('claude-control-'),
  );
  const cases = [claudeCases, codexCases, geminiCases, opencodeCases].flatMap((group) => Object.keys(group));
  expect(cases.sort()).toEqual(recorded.sort());
});

describe('the parsers', () => {
  test('never throw, whatever JSON comes', () => {
    fc.assert(
      fc.property(fc.array(hostileLine(), { maxLength: 6 }), (lines) => {
        for (const name of ['claude-basic', 'codex-basic', 'gemini-basic', 'opencode-basic'])
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
  const task = taskOf(name);
  if (name.startsWith('claude-')) return pass(claude, { adapter: 'claude' }, task, run);
  if (name.startsWith('gemini-')) return pass(gemini, { adapter: 'gemini' }, task, run);
  if (name.startsWith('opencode-')) return pass(opencode, { adapter: 'opencode' }, task, run);
  return pass(codex, { adapter: 'codex', model: 'gpt-5.1-codex' }, task, run);
}

function pass<D extends AgentDefinition>(adapter: Adapter<D>, definition: D, task: AgentTask, run: Run): Replayed {
  const parser = adapter.parse(definition, task, listPrices);
  const reader = openOutputReader(parser, adapter.format, 1024 * 1024);
  const stderr = openStderrLines((line) => parser.readStderr(line));
  const events = [
    ...[...stderr.push(Buffer.from(run.stderr)), ...stderr.end()],
    ...[...run.bytes.flatMap((chunk) => [...reader.push(chunk)]), ...reader.end()],
  ];
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
