/**
 * The real programs, where CADRE_AGENT_PROGRAMS names a folder that has them: against a model on loopback, in an environment
 * that holds nothing but what is given here and a home of their own. Nothing leaves this machine.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { AgentDefinition, AgentTask } from '../src/definition.ts';
import type { AgentEvent } from '../src/event.ts';
import { findAgentPrograms } from '../src/find-programs.ts';
import type { PermissionQuestion } from '../src/permission.ts';
import { runAgent } from '../src/run-agent.ts';
import type { RunAgentOptions } from '../src/run-options.ts';
import { openAgentSession } from '../src/session.ts';
import { type ModelServer, openModelServer } from '../src/testing/model-server.ts';

const folder = process.env.CADRE_AGENT_PROGRAMS ?? '';
const key = 'test-key-not-a-secret-0123456789';
const answer = 'Hello from the loopback model.';

const programs = ['claude', 'codex', 'gemini', 'opencode'] as const;
type Program = (typeof programs)[number];

const found = programs.filter((program) => folder !== '' && existsSync(join(folder, program)));

test('at least one real program is there to be run', ({ skip }) => {
  if (found.length > 0) return;
  const reason = 'CADRE_AGENT_PROGRAMS names no folder with claude, codex, gemini or opencode';
  if (process.env.CADRE_REQUIRE_SERVICES === '1') throw new Error(reason);
  skip(reason);
});

let server: ModelServer;
let home: string;
let cwd: string;

beforeAll(async () => {
  server = await openModelServer();
});

afterAll(() => server.close());

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'agents-home-'));
  cwd = join(home, 'work');
  for (const name of ['work', 'tmp', 'codex', '.gemini']) await mkdir(join(home, name));
  // Beside another address it must be said how it logs in; and two turns are enough for every test but one.
  const settings = { security: { auth: { selectedType: 'gemini-api-key' } }, model: { maxSessionTurns: 3 } };
  const privacy = { usageStatisticsEnabled: false };
  await writeFile(join(home, '.gemini', 'settings.json'), JSON.stringify({ ...settings, privacy }));
  server.behave({ type: 'reply' });
});

afterEach(() => rm(home, { recursive: true, force: true }));

function definitionOf(program: Program, more: object = {}): AgentDefinition {
  switch (program) {
    case 'claude':
      return { adapter: 'claude', model: 'claude-sonnet-4-5', ...more };
    case 'codex': {
      const stub = `{name="stub",base_url="${server.url}/v1",env_key="CODEX_API_KEY",wire_api="responses"}`;
      const config = { 'model_providers.stub': stub, model_provider: '"stub"', 'analytics.enabled': 'false' };
      const quiet = { ...config, 'features.plugins': 'false' };
      return { adapter: 'codex', model: 'gpt-5.1-codex', skipGitRepoCheck: true, config: quiet, ...more };
    }
    case 'gemini': {
      return { adapter: 'gemini', model: 'gemini-2.5-flash', trustFolder: true, ...more };
    }
    case 'opencode':
      // It installs a package of its own at each first start: here it finds nobody to get it from.
      return {
        adapter: 'opencode',
        model: 'stub/m1',
        environment: { NPM_CONFIG_REGISTRY: 'http://127.0.0.1:9' },
        ...more,
      };
  }
}

/** All that the programs see, and where variables with a key come from. */
function environment(): Readonly<Record<string, string>> {
  const options = { baseURL: `${server.url}/v1`, apiKey: key };
  const models = { m1: { cost: { input: 3, output: 15, cache_read: 0.3 }, limit: { context: 100_000, output: 8000 } } };
  return {
    ...{ PATH: `${folder}${delimiter}${process.env.PATH ?? ''}`, HOME: home, TMPDIR: join(home, 'tmp') },
    ...{ ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: key, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
    ...{ DISABLE_TELEMETRY: '1', DISABLE_ERROR_REPORTING: '1' },
    ...{ CODEX_HOME: join(home, 'codex'), CODEX_API_KEY: key },
    ...{ GEMINI_API_KEY: key, GOOGLE_GEMINI_BASE_URL: server.url, GEMINI_CLI_HOME: home },
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_CONFIG_CONTENT: JSON.stringify({
      provider: { stub: { npm: '@ai-sdk/openai-compatible', options, models } },
    }),
  };
}

async function run(agent: AgentDefinition, more: Partial<AgentTask> = {}, options: RunAgentOptions = {}) {
  const events: AgentEvent[] = [];
  const outcome = await runAgent(
    agent,
    { prompt: '--say hello', cwd, timeoutMs: 80_000, ...more },
    { inheritFrom: environment(), onEvent: (event) => events.push(event), ...options },
  );
  return { outcome, events };
}

// Limits for machines that do much else at once; alone, each of these takes a second or two.
describe.for(found)('%s', { timeout: 180_000 }, (program) => {
  test('answers, and says what it took', async () => {
    const asked = server.requests.length;
    const { outcome, events } = await run(definitionOf(program));
    expect(outcome).toMatchObject({ status: 'succeeded', text: answer, exitCode: 0 });
    expect(outcome).not.toHaveProperty('unknownKinds');
    expect(outcome.sessionId).toMatch(/./);
    expect(outcome.usage).toMatchObject({ inputTokens: 160, cachedInputTokens: 30, outputTokens: 7 });
    expect(outcome.cost.usd).toBeGreaterThan(0);
    expect(events[0]?.type).toBe('started');
    expect(events.filter((event) => event.type === 'text')).toEqual([{ type: 'text', text: answer }]);
    // The prompt that looks like a flag came through, and the key went where it should.
    const requests = server.requests.slice(asked);
    expect(requests.some(({ body }) => JSON.stringify(body).includes('--say hello'))).toBe(true);
    for (const { headers } of requests) expect(JSON.stringify(headers)).toContain(key);
  });

  test('is not let try a refused key for minutes', async () => {
    server.behave({ type: 'error', status: 401 });
    const { outcome } = await run(definitionOf(program));
    expect(outcome).toMatchObject({ status: 'failed', reason: 'authentication', retryable: false });
    expect(JSON.stringify(outcome)).not.toContain(key);
  });

  test('fails on a request that can not be served', async () => {
    server.behave({ type: 'error', status: 400 });
    const { outcome } = await run(definitionOf(program));
    expect(outcome).toMatchObject({ status: 'failed', reason: 'invalidRequest', retryable: false });
  });

  test('is ended while the model hangs', async () => {
    server.behave({ type: 'hang' });
    const { outcome } = await run(definitionOf(program), { timeoutMs: 4000 });
    expect(outcome).toMatchObject({ status: 'failed', reason: 'timeout', retryable: true });
  });

  test('goes on where it was when it is resumed', async () => {
    const first = await run(definitionOf(program));
    const { sessionId = '', sessionTotal } = first.outcome;
    const asked = server.requests.length;
    const total = sessionTotal === undefined ? {} : { resumeSessionTotal: sessionTotal };
    const { outcome } = await run(definitionOf(program), { prompt: 'and again', resumeSessionId: sessionId, ...total });
    expect(outcome).toMatchObject({ status: 'succeeded', sessionId });
    // Only what this attempt took, although some programs report the whole session.
    expect(outcome.usage).toMatchObject({ inputTokens: 160, outputTokens: 7 });
    const bodies = server.requests.slice(asked).map(({ body }) => JSON.stringify(body));
    expect(bodies.some((body) => body.includes('--say hello') && body.includes('and again'))).toBe(true);
  });

  test('takes several turns of one session', async () => {
    const seen: string[] = [];
    await using session = openAgentSession(
      definitionOf(program),
      { cwd },
      { inheritFrom: environment(), onEvent: ({ type }) => seen.push(type) },
    );
    const first = await session.send('the number is 17');
    const asked = server.requests.length;
    const second = await session.send('which number?');
    expect([first, second]).toMatchObject([
      { status: 'succeeded', text: answer, usage: { inputTokens: 160 } },
      { status: 'succeeded', text: answer, usage: { inputTokens: 160 } },
    ]);
    expect(session.sessionId).toBe(first.sessionId);
    const bodies = server.requests.slice(asked).map(({ body }) => JSON.stringify(body));
    expect(bodies.some((body) => body.includes('the number is 17') && body.includes('which number?'))).toBe(true);
    expect(seen.filter((type) => type === 'settled')).toHaveLength(2);
  });

  test('has an answer of the schema that it is given, or fails', async () => {
    const outputSchema = {
      ...{ type: 'object', additionalProperties: false },
      ...{ required: ['answer'], properties: { answer: { type: 'string' } } },
    };
    server.behave(
      program === 'claude'
        ? { type: 'tool', name: 'StructuredOutput', input: { answer: '42' } }
        : { type: 'reply', text: '{"answer":"42"}' },
    );
    const good = await run(definitionOf(program), { outputSchema });
    expect(good.outcome).toMatchObject({ status: 'succeeded', output: { answer: '42' } });
    if (program === 'claude') return;
    server.behave({ type: 'reply', text: '{"answer":42}' });
    const bad = await run(definitionOf(program), { outputSchema });
    expect(bad.outcome).toMatchObject({ status: 'failed', reason: 'badOutput', output: { answer: 42 } });
  });

  test('calls a tool where it may', async () => {
    server.behave(toolOf(program, 'touch made'));
    const { outcome, events } = await run(definitionOf(program, permissions[program]));
    expect(outcome).toMatchObject({ status: 'succeeded', text: answer });
    expect(existsSync(join(cwd, 'made'))).toBe(true);
    if (program === 'codex') return; // It does not report every command.
    expect(events.filter((event) => event.type === 'toolEnded')).toMatchObject([{ failed: false }]);
  });
});

/** What each needs to run a command unasked. */
const permissions: Readonly<Record<Program, object>> = {
  claude: { allowedTools: ['Bash'], permissionMode: 'acceptEdits' },
  codex: { sandbox: 'danger-full-access' },
  gemini: { permissionMode: 'yolo' },
  opencode: { permissionMode: 'auto' },
};

function toolOf(program: Program, command: string) {
  const names = { claude: 'Bash', codex: 'exec_command', gemini: 'run_shell_command', opencode: 'bash' };
  const input = program === 'codex' ? { cmd: command } : { command, description: 'makes a file' };
  return { type: 'tool', name: names[program], input } as const;
}

const withServers = found.filter((program) => program !== 'gemini');

describe.for(withServers)('%s and MCP servers', { timeout: 180_000 }, (program) => {
  test('connects to a server, offers its tool to the model, and calls it', async () => {
    const heard = join(home, 'heard.jsonl');
    const command = [process.execPath, fileURLToPath(new URL('programs/mcp-server.mjs', import.meta.url)), heard];
    const mcpServers = { notes: { command, environment: { NOTES_SETTING: 'as "set"' } } };
    const { definition, ...tool } = remembering[program];
    server.behave({ type: 'tool', input: { word: 'seventeen' }, ...tool });
    const asked = server.requests.length;
    const { outcome, events } = await run(definitionOf(program, { mcpServers, ...definition }));
    const messages = (await readFile(heard, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(messages[0]).toMatchObject({ method: 'initialize', secret: 'as "set"' });
    const offered = server.requests.slice(asked).map(({ body }) => JSON.stringify(body.tools));
    expect(offered.some((tools) => tools?.includes('Remembers a word.'))).toBe(true);
    expect(messages.find(({ method }) => method === 'tools/call')).toMatchObject({
      params: { name: 'remember', arguments: { word: 'seventeen' } },
    });
    expect(outcome).toMatchObject({ status: 'succeeded', text: answer });
    expect(events.find((event) => event.type === 'toolEnded')).toMatchObject({
      failed: false,
      output: 'remembered seventeen',
    });
    expect(JSON.stringify(server.requests.at(-1)?.body)).toContain('remembered seventeen');
  });
});

/** What each calls the tool, and what it needs to call it unasked. */
const remembering = {
  claude: { name: 'mcp__notes__remember', definition: { allowedTools: ['mcp__notes__remember'] } },
  codex: { name: 'remember', namespace: 'mcp__notes', definition: { sandbox: 'danger-full-access' } },
  opencode: { name: 'notes_remember', definition: { permissionMode: 'auto' } },
} as const;

describe.runIf(found.includes('claude'))('claude and permissions', { timeout: 180_000 }, () => {
  test('asks the host, which says yes', async () => {
    server.behave(toolOf('claude', 'touch made'));
    const questions: PermissionQuestion[] = [];
    const { outcome, events } = await run(
      definitionOf('claude'),
      {},
      {
        onPermission: (question) => {
          questions.push(question);
          return { allow: true };
        },
      },
    );
    expect(outcome).toMatchObject({ status: 'succeeded', text: answer });
    expect(questions).toMatchObject([{ tool: 'Bash', input: { command: 'touch made' } }]);
    expect(events.filter((event) => event.type.startsWith('permission'))).toMatchObject([
      { type: 'permissionAsked', tool: 'Bash', denied: false },
      { type: 'permissionAnswered', tool: 'Bash', allowed: true, by: 'host' },
    ]);
    expect(existsSync(join(cwd, 'made'))).toBe(true);
  });

  test('goes on without a tool that the host refuses, or does not answer about', async () => {
    for (const onPermission of [
      () => ({ allow: false, message: 'not today' }) as const,
      () => new Promise<never>(() => undefined),
    ]) {
      server.behave(toolOf('claude', 'touch made'));
      const { outcome, events } = await run(definitionOf('claude'), {}, { onPermission, permissionTimeoutMs: 300 });
      expect(outcome).toMatchObject({ status: 'succeeded', text: answer });
      expect(events.find((event) => event.type === 'permissionAnswered')).toMatchObject({ allowed: false });
      expect(existsSync(join(cwd, 'made'))).toBe(false);
    }
  });

  test('interrupts one turn of a session and goes on with the next in the same process', async () => {
    server.behave({ type: 'hang' });
    const pids = new Set<number>();
    await using session = openAgentSession(
      definitionOf('claude'),
      { cwd },
      { inheritFrom: environment(), graceMs: 5000, onStarted: (identity) => void pids.add(identity?.pid ?? 0) },
    );
    const stop = new AbortController();
    const cut = await session.send('first', {
      signal: stop.signal,
      onEvent: ({ type }) => type === 'started' && stop.abort(),
    });
    expect(cut).toMatchObject({ status: 'failed', reason: 'cancelled' });
    server.behave({ type: 'reply' });
    expect(await session.send('second')).toMatchObject({ status: 'succeeded', text: answer });
    expect(pids.size).toBe(1);
  });
});

describe.runIf(found.includes('gemini'))('gemini and its limits', { timeout: 180_000 }, () => {
  test('stops at the limit of turns of its own settings', async () => {
    server.behave(toolEveryTime);
    const { outcome } = await run(definitionOf('gemini', { permissionMode: 'yolo' }));
    expect(outcome).toMatchObject({ status: 'failed', reason: 'turns' });
  });

  test('has no tool that is refused', async () => {
    server.behave(toolOf('gemini', 'touch made'));
    const refused = { permissionMode: 'yolo', disallowedTools: ['run_shell_command'] };
    const { outcome } = await run(definitionOf('gemini', refused));
    expect(outcome.status).toBe('succeeded');
    expect(existsSync(join(cwd, 'made'))).toBe(false);
  });
});

const toolEveryTime = { type: 'tool', name: 'run_shell_command', input: { command: 'true' }, always: true } as const;

describe.runIf(found.includes('codex'))('codex and settings', { timeout: 180_000 }, () => {
  test('gives the model what is to be added to its system prompt', async () => {
    const asked = server.requests.length;
    await run(definitionOf('codex', { appendSystemPrompt: 'Speak "Latin".', effort: 'low' }));
    const body = server.requests.slice(asked).map((request) => JSON.stringify(request.body));
    expect(body.join('')).toContain('Speak \\"Latin\\".');
    expect(body.join('')).toContain('"effort":"low"');
  });
});

test('findAgentPrograms finds the real programs', async ({ skip }) => {
  if (found.length === 0) skip('no program is there');
  const all = await findAgentPrograms(environment());
  for (const program of found) {
    const entry = all.find((candidate) => candidate.program === program);
    expect(entry?.path).toBe(join(folder, program));
    // On a busy machine it may not have said it in time.
    if (entry?.version !== undefined) expect(entry.version).toMatch(/^\d+\.\d+/);
  }
});
