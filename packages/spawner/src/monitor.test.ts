import { describe, expect, test } from 'vitest';
import { onLinux, start, Transcript } from '../test/programs.ts';
import { type MonitorSample, openResourceMonitor } from './monitor.ts';
import { parsePsSample, sampleProcess } from './sample.ts';

describe('sampleProcess', () => {
  test('says what a living process uses', async () => {
    const sample = await sampleProcess(process.pid);
    expect(sample?.pid).toBe(process.pid);
    expect(sample?.rssBytes).toBeGreaterThan(10 * 1024 * 1024);
    expect(sample?.cpuMs).toBeGreaterThan(0);
  });

  test.runIf(onLinux)('counts threads, open files and the peak of memory', async () => {
    const sample = await sampleProcess(process.pid);
    expect(sample?.threads).toBeGreaterThan(1);
    expect(sample?.fileDescriptors).toBeGreaterThan(3);
    expect(sample?.peakRssBytes).toBeGreaterThanOrEqual(sample?.rssBytes ?? Infinity);
  });

  test('answers undefined for a process that has gone', async () => {
    const running = await start('exits.mjs', ['0']);
    await running.result;
    expect(await sampleProcess(running.identity.pid)).toBeUndefined();
  });
});

describe('parsePsSample', () => {
  test.for([
    ['  77  2048    0:01.50\n', { pid: 77, rssBytes: 2_097_152, cpuMs: 1500 }],
    ['77 1 1-02:03:04', { pid: 77, rssBytes: 1024, cpuMs: 93_784_000 }],
    ['', undefined],
  ] as const)('reads %j', ([line, expected]) => {
    expect(parsePsSample(line)).toEqual(expected);
  });
});

describe('ResourceMonitor', () => {
  test('samples itself and the processes it is shown, and drops one that has gone', async () => {
    const transcript = new Transcript();
    const running = await start('hangs.mjs', [], { onStdout: transcript.add });
    await transcript.until((text) => text.includes('up'));
    const seen: MonitorSample[] = [];
    const stranger = { ...running.identity, startTime: 'long ago' };
    const monitor = openResourceMonitor({
      intervalMs: Infinity,
      processes: () => (onLinux ? [running.identity, stranger] : [running.identity]),
      onSample: (sample) => seen.push(sample),
      clock: { now: () => 42 },
    });
    const first = await monitor.sample();
    expect(first.atMs).toBe(42);
    expect(first.self.pid).toBe(process.pid);
    expect(first.self.cpuShare).toBeUndefined();
    expect(first.processes.map(({ pid }) => pid)).toEqual([running.identity.pid]);
    const second = await monitor.sample();
    expect(second.processes[0]?.cpuShare).toBeGreaterThanOrEqual(0);
    await running.end({ graceMs: 0 });
    expect((await monitor.sample()).processes).toEqual([]);
    expect(seen).toHaveLength(3);
    await monitor.close();
    await monitor.close();
  });

  test('shares one sample among those who ask at once', async () => {
    const monitor = openResourceMonitor({ intervalMs: Infinity });
    expect(monitor.sample()).toBe(monitor.sample());
    await monitor.close();
  });

  test('samples when due, and reports on close what its callback threw', async () => {
    const failure = new Error('cannot take it');
    const monitor = await new Promise<ReturnType<typeof openResourceMonitor>>((resolve) => {
      const opened = openResourceMonitor({
        intervalMs: 1,
        onSample: () => {
          resolve(opened);
          throw failure;
        },
      });
    });
    await expect(monitor.close()).rejects.toBe(failure);
    await monitor.close();
  });

  test('refuses an interval no timer can keep', () => {
    expect(() => openResourceMonitor({ intervalMs: 0 })).toThrow(/^intervalMs must/);
  });
});
