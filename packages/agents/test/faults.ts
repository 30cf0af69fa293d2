/**
 * Faults of programs and of providers, each with the outcome that is right for it. A *trial* makes one attempt into which one
 * fault is put; `fired` says whether it really was.
 */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentDefinition, AgentTask, ModelAgentDefinition } from '../src/definition.ts';
import type { AgentEvent, FailureReason } from '../src/event.ts';
import type { Outcome } from '../src/outcome.ts';
import { runAgent } from '../src/run-agent.ts';
import type { RunAgentOptions } from '../src/run-options.ts';
import { type ModelBehaviour, type ModelServer, openModelServer } from '../src/testing/model-server.ts';
import { type AgentScript, type ScriptedAdapter, scriptedAgent } from '../src/testing/scripted-agent.ts';

export interface Place {
  /** From 0 up to, but without, 1. */
  readonly random: () => number;
  /** An empty folder of this trial. */
  readonly directory: string;
  readonly marker: { readonly name: string; readonly value: string };
}

export interface Trial {
  readonly outcome: Outcome;
  readonly fired: boolean;
  /** What the outcome must match. */
  readonly expected: Partial<Outcome>;
}

export type Fault = (place: Place) => Promise<Trial>;

type Streaming = Exclude<ScriptedAdapter, 'command'>;

interface Attempt {
  readonly task?: Partial<AgentTask>;
  readonly options?: RunAgentOptions;
  /** Called with its first event. */
  readonly after?: (pid: number) => void;
}

/** Complete streams, the terminal line last. */
const streams: Readonly<Record<Streaming, readonly string[]>> = {
  jsonl: [
    ...Array.from({ length: 4 }, (_, index) => JSON.stringify({ type: 'text', text: `line ${index}` })),
    JSON.stringify({ type: 'result', output: 1 }),
  ],
  claude: recorded('claude-tool'),
  codex: recorded('codex-tool'),
  gemini: recorded('gemini-tool'),
  opencode: recorded('opencode-tool'),
};

const adapters = ['jsonl', 'claude', 'codex', 'gemini', 'opencode'] as const;

const succeeded = { status: 'succeeded' } as const;

/** Of a program that is started, by name. */
export const programFaults: Readonly<Record<string, Fault>> = {
  'nothing happens': (place) => play(place, {}, succeeded),
  'is slow': (place) => play(place, { delaysMs: 1 + upTo(place, 20) }, succeeded),
  'exits early with code 0': (place) => play(place, { lines: beginning(place) }, failed('noResult', true)),
  'exits early with an error': (place) =>
    play(place, { lines: beginning(place), exitCode: pick(place, [1, 3, 134]) }, failed('crash', true)),
  'stays after its result': (place) => play(place, { afterwards: 'hang' }, succeeded, { options: { lingerMs: 50 } }),
  'hangs until its time is up': (place) =>
    play(place, hanging(place), failed('timeout', true), { task: { timeoutMs: 150 + upTo(place, 400) } }),
  'falls silent': (place) =>
    play(place, hanging(place), failed('idle', true), { task: { idleTimeoutMs: 150 + upTo(place, 400) } }),
  'is killed by SIGKILL': (place) =>
    play(place, { lines: beginning(place, 1), afterwards: 'hang' }, failed('crash', true), {
      after: (pid) => void process.kill(pid, 'SIGKILL'),
    }),
  async 'is cancelled'(place) {
    const stop = new AbortController();
    return play(place, hanging(place, 1), failed('cancelled', false), {
      options: { signal: stop.signal },
      after: () => stop.abort(),
    });
  },
  async 'is cancelled with a family that ignores it'(place) {
    const stop = new AbortController();
    const agent = { adapter: 'jsonl', command: [process.execPath, program('family.mjs')] } as const;
    return attempt(place, agent, failed('cancelled', false), {
      options: { signal: stop.signal },
      after: () => stop.abort(),
    });
  },
  async 'has its stream cut in the middle of a line'(place) {
    const adapter = pick(place, adapters);
    const bytes = Buffer.from(`${streams[adapter].join('\n')}\n`);
    // Up to where the last line is all but whole.
    const file = join(place.directory, 'cut.jsonl');
    await writeFile(file, bytes.subarray(0, upTo(place, bytes.length - 2)));
    const command = ['sh', '-c', 'exec cat "$0"', file];
    const agent = adapter === 'jsonl' ? { adapter, command } : { adapter, program: command };
    return attempt(place, agent, failed('noResult', true));
  },
  'prints a line without an end': (place) => {
    const command = ['sh', '-c', `printf '{"type":"text","text":"'; head -c 400000 /dev/zero | tr '\\0' x; sleep 60`];
    const options = { maxOutputBytes: 65_536 };
    return attempt(place, { adapter: 'jsonl', command }, failed('badOutput', false), { options });
  },
  'is not there': (place) =>
    attempt(place, { adapter: 'claude', program: join(place.directory, 'claude') }, failed('programNotFound', false)),
  'is a function that spins': (place) =>
    attempt(place, moduleAgent('spinning'), failed('timeout', true), { task: { timeoutMs: 300 + upTo(place, 300) } }),
  'is a function that ends its thread': (place) => attempt(place, moduleAgent('dying'), failed('crash', true)),
};

