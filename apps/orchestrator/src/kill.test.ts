/**
 * The promise of the house, tried on the program as it ships: `cadre run` is killed with SIGKILL at random moments, and
 * `cadre resume` comes to the same result, starts no program a second time, finished or under way, and leaves no process behind.
 *
 * Seen to fail with a resume that doesn't take up or end what is left: programs were started twice, processes were still there.
 *
 * `CADRE_KILLS` asks for more kills than the everyday number, `CADRE_SEED` for an earlier sequence of moments.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '@cadre/workflow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf, finishedTasks, ranAgain } from '../test/journal-facts.ts';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const kills = Number(process.env.CADRE_KILLS ?? 50);
const seed = Number(process.env.CADRE_SEED ?? Date.now() % 1_000_000);
const random = mulberry32(seed);

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'cadre-kill-'));
  writeFileSync(join(root, 'workflow.yaml'), workflow);
  writeFileSync(join(root, 'work.mjs'), program);
  writeFileSync(join(root, 'join.mjs'), joining);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.skipIf(process.platform !== 'linux')('cadre run, killed', () => {
  test(`at ${kills} random moments: resumes to the same result, starts nothing twice and leaves nothing behind`, async () => {
    const reference = project('reference');
    const whole = cadre(reference, ['run', workflowFile()]);
    const ended = finish(whole);
    await firstWords(whole);
    const began = performance.now();
    expect((await ended).code).toBe(0);
    const runMs = performance.now() - began;
    const expected = resultOf(reference);
    const count = { beforeTheRun: 0, midway: 0, afterTheEnd: 0, withProcessesLeft: 0, finishedBefore: 0, takenUp: 0 };

    await twoAtATime(kills, async (round) => {
      const folder = project(`round-${round}`);
      const running = cadre(folder, ['run', workflowFile()]);
      // Most of a short run is the start of the program: one kill in ten may fall there, the others once it speaks.
      if (round % 10 !== 0) await firstWords(running);
      // The fault itself: a moment nobody chose.
      await setTimeout(random() * runMs);
      running.kill('SIGKILL');
      if (running.exitCode === null && running.signalCode === null) await once(running, 'exit');

      const before = runEvents(folder);
      const started = before.find((event) => event.type === 'runStarted');
      const marker = started?.type === 'runStarted' ? started.marker : undefined;
      if (marker === undefined) count.beforeTheRun += 1;
      else if (before.some(({ type }) => type === 'runEnded')) count.afterTheEnd += 1;
      else count.midway += 1;
      if (marker !== undefined && carrying(marker).length > 0) count.withProcessesLeft += 1;
      count.finishedBefore += finishedTasks(before).length;

      const again = marker === undefined ? ['run', workflowFile()] : ['resume'];
      const { code, text } = await finish(cadre(folder, again));
      const hadEnded = before.some(({ type }) => type === 'runEnded');
      expect({ round, code, text: hadEnded || code === 0 ? '' : text }).toEqual({
        round,
        code: hadEnded ? code : 0,
        text: '',
      });

      const after = runEvents(folder);
      expect(resultOf(folder)).toEqual(expected);
      expect(after.slice(0, before.length)).toEqual(before);
      expect(ranAgain(after)).toEqual([]);
      count.takenUp += after.filter(({ type }) => type === 'attemptAdopted').length;
      if (marker !== undefined) expect(startsOf(marker)).toEqual(programTasks);
      if (marker !== undefined) expect(carrying(marker)).toEqual([]);
    });

    console.log(`kills, seed ${seed}:`, JSON.stringify(count));
    expect(count.midway).toBeGreaterThanOrEqual(kills * 0.4);
    expect(count.withProcessesLeft).toBeGreaterThan(0);
    expect(count.finishedBefore).toBeGreaterThan(0);
    expect(count.takenUp).toBeGreaterThan(kills / 4);
  }, 240_000);
});

/** Twelve tasks in three groups; every program also starts a child that would outlive it. */
const workflow = `
name: killed
agents:
  work: { adapter: jsonl, command: [node, ./work.mjs] }
  join: { adapter: module, module: ./join.mjs }
tasks:
${[1, 2, 3, 4, 5, 6].map((n) => `  collect-${n}: { agent: work, group: collect, with: { n: ${n} } }`).join('\n')}
${[1, 2, 3, 4].map((n) => `  analyse-${n}: { agent: ${n % 2 ? 'join' : 'work'}, group: analyse, needs: [collect-${n}, collect-${n + 2}], with: { n: ${n} } }`).join('\n')}
  sum: { agent: join, group: conclude, needs: [analyse-1, analyse-2, analyse-3, analyse-4] }
  report: { agent: work, group: conclude, needs: [sum, collect-5, collect-6] }
`;

