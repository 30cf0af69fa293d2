/** The real programs, where this machine has them: without a key, without network, in a home of their own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findAgentPrograms } from '../find-programs.ts';
import { runAgent } from '../run-agent.ts';

describe('real programs', () => {
  let home: string;
  let found: ReadonlySet<string>;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'agents-home-'));
    const programs = await findAgentPrograms({ PATH: process.env.PATH, HOME: home, TMPDIR: home });
    found = new Set(programs.filter((program) => program.path !== undefined).map((program) => program.program));
  });

  afterAll(() => rm(home, { recursive: true, force: true }));

  test('claude without a key fails as authentication', async ({ skip }) => {
    if (!found.has('claude')) skip('claude is not installed');
    const environment = { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' };
    const outcome = await runAgent(
      { adapter: 'claude', environment },
      { prompt: 'hello', cwd: home, timeoutMs: 20_000 },
      {
        inheritFrom: { PATH: process.env.PATH, HOME: home, TMPDIR: home },
      },
    );
    expect(outcome).toMatchObject({ status: 'failed', reason: 'authentication' });
  });

  test('codex without a key fails as authentication', async ({ skip }) => {
    if (!found.has('codex')) skip('codex is not installed');
    const provider = '{name="stub",base_url="http://127.0.0.1:9/v1",env_key="NO_SUCH_KEY",wire_api="responses"}';
    const config = { 'model_providers.stub': provider, model_provider: '"stub"' };
    const outcome = await runAgent(
      { adapter: 'codex', skipGitRepoCheck: true, config, environment: { CODEX_HOME: home } },
      { prompt: 'hello', cwd: home, timeoutMs: 20_000 },
      { inheritFrom: { PATH: process.env.PATH, HOME: home, TMPDIR: home } },
    );
    expect(outcome).toMatchObject({ status: 'failed', reason: 'authentication' });
  });
});