/** Of a provider that the `model` adapter asks, by name. */
export const providerFaults: Readonly<Record<string, Fault>> = {
  'nothing happens': (place) => ask(place, { type: 'reply' }, succeeded),
  'is slow': (place) => ask(place, { type: 'slow', delayMs: 1 + upTo(place, 10) }, succeeded),
  'drops the connection': (place) => ask(place, { type: 'drop' }, failed('overloaded', true)),
  'drops it once': (place) => ask(place, [{ type: 'drop' }, { type: 'reply' }], succeeded, { retries: 1 }),
  'cuts the stream': (place) =>
    ask(place, { type: 'drop', afterPieces: 2 + upTo(place, 2) }, failed('overloaded', true)),
  'limits the rate for long': (place) => {
    const headers = { 'retry-after': `${120 + upTo(place, 1000)}` };
    return ask(place, { type: 'error', status: 429, headers }, failed('rateLimit', true), { retries: 3 });
  },
  'limits the rate for a moment': (place) => {
    const moment = { type: 'error', status: 429, headers: { 'retry-after-ms': `${1 + upTo(place, 20)}` } } as const;
    return ask(place, [moment, moment, { type: 'reply' }], succeeded, { retries: 3 });
  },
  'is overloaded': (place) =>
    ask(place, { type: 'error', status: pick(place, [500, 502, 503, 529]) }, failed('overloaded', true)),
  'refuses the key': (place) =>
    ask(place, { type: 'error', status: pick(place, [401, 403]) }, failed('authentication', false), { retries: 3 }),
  'refuses the request': (place) =>
    ask(place, { type: 'error', status: pick(place, [400, 404, 413]) }, failed('invalidRequest', false), {
      retries: 3,
    }),
  'hangs until the time is up': (place) =>
    ask(place, { type: 'hang' }, failed('timeout', true), { task: { timeoutMs: 100 + upTo(place, 200) } }),
  'falls silent': (place) =>
    ask(place, { type: 'hang' }, failed('idle', true), { task: { idleTimeoutMs: 100 + upTo(place, 200) } }),
  'hangs until it is cancelled': (place) => ask(place, { type: 'hang' }, failed('cancelled', false), { cancel: true }),
};

/** Claude Code itself, from `folder`, against a provider on loopback. */
export function realFaults(folder: string): Readonly<Record<string, Fault>> {
  const claude = (place: Place, behaviour: ModelBehaviour, expected: Partial<Outcome>, how: Attempt = {}) =>
    withServer(behaviour, async (server) => {
      const agent = { adapter: 'claude', model: 'claude-sonnet-4-5', program: join(folder, 'claude') } as const;
      const inheritFrom = {
        ...{ PATH: process.env.PATH ?? '', HOME: place.directory, TMPDIR: place.directory },
        ...{ ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: key, CLAUDE_CODE_MAX_RETRIES: '0' },
        ...{ CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_TELEMETRY: '1', DISABLE_ERROR_REPORTING: '1' },
      };
      const trial = await attempt(place, agent, expected, { ...how, options: { ...how.options, inheritFrom } });
      return { ...trial, fired: trial.fired && server.requests.length > 0 };
    });
  return {
    'nothing happens': (place) => claude(place, { type: 'reply' }, succeeded),
    'its model limits the rate': (place) => claude(place, { type: 'error', status: 429 }, failed('rateLimit', true)),
    'its model is overloaded': (place) => claude(place, { type: 'error', status: 500 }, failed('overloaded', true)),
    'its key is refused': (place) => claude(place, { type: 'error', status: 401 }, failed('authentication', false)),
    'its model drops the connection': (place) => claude(place, { type: 'drop' }, failed('overloaded', true)),
    'its model hangs': (place) =>
      claude(place, { type: 'hang' }, failed('timeout', true), { task: { timeoutMs: 15_000 } }),
  };
}

function failed(reason: FailureReason, retryable: boolean): Partial<Outcome> {
  return { status: 'failed', reason, retryable };
}

