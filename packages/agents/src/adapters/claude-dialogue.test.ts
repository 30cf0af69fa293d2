/** Recorded dialogues with Claude Code over its stdin: each line has its time, who spoke (`>>` the host) and what. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { AgentEvent } from '../event.ts';
import type { AttemptExit } from '../outcome.ts';
import { openOutputReader } from '../output-reader.ts';
import { listPrices } from '../price.ts';
import { claude } from './claude.ts';
import { claudeDialogue } from './claude-dialogue.ts';

const exit: AttemptExit = { exitCode: 0, signalName: null, endedBy: 'exit', durationMs: 5, stderr: '' };

/** The recorder shortened two kinds of lines: a list of keys at the start of a session, and the usage of a result. */
function recorded(name: string) {
  const text = readFileSync(new URL(`../../test/recordings/${name}/stdout.jsonl`, import.meta.url), 'utf8');
  const lines = text.split('\n').map((line) => /^ *\d+ (<<|>>) (.*)$/.exec(line));
  const of = (speaker: string) =>
    lines.flatMap((line) =>
      line?.[1] === speaker ? [(line[2] ?? '').replace(/,\.\.\.\}$/, '}').replace(/ USAGE .*$/, '')] : [],
    );
  return { said: of('<<'), heard: of('>>') };
}

function play(name: string) {
  const { said } = recorded(name);
  const parser = claude.parse({ adapter: 'claude' }, { prompt: '', cwd: '/' }, listPrices);
  const reader = openOutputReader(parser, 'jsonl', 1_000_000);
  const events: AgentEvent[] = said.flatMap((line) => [...reader.push(Buffer.from(`${line}\n`))]);
  return { events: [...events, ...reader.end()], outcome: parser.end(exit), said };
}

describe('a recorded dialogue', () => {
  test('a tool that the host allowed', () => {
    const { events, outcome, said } = play('claude-control-permallow');
    const id = '42fd99f3-c921-47d5-8462-c224f52b75a9';
    const input = { command: 'touch perm.txt', description: 'stub' };
    const asked = events.find((event) => event.type === 'permissionAsked');
    expect(asked).toEqual({ type: 'permissionAsked', tool: 'Bash', denied: false, id, input, message: 'stub' });
    expect(events.map((event) => event.type)).toEqual([
      ...['started', 'usage', 'toolStarted', 'permissionAsked', 'toolEnded', 'usage', 'text', 'usage'],
    ]);
    expect(outcome).toMatchObject({ status: 'succeeded', cost: { usd: 0.001023, basis: 'reported' } });
    for (const line of said) expect(claudeDialogue.automatic(JSON.parse(line))).toBeUndefined();
  });

  test('what we write is what the recorded host wrote', () => {
    const { heard } = recorded('claude-control-permallow');
    const id = '42fd99f3-c921-47d5-8462-c224f52b75a9';
    const input = { command: 'touch perm.txt', description: 'stub' };
    expect(claudeDialogue.turn('USE_TOOL CMD<touch perm.txt>')).toBe(`${heard[1]}\n`);
    expect(claudeDialogue.answer(id, input, { allow: true })).toBe(`${heard[2]}\n`);
    expect(claudeDialogue.interrupt('int-1')).toBe(`${recorded('claude-control-int').heard[2]}\n`);
  });

  test('a turn that the host interrupted', () => {
    const { events, outcome } = play('claude-control-int');
    expect(outcome).toMatchObject({ status: 'failed', reason: 'cancelled', retryable: false });
    expect(events.filter((event) => event.type === 'toolEnded')).toMatchObject([{ id: 'toolu_1', failed: true }]);
  });

  test('a session without the handshake', () => {
    expect(play('claude-control-noinit').outcome).toMatchObject({ status: 'succeeded', text: 'Hello from stub.' });
  });

  test('a change of model, and a request that the program does not know', () => {
    const { events, outcome } = play('claude-control-setmodel');
    expect(outcome).toMatchObject({ status: 'succeeded', cost: { usd: 0.0001705 }, model: 'claude-haiku-4-5' });
    expect(outcome).not.toHaveProperty('unknownKinds');
    expect(events.at(-1)?.type).toBe('usage');
  });

  test('a SIGINT, after which it still gives its result', () => {
    expect(play('claude-control-sigint').outcome).toMatchObject({ status: 'failed', reason: 'cancelled' });
  });

  test('a SIGTERM, after which it gives none', () => {
    expect(play('claude-control-sigterm').outcome).toMatchObject({ status: 'failed', reason: 'noResult' });
  });
});

describe('claudeDialogue', () => {
  test('answers at once what no host is asked about', () => {
    const request = { type: 'control_request', request_id: 'r1', request: { subtype: 'hook_callback' } };
    expect(JSON.parse(claudeDialogue.automatic(request) ?? '')).toEqual({
      type: 'control_response',
      response: { subtype: 'error', request_id: 'r1', error: 'This host does not answer hook_callback.' },
    });
    expect(claudeDialogue.automatic({ type: 'assistant' })).toBeUndefined();
  });

  test('says why a tool is refused, and what it is to be called with instead', () => {
    const denied = JSON.parse(claudeDialogue.answer('r', {}, { allow: false, message: 'not today' }));
    expect(denied.response.response).toEqual({ behavior: 'deny', message: 'not today', interrupt: false });
    const changed = JSON.parse(claudeDialogue.answer('r', { a: 1 }, { allow: true, input: { a: 2 } }));
    expect(changed.response.response).toEqual({ behavior: 'allow', updatedInput: { a: 2 } });
  });

  test('tells which question was taken back', () => {
    expect(claudeDialogue.withdrawn({ type: 'control_cancel_request', request_id: 'r' })).toBe('r');
    expect(claudeDialogue.withdrawn({ type: 'control_request', request_id: 'r' })).toBeUndefined();
  });
});
