/** Attempts that outlive the process of their run. Kills at random moments are in `apps/orchestrator/src/kill.test.ts`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createCache } from '@cadre/cache';
import { isProcessAlive, type ProcessIdentity } from '@cadre/spawner';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunEvent } from './event.ts';
import { Journal } from './journal.ts';
import { localExecutor } from './local-executor.ts';
import { abandonRun, readRun, resumeRun } from './run.ts';
import { attemptDirectory, listRuns } from './run-directory.ts';

let directory: string;
let projectDirectory: string;
const executor = localExecutor({ graceMs: 100 });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cadre-adopt-'));
  projectDirectory = join(directory, '.cadre');
  writeFileSync(join(directory, 'workflow.yaml'), workflow);
  writeFileSync(join(directory, 'work.sh'), program);
  writeFileSync(join(directory, 'read.txt'), 'one');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const workflow = `
name: outlived
agents:
  program: { adapter: command, command: [sh, ./work.sh] }
tasks:
  work: { agent: program, prompt: do it, reads: read.txt, retry: 1 }
  after: { agent: program, needs: work, prompt: and that }
`;

/** Notes that it was started, waits until it may end, and says what it read at its start. */
const program = `
content=$(cat read.txt); prompt=$(cat)
echo "$prompt" >>starts
until [ -e end ]; do sleep 0.01; done
echo "$prompt with $content"
`;

const starts = () => readFileSync(join(directory, 'starts'), 'utf8').trim().split('\n');
const mayEnd = () => writeFileSync(join(directory, 'end'), '');
const resume = (runId: string) => resumeRun({ projectDirectory, runId, executor });

/** A run whose process was killed while its first task was under way. */
async function killedRun(): Promise<{ runId: string; agent: ProcessIdentity }> {
  const main = fileURLToPath(new URL('../test/programs/start-run.mjs', import.meta.url));
  const runner = spawn(process.execPath, [main, join(directory, 'workflow.yaml'), projectDirectory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let agent: ProcessIdentity | undefined;
  for await (const line of createInterface({ input: runner.stdout })) {
    const event: RunEvent = JSON.parse(line);
    if (event.type !== 'attemptSpawned') continue;
    agent = event.process;
    break;
  }
  while (!existsSync(join(directory, 'starts'))) await new Promise(setImmediate);
  runner.kill('SIGKILL');
  await once(runner, 'exit');
  const [run] = await listRuns(projectDirectory);
  if (agent === undefined || run === undefined) throw new Error('the run never began');
  return { runId: run, agent };
}

describe.skipIf(process.platform !== 'linux')('an attempt whose run was killed', () => {
  test('is taken up where it is, and paid for once', async () => {
    const { runId, agent } = await killedRun();
    expect(await isProcessAlive(agent)).toBe(true);
    const run = await resume(runId);
    mayEnd();
    const { status, totals } = await run.finished;
    expect([status, totals.attempts]).toEqual(['succeeded', 2]);
    expect(starts()).toEqual(['do it', 'and that']);
    expect(await run.result()).toBe('and that with one');
    const { events } = await readRun(projectDirectory, runId);
    expect(events.filter(({ type }) => type === 'attemptAdopted')).toMatchObject([
      { task: 'work', attempt: 1, process: agent },
    ]);
    // What was kept for an adoption holds what the program printed, secrets included.
    expect(existsSync(join(attemptDirectory(run.directory, 'work', 1), 'process'))).toBe(false);
  });

  test('counts when it has ended before anybody came back', async () => {
    const { runId, agent } = await killedRun();
    mayEnd();
    while (await isProcessAlive(agent)) await new Promise(setImmediate);
    const run = await resume(runId);
    expect((await run.finished).status).toBe('succeeded');
    expect(starts()).toEqual(['do it', 'and that']);
  });

  // Seen to fail with whatever was under way taken up: the result of the old file stood for the new one.
  test('is ended, and asked anew, when what it was asked about has changed', async () => {
    const { runId, agent } = await killedRun();
    writeFileSync(join(directory, 'read.txt'), 'two');
    const run = await resume(runId);
    while (starts().length < 2) await new Promise(setImmediate);
    expect(await isProcessAlive(agent)).toBe(false);
    mayEnd();
    await run.finished;
    expect(starts()).toEqual(['do it', 'do it', 'and that']);
    expect(await run.result()).toBe('and that with two');
  });

  test('is ended when a result for it has come up meanwhile', async () => {
    const { runId, agent } = await killedRun();
    const cache = createCache();
    await using _ = { [Symbol.asyncDispose]: () => cache.close() };
    const { events } = await readRun(projectDirectory, runId);
    const started = events.find((event) => event.type === 'attemptStarted');
    await cache.set(started?.asked ?? '', { output: 'from elsewhere', durationMs: 1, usd: 0, files: [] });
    const run = await resumeRun({ projectDirectory, runId, executor, cache });
    mayEnd();
    expect((await run.finished).counts).toMatchObject({ reused: 1, succeeded: 1 });
    expect(await isProcessAlive(agent)).toBe(false);
  });

  // Seen to fail where what is under way is told by the state: the second resume started the program again, beside the first.
  test('is taken up by the next who comes when the one before was killed as soon as it had come', async () => {
    const { runId, agent } = await killedRun();
    const { directory: folder, started } = await readRun(projectDirectory, runId);
    const journal = await Journal.open(folder);
    await journal.append({ type: 'runResumed', at: Date.now(), process: started.process });
    await journal.close();
    const run = await resume(runId);
    mayEnd();
    expect((await run.finished).status).toBe('succeeded');
    expect(starts()).toEqual(['do it', 'and that']);
    expect(await isProcessAlive(agent)).toBe(false);
  });

  // Seen to fail where it counts as a try: the task has but one.
  test('is made again when it went while nobody ran the run', async () => {
    const { runId, agent } = await killedRun();
    process.kill(agent.pid, 'SIGKILL');
    while (await isProcessAlive(agent)) await new Promise(setImmediate);
    mayEnd();
    const run = await resume(runId);
    const { status, totals } = await run.finished;
    expect([status, totals.attempts]).toEqual(['succeeded', 3]);
    expect(starts()).toEqual(['do it', 'do it', 'and that']);
  });

  test('is ended with its run that is given up', async () => {
    const { runId, agent } = await killedRun();
    expect(await abandonRun(projectDirectory, runId)).toContainEqual(agent);
    expect(await isProcessAlive(agent)).toBe(false);
  });

  test('is ended with the run that has taken it up', async () => {
    const { runId, agent } = await killedRun();
    const run = await resume(runId);
    expect((await run.stop('interrupted')).status).toBe('interrupted');
    expect(await isProcessAlive(agent)).toBe(false);
  });
});
