import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { lives, onLinux, programPath, Transcript } from '../test/programs.ts';
import { holdAtPipe, module, withPool, workerPoolContract } from '../test/worker-pool-contract.ts';
import { createProcessPool } from './process-pool.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spawner-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('ProcessPool', () => {
  workerPoolContract({
    noun: 'process',
    create: createProcessPool,
    holdTask: () => holdAtPipe(folder),
    crashTasks: 300,
  });

  test('shows tasks of the environment only what it was told to, and runs them where it was told to', async () => {
    vi.stubEnv('SPAWNER_TEST_SECRET', 'planted');
    try {
      await withPool(createProcessPool({ size: 1, env: { ONE: '1' }, cwd: folder }), async (pool) => {
        const seen = await pool.run<{ environment: object; cwd: string }>({ module, exportName: 'place', argument: 0 });
        expect(seen.cwd).toBe(folder);
        expect(seen.environment).toMatchObject({ ONE: '1' });
        expect(JSON.stringify(seen)).not.toContain('planted');
      });
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('names the signal that ended a process', async () => {
    await withPool(createProcessPool({ size: 1 }), async (pool) => {
      const onMessage = (pid: unknown) => process.kill(Number(pid), 'SIGKILL');
      const running = pool.run({ module, exportName: 'sayPidAndHang', argument: 0, onMessage });
      await expect(running).rejects.toMatchObject({
        code: 'PROCESS_CRASHED',
        message: expect.stringContaining('ended by SIGKILL'),
      });
      expect(await pool.run({ module, argument: 'still here' })).toBe('still here');
    });
  });

  test('survives a task that eats all its memory, and says how to give it more', async () => {
    const options = { size: 1, nodeArgs: ['--max-old-space-size=24'], output: 'discard' } as const;
    await withPool(createProcessPool(options), async (pool) => {
      await expect(pool.run({ module, exportName: 'eatMemory', argument: 0 })).rejects.toMatchObject({
        code: 'PROCESS_CRASHED',
        message: expect.stringContaining('max-old-space-size'),
      });
      expect(await pool.run({ module, argument: 'still here' })).toBe('still here');
    });
  });

  test.runIf(onLinux)('ends what a task had started together with its process', async () => {
    const pool = createProcessPool({ size: 1 });
    const started = () => pool.run<number[]>({ module, exportName: 'startSleepers', argument: 0 });
    const [first, second] = [await started(), await started()];
    expect([...first, ...second].map(lives)).toEqual([true, true, true, true]);
    const crash = pool.run({ module, exportName: 'exitProcess', argument: 0 });
    await expect(crash).rejects.toMatchObject({ code: 'PROCESS_CRASHED' });
    expect([...first, ...second].map(lives)).toEqual([false, false, false, false]);
    const third = await started();
    await pool.close();
    expect(third.map(lives)).toEqual([false, false]);
  });

  test('says why a process can not start, one task a try', async () => {
    await withPool(createProcessPool({ size: 1, cwd: '/nowhere' }), async (pool) => {
      const outcomes = await Promise.allSettled([1, 2].map((argument) => pool.run({ module, argument })));
      const reason = { code: 'PROCESS_CRASHED', message: expect.stringContaining('working directory /nowhere') };
      expect(outcomes).toMatchObject([{ reason }, { reason }]);
      await expect(pool.ready()).rejects.toMatchObject(reason);
    });
  });

  test('takes a process whose task closed the channel for crashed', async () => {
    await withPool(createProcessPool({ size: 1 }), async (pool) => {
      const running = pool.run({ module, exportName: 'disconnect', argument: 0 });
      await expect(running).rejects.toMatchObject({ code: 'PROCESS_CRASHED' });
      expect(await pool.run({ module, argument: 'still here' })).toBe('still here');
    });
  });

  // Without a thread that waits for it, processes whose task never returns outlive their pool.
  test.runIf(onLinux).for(['spinning', 'idle', 'starting'])(
    'leaves no process behind when the parent is killed while they are %s',
    async (phase) => {
      const value = randomUUID();
      const parent = spawn(process.execPath, [programPath('pool-parent.mjs'), phase, value], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(parent, 'exit');
      const transcript = new Transcript();
      parent.stdout.on('data', transcript.add);
      await transcript.until((text) => text.includes('up'));
      // The entry, its lifeline and what a task started are known by the value.
      expect(findMarked(value).length).toBeGreaterThanOrEqual(phase === 'starting' ? 1 : 3);
      parent.kill('SIGKILL');
      await exited;
      // They are nobody's children any more, and nothing tells of their end.
      await vi.waitFor(() => expect(findMarked(value)).toEqual([]), { timeout: 20_000, interval: 5 });
    },
  );

  test('refuses arguments for Node that no program can have', () => {
    expect(() => createProcessPool({ nodeArgs: ['a\0'] })).toThrow(/^nodeArgs\[0\] must/);
    expect(() => createProcessPool({ env: { 'A=B': '' } })).toThrow(/^env names must/);
    expect(() => createProcessPool({ marker: { name: 'M', value: 'short' } })).toThrow(/^marker.value must/);
  });

  test.runIf(onLinux)('leaves no descriptor behind', async () => {
    const open = () => readdirSync('/proc/self/fd').length;
    const round = () => withPool(createProcessPool({ size: 2 }), (pool) => pool.run({ module, argument: 1 }));
    await round();
    const before = open();
    for (let count = 0; count < 3; count += 1) await round();
    expect(open()).toBeLessThanOrEqual(before);
  });
});

function findMarked(value: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => lives(pid) && environmentOf(pid).includes(`SPAWNER_TEST_POOL_WORKER=${value}`));
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return '';
  }
}