/** A scripted agent through any of the adapters that read lines; the whole stream where the script has no lines. */
function play(
  place: Place,
  script: Omit<AgentScript, 'lines'> & { readonly lines?: Share },
  expected: Partial<Outcome>,
  how: Attempt = {},
): Promise<Trial> {
  const adapter = pick(place, adapters);
  const all = streams[adapter];
  const count = script.lines === undefined ? all.length : script.lines.of(all.length - 1);
  const played = { ...script, lines: all.slice(0, count) };
  return attempt(place, scriptedAgent(played, adapter), expected, how);
}

/** How many of the lines before the terminal one. */
interface Share {
  of(count: number): number;
}

function beginning({ random }: Place, least = 0): Share {
  const share = random();
  return { of: (count) => least + Math.floor(share * (count - least + 1)) };
}

function hanging(place: Place, least = 0) {
  const terminate = pick(place, ['obey', 'ignore'] as const);
  return { lines: beginning(place, least), afterwards: 'hang', terminate } as const;
}

async function attempt(
  { directory, marker }: Place,
  agent: AgentDefinition,
  expected: Partial<Outcome>,
  { task, options, after }: Attempt = {},
): Promise<Trial> {
  const events: AgentEvent[] = [];
  let pid = 0;
  let fired = after === undefined;
  const outcome = await runAgent(
    agent,
    { prompt: 'do it', cwd: directory, attemptDirectory: join(directory, 'attempt'), timeoutMs: 60_000, ...task },
    {
      ...{ marker, graceMs: 100, ...options },
      onStarted: (identity) => {
        pid = identity?.pid ?? 0;
      },
      onEvent: (event) => {
        events.push(event);
        if (fired || event.type === 'settled') return;
        fired = true;
        after?.(pid);
      },
    },
  );
  assertSettled(events, outcome);
  return { outcome, fired, expected };
}

/** What is true of every attempt: it settles once, last, with what the caller gets. */
function assertSettled(events: readonly AgentEvent[], outcome: Outcome): void {
  const settled = events.filter(({ type }) => type === 'settled');
  const last = events.at(-1);
  if (settled.length !== 1 || last?.type !== 'settled' || last.outcome !== outcome) {
    throw new Error(`It settled ${settled.length} times, and the last event is ${JSON.stringify(last)}.`);
  }
}

const key = 'test-key-not-a-secret-0123456789';

async function ask(
  place: Place,
  behaviour: ModelBehaviour | readonly ModelBehaviour[],
  expected: Partial<Outcome>,
  how: { readonly retries?: number; readonly task?: Partial<AgentTask>; readonly cancel?: boolean } = {},
): Promise<Trial> {
  const provider = pick(place, ['anthropic', 'openai', 'gemini'] as const);
  const stop = new AbortController();
  return withServer(behaviour, async (server) => {
    if (how.cancel === true) {
      server.behave(() => {
        stop.abort();
        return { type: 'hang' };
      });
    }
    const agent: ModelAgentDefinition = {
      ...{ adapter: 'model', provider, model: 'm1', maxRetryWaitMs: 10_000, maxRetries: how.retries ?? 0 },
    };
    const inheritFrom = {
      ...{ ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: server.url },
      ...{ OPENAI_API_KEY: key, OPENAI_BASE_URL: `${server.url}/v1`, GEMINI_API_KEY: key, GEMINI_BASE_URL: server.url },
    };
    const options = { inheritFrom, signal: stop.signal };
    const trial = await attempt(place, agent, expected, { options, ...(how.task && { task: how.task }) });
    const asked = Array.isArray(behaviour) ? behaviour.length : 1;
    return { ...trial, fired: server.requests.length === asked };
  });
}

async function withServer(
  behaviour: ModelBehaviour | readonly ModelBehaviour[],
  use: (server: ModelServer) => Promise<Trial>,
): Promise<Trial> {
  const server = await openModelServer(behaviour);
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

function moduleAgent(name: string): AgentDefinition {
  return { adapter: 'module', module: program('module-agents.mjs'), export: name };
}

function program(name: string): string {
  return fileURLToPath(new URL(`programs/${name}`, import.meta.url));
}

function recorded(name: string): readonly string[] {
  const file = new URL(`recordings/${name}/stdout.jsonl`, import.meta.url);
  return readFileSync(file, 'utf8').trimEnd().split('\n');
}

function upTo({ random }: Place, most: number): number {
  return Math.floor(random() * (most + 1));
}

function pick<T>({ random }: Place, all: readonly [T, ...T[]]): T {
  return all[Math.floor(random() * all.length)] ?? all[0];
}
