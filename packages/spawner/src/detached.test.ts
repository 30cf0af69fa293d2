import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lives, onLinux, programPath, Transcript } from '../test/programs.ts';
import { adopt, startDetached } from './detached.ts';
import { identifyProcess } from './process-table.ts';
import { spawnProcess } from './spawn.ts';

const seed = Number(process.env.CADRE_SEED ?? Date.now() % 1_000_000);
const kills = process.env.CADRE_SOAK === undefined ? 12 : 200;

describe.runIf(onLinux)('startDetached', () => {
  let folder: string;
  let number = 0;
  const next = () => join(folder, String(number++));

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'detached-'));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('gives what a plain start gives', async () => {
    const args = ["a'b", '', '$(echo no)', '\n', 'ü', '-n'];
    const script = 'printf "%s|" "$@"; cat; pwd; echo err >&2; exit 7';
    const running = await startDetached({
      directory: join(folder, "it's here"),
      command: 'sh',
      args: ['-c', script, 'sh', ...args],
      cwd: '/usr/lib',
      stdin: 'input',
    });
    expect(await running.result).toMatchObject({
      exitCode: 7,
      signalName: null,
      endedBy: 'exit',
      stdout: `${args.join('|')}|input/usr/lib\n`,
      stderr: 'err\n',
      survivors: [],
    });
  });

  test('lets the program see the environment it is given and nothing else', async () => {
    const env = { ONE: "it's 1", TWO: 'a\nb' };
    const running = await startDetached({ directory: next(), command: 'env', args: ['-0'], env, inheritEnv: ['PATH'] });
    const entries = (await running.result).stdout.split('\0').map((entry) => entry.split('=')[0]);
    expect(entries.sort()).toEqual(['', 'ONE', 'PATH', 'SPAWNER_LINEAGE', 'TWO']);
  });

  test('tells an exit code from a signal of the same number', async () => {
    const run = async (script: string) =>
      (await startDetached({ directory: next(), command: 'sh', args: ['-c', script] })).result;
    expect(await run('exit 130')).toMatchObject({ exitCode: 130, signalName: null });
    expect(await run('kill -INT $$')).toMatchObject({ exitCode: null, signalName: 'SIGINT' });
  });

  test('ends it with its tree, by call and by time', async () => {
    const transcript = new Transcript();
    const args = ['-c', 'setsid sleep 1000 & echo up; wait'];
    const running = await startDetached({ directory: next(), command: 'sh', args, onStdout: transcript.add });
    await transcript.until((text) => text.includes('up'));
    expect((await running.end({ graceMs: 0 })).ended).toHaveLength(2);
    expect(await running.result).toMatchObject({ endedBy: 'ended', signalName: 'SIGKILL', survivors: [] });
    const late = await startDetached({
      directory: next(),
      command: 'sleep',
      args: ['1000'],
      timeoutMs: 50,
      graceMs: 0,
    });
    expect(await late.result).toMatchObject({ endedBy: 'timeout' });
    expect(lives(late.identity.pid)).toBe(false);
  });

  test('tells apart what can not be started', async () => {
    const fails = (options: { command: string; args?: string[]; cwd?: string }) =>
      expect(startDetached({ directory: next(), ...options })).rejects;
    await fails({ command: 'no-such-program' }).toMatchObject({ code: 'SPAWN_PROGRAM_NOT_FOUND' });
    await fails({ command: '/etc/passwd' }).toMatchObject({ code: 'SPAWN_PERMISSION_DENIED' });
    await fails({ command: 'true', cwd: '/no/such' }).toMatchObject({ code: 'SPAWN_DIRECTORY_NOT_FOUND' });
    await fails({ command: 'true', args: ['x'.repeat(200_000)] }).toMatchObject({ code: 'SPAWN_FAILED' });
    await expect(startDetached({ directory: folder, command: 'true' })).rejects.toMatchObject({
      code: 'SPAWN_DETACHED_FOLDER',
    });
  });

  // Recognised by pid alone, the stranger here was seen to be ended.
  test('never takes a later holder of the pid for the program', async () => {
    const directory = next();
    await (await startDetached({ directory, command: 'true' })).result;
    const stranger = spawn('sleep', ['1000']);
    const copy = next();
    cpSync(directory, copy, { recursive: true });
    rmSync(join(copy, 'exit'));
    const [, ticks] = readFileSync(join(copy, 'started'), 'utf8').split(' ');
    // One tick of the clock earlier: on a quick machine both were started within the same one.
    writeFileSync(join(copy, 'started'), `${stranger.pid} ${Number(ticks) - 1}\n`);
    const adopted = await adopt(copy);
    if (adopted.state !== 'running') throw new Error('it had been started');
    expect(await adopted.running.end({ graceMs: 0 })).toEqual({ ended: [], survivors: [] });
    expect(await adopted.running.result).toMatchObject({ exitCode: null, signalName: null });
    expect(await identifyProcess(stranger.pid ?? 0)).toBeDefined();
    stranger.kill('SIGKILL');
  });

  // An adopter that looked for a claim and made none itself was seen to leave the shim free to start the program after all.
  test('decides once whether a program will run', async () => {
    const directory = next();
    await (await startDetached({ directory, command: 'true' })).result;
    for (const name of ['claim', 'started', 'exit']) rmSync(join(directory, name));
    expect(await adopt(directory)).toEqual({ state: 'neverStarted' });
    const shim = spawn('sh', ['-c', 'set -C; echo >"$0/claim"', directory], { stdio: 'ignore' });
    expect((await once(shim, 'exit'))[0]).not.toBe(0);
  });

  // Seen to be ended where the start time was left out of the comparison, and where a session was known by its number alone.
  test('never takes a stranger who really has the pid for the program', async (context) => {
    const inside = [process.execPath, programPath('reused-pid.mjs'), next()];
    const flags = ['--pid', '--fork', '--kill-child', '--mount-proc'];
    const trial = spawnSync('unshare', [...flags, 'test', '-w', lastPid]);
    if (trial.status !== 0) context.skip('pids can not be chosen here: neither root nor ns_last_pid');
    const { stdout } = await (await spawnProcess({ command: 'unshare', args: [...flags, ...inside] })).result;
    expect(JSON.parse(stdout)).toEqual({
      ...{ reused: true, strangerLives: true, exitCode: null, signalName: null },
      report: { ended: [], survivors: [] },
    });
  });

  // Seen to be ended where a start was known by its time without the boot.
  test('never takes a process of another boot for the program', async () => {
    const directory = next();
    const running = await startDetached({ directory, command: 'sleep', args: ['1000'] });
    const attempt = join(directory, 'attempt.json');
    const record = JSON.parse(readFileSync(attempt, 'utf8'));
    const another = `${JSON.stringify({ ...record, bootId: '00000000-0000-0000-0000-000000000000', lineageId: 'another' })}\n`;
    writeFileSync(attempt, another);
    const adopted = await adopt(directory);
    if (adopted.state !== 'running') throw new Error('it had been started');
    expect(await adopted.running.end({ graceMs: 0 })).toEqual({ ended: [], survivors: [] });
    expect(lives(running.identity.pid)).toBe(true);
    await running.end({ graceMs: 0 });
    await adopted.running.result;
  });

  // Seen to lose lines where a tail ended at the exit without a last look.
  test(`loses no line and no exit code over ${kills} kills of the parent in every phase`, {
    timeout: 580_000,
  }, async () => {
    const random = randomNumbers(seed);
    const phases = Object.entries(phaseReached);
    const seen = { killed: {} as Record<string, number>, adopted: {} as Record<string, number>, neverStarted: 0 };
    const lines = 3000;
    const attempts = 3;
    for (let kill = 0; kill < kills; kill += 1) {
      const home = mkdtempSync(join(folder, 'kill-'));
      const [phase = '', isReached = () => true] = phases[kill % phases.length] ?? [];
      const aimedAt = join(home, String(Math.floor(random() * attempts)));
      const parent = spawn(process.execPath, [programPath('detaching-parent.mjs'), home, `${attempts}`, `${lines}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(parent, 'exit');
      await once(parent.stdout, 'data');
      const share = random();
      // A watch would tell of it when the phase is over; it is another process's.
      while (!isReached(aimedAt, share * 25_000)) await nextTurn();
      parent.kill('SIGKILL');
      await exited;
      seen.killed[phase] = (seen.killed[phase] ?? 0) + 1;
      for (const name of readdirSync(home)) {
        const directory = join(home, name);
        if (!isWhole(join(directory, 'attempt.json'))) {
          await expect(adopt(directory)).rejects.toMatchObject({ code: 'SPAWN_DETACHED_FOLDER' });
          expect(existsSync(join(directory, 'claim'))).toBe(false);
          continue;
        }
        const stdout = new Transcript();
        const stderr = new Transcript();
        const from = Math.floor(random() * sizeOf(join(directory, 'stdout')));
        const adopted = await adopt(directory, {
          ...{ onStdout: stdout.add, onStderr: stderr.add, stdoutFromByte: from },
        });
        if (adopted.state === 'neverStarted') {
          seen.neverStarted += 1;
          expect(existsSync(join(directory, 'started'))).toBe(false);
          continue;
        }
        const { containment, result } = adopted.running;
        seen.adopted[containment] = (seen.adopted[containment] ?? 0) + 1;
        expect(await result).toMatchObject({ exitCode: 42, signalName: null, survivors: [] });
        expect([stdout.text, stderr.text]).toEqual([numbered('line', lines).slice(from), numbered('error', lines)]);
      }
      rmSync(home, { recursive: true });
    }
    process.stdout.write(`seed ${seed}: ${kills} kills ${JSON.stringify(seen)}\n`);
    expect(Object.values(seen.killed)).toHaveLength(phases.length);
    for (const count of Object.values(seen.killed))
      expect(count).toBeGreaterThanOrEqual(Math.floor(kills / phases.length));
  });
});

const lastPid = '/proc/sys/kernel/ns_last_pid';

/** What an attempt's folder shows in the phase in which its parent is to be killed. */
const phaseReached: Readonly<Record<string, (directory: string, bytes: number) => boolean>> = {
  beforeReady: (directory) => existsSync(directory),
  ready: (directory) => isWhole(join(directory, 'attempt.json')),
  claimed: (directory) => existsSync(join(directory, 'claim')),
  started: (directory) => existsSync(join(directory, 'started')),
  writing: (directory, bytes) => sizeOf(join(directory, 'stdout')) > bytes,
  justExited: (directory) => existsSync(join(directory, 'exit')),
};

function isWhole(path: string): boolean {
  return existsSync(path) && readFileSync(path, 'utf8').endsWith('\n');
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function numbered(word: string, count: number): string {
  return Array.from({ length: count }, (_, index) => `${word} ${index + 1}\n`).join('');
}

/** Mulberry32. */
function randomNumbers(from: number): () => number {
  let state = from;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
