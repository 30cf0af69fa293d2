import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { lives, onLinux, programPath, Transcript } from '../test/programs.ts';
import { fitsSlot } from './slot-script.ts';
import { type SpawnOptions, spawnProcess } from './spawn.ts';
import { openSpawnSlots, type SpawnSlots } from './spawn-slots.ts';
import { sweep } from './sweep.ts';

describe.runIf(onLinux)('openSpawnSlots', () => {
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
  test('starts on another shell when the one it had was killed, and replaces it', async () => {
    let killed = 0;
    for (let round = 0; round < 20; round += 1) {
      await slots.ready();
      const before = slots.stats.replaced;
      for (const pid of waitingShells()) {
        if (killIfThere(pid)) killed += 1;
      }
      expect(await run({ command: 'echo', args: ['alive'] })).toMatchObject({ stdout: 'alive\n', exitCode: 0 });
      expect(slots.stats.replaced).toBeGreaterThan(before);
    }
    expect(killed).toBeGreaterThanOrEqual(40);
  });

  test('settles though the keeper that should tell of the exit was killed', async () => {
    const running = await spawnProcess({ command: 'sleep', args: ['1000'], slots });
    const keeper = Number(readFileSync(`/proc/${running.identity.pid}/stat`, 'utf8').split(' ')[3]);
    process.kill(keeper, 'SIGKILL');
    process.kill(running.identity.pid, 'SIGKILL');
    expect(await running.result).toMatchObject({ exitCode: null, signalName: null, endedBy: 'signal' });
  });

  test('takes another way for what a shell can not exec as it is', async () => {
    const start = { command: 'env', args: [], cwd: '/', env: { PATH: '/usr/bin:/bin' } };
    expect(fitsSlot(start)).toBe(true);
    for (const name of ['a-b', 'PPID', 'OPTIND', 'PWD', '1A', 'ü']) {
      expect(fitsSlot({ ...start, env: { ...start.env, [name]: 'x' } })).toBe(false);
      const { stdout } = await run({ command: 'env', inheritEnv: ['PATH'], env: { [name]: 'x' } });
      expect(stdout).toContain(`${name}=x\n`);
    }
    expect(fitsSlot({ ...start, command: '-x' })).toBe(false);
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

  test('leaves no shell, keeper or folder behind when the parent is killed', async () => {
    const value = randomUUID();
    const faults = 10;
    for (let round = 0; round < faults; round += 1) {
      const before = folders();
      const parent = spawn(process.execPath, [programPath('slots-parent.mjs'), value], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(parent, 'exit');
      // Half of them while the shells are still being made.
      if (round % 2 === 0) await once(parent.stdout, 'data');
      else await appears(() => folders().length > before.length);
      parent.kill('SIGKILL');
      await exited;
      await sweep({ marker: { name: 'SPAWNER_TEST_SLOTS', value }, graceMs: 0 });
      await appears(() => folders().every((folder) => before.includes(folder)));
    }
  });
});

function killIfThere(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

function waitingShells(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const text = readFileSync(`/proc/${name}/cmdline`, 'latin1');
        return (
          /^sh\0k\d+\.\d+\.in\0$/.test(text) && readFileSync(`/proc/${name}/environ`, 'latin1').includes(ownFolder())
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Other test files have slots of their own; the nursery of this one is this process's child. */
function ownFolder(): string {
  for (const task of readdirSync('/proc/self/task')) {
    for (const pid of readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' ')) {
      const found = /SPAWNER_DIRECTORY=([^\0]+)/.exec(pid === '' ? '' : readFileSync(`/proc/${pid}/environ`, 'latin1'));
      if (found?.[1] !== undefined) return found[1];
    }
  }
  throw new Error('this process has no nursery');
}

/** The first 31; the C library keeps two beyond them for itself. */
function standardSignals(status: string): readonly string[] {
  return [...status.matchAll(/^(Sig(?:Blk|Ign|Cgt)):\s+\w*(\w{8})$/gm)].map(
    ([, name, mask]) => `${name} ${(Number.parseInt(mask ?? '', 16) & 0x7fffffff).toString(16)}`,
  );
}

function folders(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('spawn-slots-'));
}

/** What a process that is not ours makes or removes, and nobody tells of. */
async function appears(holds: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(holds()).toBe(true), { timeout: 20_000, interval: 2 });
}
