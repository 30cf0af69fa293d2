import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasSlots, onLinux, Transcript } from '../test/programs.ts';
import { adopt, startDetached } from './detached.ts';
import { familyMemoryBytes } from './family-memory.ts';
import { readProcessTable, readSmallFile } from './process-table.ts';
import type { RunningProcess } from './running-process.ts';
import { statusBytes } from './sample.ts';
import { type SpawnOptions, spawnProcess } from './spawn.ts';
import { openSpawnSlots, type SpawnSlots } from './spawn-slots.ts';

const mebibyte = 1024 * 1024;
/** Each `tail` holds what it has read, until the end of it. */
const holdsMemory = (processes: number, mebibytes: number): string =>
  `for i in $(seq ${processes}); do (head -c ${mebibytes}m /dev/zero; exec sleep 1000) | tail -c ${mebibytes}m >/dev/null & done; wait`;

describe.runIf(onLinux)('limits', () => {
  let slots: SpawnSlots | undefined;
  let folder: string;
  let number = 0;

  beforeAll(async () => {
    if (hasSlots) slots = await openSpawnSlots({ size: 2 });
    folder = mkdtempSync(join(tmpdir(), 'spawner-limits-'));
  });

  afterAll(async () => {
    await slots?.close();
    rmSync(folder, { recursive: true });
  });

  const starts: Readonly<Record<string, (options: SpawnOptions) => Promise<RunningProcess>>> = {
    plain: (options) => spawnProcess(options),
    ...(hasSlots && { slots: (options: SpawnOptions) => spawnProcess({ ...options, ...(slots && { slots }) }) }),
    detached: (options) => startDetached({ ...options, directory: join(folder, String(number++)) }),
  };

  describe.each(Object.keys(starts))('of a %s start', (name) => {
    const run = async (script: string, limits: Partial<SpawnOptions>) => {
      const start = starts[name];
      if (start === undefined) throw new Error(`there is no start ${name}`);
      return (await start({ command: 'sh', args: ['-c', script], graceMs: 0, ...limits })).result;
    };

    test('end what runs too long', async () => {
      expect(await run('exec sleep 1000', { timeoutMs: 30 })).toMatchObject({ endedBy: 'timeout', survivors: [] });
    });

    test('end what is silent too long', async () => {
      expect(await run('echo up; exec sleep 1000', { idleTimeoutMs: 300 })).toMatchObject({
        endedBy: 'idle',
        stdout: 'up\n',
        survivors: [],
      });
    });

    // Seen to wait for ever where only the memory of the program itself was looked at.
    test('end what takes too much memory, none of its processes too much alone', async () => {
      const result = await run(holdsMemory(3, 40), { memoryLimitBytes: 80 * mebibyte, memorySampleMs: 20 });
      expect(result).toMatchObject({ endedBy: 'memory', survivors: [] });
      expect(result.peakTreeBytes).toBeGreaterThan(80 * mebibyte);
      expect(result.peakRssBytes ?? 0).toBeLessThan(20 * mebibyte);
    });

    // Seen to wait for ever where each stream was held against the limit by itself.
    test('end what writes too much over both streams', async () => {
      const result = await run('yes 2>&1 | head -c 60000; yes | head -c 60000 >&2; exec sleep 1000', {
        outputLimitBytes: 100_000,
      });
      expect(result).toMatchObject({ endedBy: 'output', stdoutBytes: 60_000, survivors: [] });
      expect(result.stderrBytes).toBeGreaterThan(40_000);
    });

    test('do not keep what is aborted while it is being started', async () => {
      const controller = new AbortController();
      const ended = run('exec sleep 1000', { signal: controller.signal });
      controller.abort();
      expect(await ended).toMatchObject({ endedBy: 'aborted', survivors: [] });
    });

    test('let be what keeps to them', async () => {
      const limits = { timeoutMs: 60_000, idleTimeoutMs: 60_000, memoryLimitBytes: 1024 * mebibyte };
      expect(await run('echo out; echo err >&2; exit 3', { ...limits, outputLimitBytes: 8 })).toMatchObject({
        endedBy: 'exit',
        exitCode: 3,
      });
    });
  });

  test('count what an adopted program had written before', async () => {
    const directory = join(folder, String(number++));
    const transcript = new Transcript();
    const args = ['-c', 'echo 12345; exec sleep 1000'];
    const running = await startDetached({ directory, command: 'sh', args, onStdout: transcript.add });
    await transcript.until((text) => text.includes('\n'));
    const adopted = await adopt(directory, { stdoutFromByte: 6, outputLimitBytes: 5, graceMs: 0 });
    if (adopted.state !== 'running') throw new Error('it had been started');
    expect(await adopted.running.result).toMatchObject({ endedBy: 'output', stdout: '', survivors: [] });
    await running.result;
  });

  test('refuse a memory limit that would never be looked at', async () => {
    const options = { command: 'true', memoryLimitBytes: 1, memorySampleMs: Infinity };
    await expect(spawnProcess(options)).rejects.toThrow(/^memorySampleMs must be finite/);
  });
});

describe.runIf(onLinux)('familyMemoryBytes', () => {
  test('counts memory that forks share once, when it seems too much', async () => {
    const transcript = new Transcript();
    const hold = 'x=$(head -c 20000000 /dev/zero | tr "\\0" x)';
    const script = `${hold}; for i in 1 2 3 4 5; do (sleep 1000; :) & done; echo up; wait; echo "$x"`;
    const running = await spawnProcess({ command: 'sh', args: ['-c', script], onStdout: transcript.add });
    await transcript.until((text) => text.includes('up'));
    const rows = (await readProcessTable()).filter(({ groupId }) => groupId === running.identity.pid);
    const resident = rows.map(({ pid }) => statusBytes(readSmallFile(`/proc/${pid}/status`), 'VmRSS') ?? 0);
    const total = resident.reduce((sum, bytes) => sum + bytes, 0);
    expect(total).toBeGreaterThan(5 * 20_000_000);
    expect(await familyMemoryBytes(rows, Infinity)).toBeGreaterThan(5 * 20_000_000);
    expect(await familyMemoryBytes(rows, 50_000_000)).toBeLessThan(45_000_000);
    await running.end({ graceMs: 0 });
  });
});
