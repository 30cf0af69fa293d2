import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { hasSlots, lives, programPath, Transcript } from '../test/programs.ts';
import { type SpawnOptions, spawnProcess } from './spawn.ts';
import { openSpawnSlots, type SpawnSlots } from './spawn-slots.ts';
import { sweep } from './sweep.ts';

describe.runIf(hasSlots)('openSpawnSlots', () => {
  let slots: SpawnSlots;

  beforeAll(async () => {
    slots = await openSpawnSlots({ size: 3 });
    await slots.ready();
  });

  afterAll(() => slots.close());

  const run = async (options: Omit<SpawnOptions, 'slots'>) =>
    (await spawnProcess({ graceMs: 0, ...options, slots })).result;

  test('gives a program its streams, folder, group and exit code', async () => {
    const running = await spawnProcess({
      command: 'sh',
      args: ['-c', 'pwd; cut -d" " -f1,5,6 /proc/$$/stat; cat; echo err >&2; exit 7'],
      cwd: '/usr/lib',
      stdin: 'input',
      slots,
    });
    const { pid } = running.identity;
    expect(await running.result).toMatchObject({
      exitCode: 7,
      signalName: null,
      endedBy: 'exit',
      stdout: `/usr/lib\n${pid} ${pid} ${pid}\ninput`,
      stderr: 'err\n',
      leftBehind: [],
      survivors: [],
    });
  });

  test('leaves no descriptor of its own in the program', async () => {
    const { stdout } = await run({ command: 'ls', args: ['/proc/self/fd'] });
    const plain = await (await spawnProcess({ command: 'ls', args: ['/proc/self/fd'] })).result;
    expect(stdout).toBe(plain.stdout);
  });

  test('leaves every signal as a plain start does', async () => {
    const options = { command: 'grep', args: ['Sig', '/proc/self/status'] };
    const [there, plain] = [await run(options), await (await spawnProcess(options)).result];
    expect(standardSignals(there.stdout)).toEqual(standardSignals(plain.stdout));
  });

  // `$?` of a shell is 130 for both.
  test('tells an exit code from a signal of the same number', async () => {
    for (const [name, number] of [
      ['SIGINT', 2],
      ['SIGPIPE', 13],
      ['SIGKILL', 9],
      ['SIGTERM', 15],
    ] as const) {
      expect(await run({ command: 'sh', args: ['-c', `kill -${number} $$`] })).toMatchObject({
        exitCode: null,
        signalName: name,
        endedBy: 'signal',
      });
      expect(await run({ command: 'sh', args: ['-c', `exit ${128 + number}`] })).toMatchObject({
        exitCode: 128 + number,
        signalName: null,
        endedBy: 'exit',
      });
    }
  });

  test('feeds a large input while it reads a large output, and closes it', async () => {
    const stdin = Buffer.alloc(4 * 1024 * 1024, 'x');
    expect(await run({ command: 'cat', stdin, maxOutputBytes: 10 })).toMatchObject({
      exitCode: 0,
      stdoutBytes: stdin.byteLength,
    });
    expect(await run({ command: 'true', stdin })).toMatchObject({ exitCode: 0 });
  });

  test('ends what runs over its time, with its tree', async () => {
    const transcript = new Transcript();
    const result = await run({
      command: 'sh',
      args: ['-c', '(setsid sleep 1000 & echo $!); sleep 1000'],
      timeoutMs: 150,
      onStdout: transcript.add,
    });
    expect(result).toMatchObject({ endedBy: 'timeout', signalName: 'SIGKILL', survivors: [] });
    expect(lives(Number(transcript.text))).toBe(false);
  });

  test('starts a hundred at once and tells them apart', async () => {
    const running = await Promise.all(
      Array.from({ length: 100 }, (_, index) => spawnProcess({ command: 'echo', args: [`${index}`], slots })),
    );
    const results = await Promise.all(running.map(({ result }) => result));
    expect(results.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(slots.stats).toMatchObject({ queued: 0, running: 0 });
  });

  // Taking the end of the pipe alone for success reports a program that never ran here.
  test('starts on another slot when the one it had was killed, and replaces it', async () => {
    let killed = 0;
    for (let round = 0; round < 20; round += 1) {
      await slots.ready();
      const before = slots.stats.replaced;
      for (const pid of waitingSlots()) {
        if (killIfThere(pid)) killed += 1;
      }
      expect(await run({ command: 'echo', args: ['alive'] })).toMatchObject({ stdout: 'alive\n', exitCode: 0 });
      expect(slots.stats.replaced).toBeGreaterThan(before);
    }
    expect(killed).toBeGreaterThanOrEqual(40);
  });

  test('settles what runs though the one that should tell of its exit was killed, and is open no more', async () => {
    const orphaned = await openSpawnSlots({ size: 2 });
    await orphaned.ready();
    const running = await spawnProcess({ command: 'sleep', args: ['1000'], slots: orphaned });
    process.kill(parentOf(running.identity.pid), 'SIGKILL');
    await appears(() => parentOf(running.identity.pid) === 1);
    process.kill(running.identity.pid, 'SIGKILL');
    expect(await running.result).toMatchObject({ exitCode: null, signalName: null, endedBy: 'signal' });
    await expect(spawnProcess({ command: 'true', slots: orphaned })).rejects.toMatchObject({
      code: 'SPAWN_SLOTS_UNAVAILABLE',
    });
    await orphaned.close();
  });

  test('starts what a shell could not exec as it is', async () => {
    for (const name of ['a-b', 'PPID', 'OPTIND', 'PWD', '1A', 'ü', 'ENV', '_']) {
      const { stdout } = await run({ command: 'env', inheritEnv: ['PATH'], env: { [name]: 'x=y\n' } });
      expect(stdout).toContain(`${name}=x=y\n`);
    }
    const folder = mkdtempSync(join(tmpdir(), 'spawner-test-'));
    writeFileSync(join(folder, '-x'), '#!/bin/sh\necho "$0"\n', { mode: 0o755 });
    const path = `${folder}:${process.env.PATH}`;
    expect(await run({ command: '-x', env: { PATH: path } })).toMatchObject({ stdout: `${folder}/-x\n` });
    rmSync(folder, { recursive: true });
  });

  // A pipe takes no more than 4 KiB once its user has thousands of them.
  test('gives a command and its input whole, whatever their size', async () => {
    const args = Array.from({ length: 10 }, (_, index) => `${index}`.repeat(100_000));
    const stdin = 'input'.repeat(100_000);
    const { stdout } = await run({
      command: 'sh',
      args: ['-c', 'printf "%s\\n" "$@" | md5sum; md5sum', 'sh', ...args],
      stdin,
    });
    const digest = (text: string) => createHash('md5').update(text).digest('hex');
    expect(stdout).toBe(`${digest(args.map((text) => `${text}\n`).join(''))}  -\n${digest(stdin)}  -\n`);
  });

  test('says why it can not be had where Perl is missing, or is none', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'spawner-test-'));
    vi.stubEnv('PATH', folder);
    await expect(openSpawnSlots()).rejects.toMatchObject({
      code: 'SPAWN_SLOTS_UNAVAILABLE',
      message: expect.stringContaining('perl is not on PATH'),
    });
    writeFileSync(join(folder, 'perl'), '#!/bin/sh\nexit 3\n', { mode: 0o755 });
    await expect(openSpawnSlots()).rejects.toMatchObject({
      code: 'SPAWN_SLOTS_UNAVAILABLE',
      message: expect.stringContaining('ended at once (exit 3)'),
    });
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  test('refuses a size of nothing, and a start once closed', async () => {
    await expect(openSpawnSlots({ size: 0 })).rejects.toThrow(/^size must/);
    const closed = await openSpawnSlots({ size: 1 });
    await closed.close();
    await expect(spawnProcess({ command: 'true', slots: closed })).rejects.toMatchObject({
      code: 'SPAWN_SLOTS_UNAVAILABLE',
    });
  });

  test('lets programs that run go on when it is closed, and tells how they ended', async () => {
    const closing = await openSpawnSlots({ size: 2 });
    const running = await spawnProcess({
      command: 'sh',
      args: ['-c', 'read word; echo $word'],
      slots: closing,
      stdin: 'said\n',
    });
    await closing.close();
    expect(await running.result).toMatchObject({ exitCode: 0, stdout: 'said\n' });
  });

  test('is closed though nothing else keeps the process alive', async () => {
    // Seen to end with code 13, in the middle of close(), where the nursery was left unreferenced.
    const { exitCode, stdout } = await run({ command: process.execPath, args: [programPath('closes-slots.mjs')] });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'ready\nclosed\n' });
  });

  test('leaves no slot, nursery or folder behind when the parent is killed', async () => {
    const value = randomUUID();
    const faults = 10;
    // Other test files open slots meanwhile.
    const temporary = mkdtempSync(join(tmpdir(), 'spawner-test-'));
    const folders = () => readdirSync(temporary);
    for (let round = 0; round < faults; round += 1) {
      const parent = spawn(process.execPath, [programPath('slots-parent.mjs'), value], {
        env: { ...process.env, TMPDIR: temporary },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(parent, 'exit');
      // Half of them while the slots are still being made.
      if (round % 2 === 0) await once(parent.stdout, 'data');
      else await appears(() => folders().length > 0);
      parent.kill('SIGKILL');
      await exited;
      await sweep({ marker: { name: 'SPAWNER_TEST_SLOTS', value }, graceMs: 0 });
      await appears(() => folders().length === 0);
    }
    rmSync(temporary, { recursive: true });
  });
});

function killIfThere(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** Other test files have slots of their own; the nurseries of this one are this process's children. */
function waitingSlots(): readonly number[] {
  return childrenOf(process.pid)
    .flatMap(childrenOf)
    .filter((pid) => commandLine(pid).startsWith('spawn-slot '));
}

function childrenOf(pid: number): readonly number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
  );
}

function parentOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[3]);
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    // Gone meanwhile.
    return '';
  }
}

/** The first 31; the C library keeps two beyond them for itself. */
function standardSignals(status: string): readonly string[] {
  return [...status.matchAll(/^(Sig(?:Blk|Ign|Cgt)):\s+\w*(\w{8})$/gm)].map(
    ([, name, mask]) => `${name} ${(Number.parseInt(mask ?? '', 16) & 0x7fffffff).toString(16)}`,
  );
}

/** What a process that is not ours makes or removes, and nobody tells of. */
async function appears(holds: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(holds()).toBe(true), { timeout: 20_000, interval: 2 });
}