const program = `
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
appendFileSync('starts.txt', process.env.CADRE_RUN_MARKER + '\\n');
const { input } = JSON.parse(await text(process.stdin));
const child = spawn('sleep', ['30'], { detached: true, stdio: 'ignore' });
for (let turn = 0; turn < 3; turn += 1) {
  console.log(JSON.stringify({ type: 'progress', done: turn, total: 3 }));
  await new Promise((resolve) => setTimeout(resolve, 10));
}
child.kill('SIGKILL');
console.log(JSON.stringify({ type: 'result', output: { large: 'x'.repeat(10_000), input } }));
`;

/** Those of the tasks whose agents are programs. */
const programTasks = [
  ...['analyse-2', 'analyse-4'],
  ...['collect-1', 'collect-2', 'collect-3', 'collect-4', 'collect-5', 'collect-6'],
  'report',
];

const joining = `
import { createHash } from 'node:crypto';
export default ({ input }) => ({ text: createHash('sha256').update(JSON.stringify(input)).digest('hex'), needs: Object.keys(input.needs) });
`;

const workflowFile = (): string => join(root, 'workflow.yaml');

function project(name: string): string {
  const folder = join(root, name);
  mkdirSync(folder);
  return folder;
}

function cadre(folder: string, argv: readonly string[]): ChildProcess {
  const home = join(root, 'home');
  return spawn(process.execPath, [main, ...argv, ...(argv[0] === 'run' ? ['--no-cache', '--concurrency', '3'] : [])], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      XDG_STATE_HOME: join(home, 'state'),
      XDG_CONFIG_HOME: join(home, 'config'),
    },
  });
}

/** Until it has printed something, or has ended without. */
async function firstWords(child: ChildProcess): Promise<void> {
  if (child.stdout !== null) await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
}

async function finish(child: ChildProcess): Promise<{ code: number | null; text: string }> {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  await once(child, 'close');
  return { code: child.exitCode, text };
}

function runFolder(folder: string): string | undefined {
  const runs = join(folder, '.cadre', 'runs');
  // A run that was killed before its first fact has no journal, and another one was started in its place.
  const ids = existsSync(runs) ? readdirSync(runs).sort().reverse() : [];
  const id = ids.find((name) => eventsOf(join(runs, name, 'journal.jsonl')).length > 0);
  return id === undefined ? undefined : join(runs, id);
}

function runEvents(folder: string): readonly RunEvent[] {
  const run = runFolder(folder);
  return run === undefined ? [] : eventsOf(join(run, 'journal.jsonl'));
}

/** The tasks of a run whose programs have been started, once for each start. */
function startsOf(marker: string): readonly string[] {
  const starts = readFileSync(join(root, 'starts.txt'), 'utf8').split('\n');
  return starts.flatMap((line) => (line.startsWith(marker) ? [line.split('.')[1] ?? ''] : [])).sort();
}

/** Digests of every task's output. */
function resultOf(folder: string): Readonly<Record<string, string>> {
  const digests = runEvents(folder).flatMap((event) =>
    event.type === 'attemptSettled' && event.result !== undefined ? [[event.task, event.result.digest]] : [],
  );
  return Object.fromEntries(digests.sort());
}

/** Processes that carry the marker of a run in their environment. */
function carrying(marker: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const isZombie = / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
        return !isZombie && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(marker) ? [Number(pid)] : [];
      } catch (error) {
        // It ended between the listing and the look.
        if (error instanceof Error) return [];
        throw error;
      }
    });
}

async function twoAtATime(rounds: number, play: (round: number) => Promise<void>): Promise<void> {
  let next = 0;
  const player = async (): Promise<void> => {
    while (next < rounds) {
      next += 1;
      await play(next);
    }
  };
  await Promise.all([player(), player()]);
}

/** Source: mulberry32, Tommy Ettinger, 2017 (public domain). */
function mulberry32(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
