import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lives, onLinux, programPath, Transcript } from '../test/programs.ts';
import { adopt, startDetached } from './detached.ts';
import { identifyProcess } from './process-table.ts';

const seed = Number(process.env.CADRE_SEED ?? Date.now() % 1_000_000);
const kills = process.env.CADRE_SOAK === undefined ? 30 : 200;

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

  // Recognised by pid alone, the stranger here would be waited for, and ended.
  test('never takes a later holder of the pid for the program', async () => {
    const directory = next();
    await (await startDetached({ directory, command: 'true' })).result;
    const stranger = spawn('sleep', ['1000']);
    const copy = next();
    cpSync(directory, copy, { recursive: true });
    rmSync(join(copy, 'exit'));
    const [, ticks] = readFileSync(join(copy, 'started'), 'utf8').split(' ');
    writeFileSync(join(copy, 'started'), `${stranger.pid} ${ticks}`);
    const adopted = await adopt(copy);
    if (adopted.state !== 'running') throw new Error('it had been started');
    expect(await adopted.running.end({ graceMs: 0 })).toEqual({ ended: [], survivors: [] });
    expect(await adopted.running.result).toMatchObject({ exitCode: null, signalName: null });
    expect(await identifyProcess(stranger.pid ?? 0)).toBeDefined();
    stranger.kill('SIGKILL');
  });

  // A version that looked for the shim in the process table found none between fork and exec, and a second start ran beside it.
  test('decides once whether a program will run', async () => {
    const directory = next();
    await (await startDetached({ directory, command: 'true' })).result;
    for (const name of ['claim', 'started', 'exit']) rmSync(join(directory, name));
    expect(await adopt(directory)).toEqual({ state: 'neverStarted' });
    const shim = spawn('sh', ['-c', 'set -C; echo >"$0/claim"', directory], { stdio: 'ignore' });
    expect((await once(shim, 'exit'))[0]).not.toBe(0);
  });

  test(`loses no line and no exit code over ${kills} kills of the parent in every phase`, {
    timeout: 580_000,
  }, async () => {
    const random = randomNumbers(seed);
    const phases = { notStarted: 0, beforeStart: 0, working: 0, over: 0 };
    const lines = 3000;
    for (let kill = 0; kill < kills; kill += 1) {
      const home = mkdtempSync(join(folder, 'kill-'));
      const parent = spawn(process.execPath, [programPath('detaching-parent.mjs'), home, '3', String(lines)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(parent, 'exit');
      await once(parent.stdout, 'data');
      await delay(random() * 90);
      parent.kill('SIGKILL');
      await exited;
      for (const name of readdirSync(home)) {
        const directory = join(home, name);
        const attempt = join(directory, 'attempt.json');
        if (!existsSync(attempt) || !readFileSync(attempt, 'utf8').endsWith('\n')) {
          phases.notStarted += 1;
          await expect(adopt(directory)).rejects.toMatchObject({ code: 'SPAWN_DETACHED_FOLDER' });
          expect(existsSync(join(directory, 'claim'))).toBe(false);
          continue;
        }
        const phase = existsSync(join(directory, 'exit'))
          ? 'over'
          : existsSync(join(directory, 'started'))
            ? 'working'
            : 'beforeStart';
        phases[phase] += 1;
        const stdout = new Transcript();
        const stderr = new Transcript();
        const adopted = await adopt(directory, { onStdout: stdout.add, onStderr: stderr.add });
        if (adopted.state === 'neverStarted') {
          expect(existsSync(join(directory, 'started'))).toBe(false);
          continue;
        }
        expect(await adopted.running.result).toMatchObject({ exitCode: 42, signalName: null });
        expect([stdout.text, stderr.text]).toEqual([numbered('line', lines), numbered('error', lines)]);
      }
      rmSync(home, { recursive: true });
    }
    process.stdout.write(`seed ${seed}: ${kills} kills, attempts by phase ${JSON.stringify(phases)}\n`);
    expect(phases.working).toBeGreaterThan(kills / 10);
    expect(phases.over).toBeGreaterThan(kills / 10);
  });
});

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
