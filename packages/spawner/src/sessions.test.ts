/** Many programs at once, each with its streams and its limits, under one monitor: held, told apart, and none left. */
import { describe, expect, test } from 'vitest';
import { hasSlots, lives, onLinux } from '../test/programs.ts';
import { openResourceMonitor } from './monitor.ts';
import { spawnProcess } from './spawn.ts';
import { openSpawnSlots } from './spawn-slots.ts';

const soaking = process.env.CADRE_SOAK === '1';
const sessions = soaking ? 1000 : 60;

describe.runIf(onLinux)('sessions', () => {
  test(
    `holds ${sessions} at once and says what they cost`,
    async () => {
      const before = process.memoryUsage.rss();
      const slots = hasSlots ? await openSpawnSlots({ size: 8 }) : undefined;
      const running = await Promise.all(
        Array.from({ length: sessions }, (_, index) =>
          spawnProcess({
            command: 'sh',
            // It says who it is, and stays until it is told to end.
            args: ['-c', `echo ${index}; exec sleep 100000`],
            timeoutMs: 600_000,
            graceMs: 0,
            ...(index % 2 === 0 && slots && { slots }),
          }),
        ),
      );
      const monitor = openResourceMonitor({
        intervalMs: Infinity,
        processes: () => running.map(({ identity }) => identity),
      });
      const startedAtMs = performance.now();
      const sample = await monitor.sample();
      const sampleMs = performance.now() - startedAtMs;
      const own = (process.memoryUsage.rss() - before) / sessions;
      const theirs = sample.processes.reduce((sum, { rssBytes }) => sum + rssBytes, 0) / sessions;
      process.stdout.write(
        `${sessions} sessions: ${Math.round(own / 1024)} KB each here, ${Math.round(theirs / 1024)} KB resident in each; sampled in ${sampleMs.toFixed(1)} ms\n`,
      );
      expect(sample.processes.map(({ pid }) => pid).sort()).toEqual(running.map(({ identity }) => identity.pid).sort());
      await Promise.all(running.map((session) => session.end()));
      const results = await Promise.all(running.map(({ result }) => result));
      expect(results.map(({ stdout }) => Number(stdout))).toEqual(running.map((_, index) => index));
      expect(running.filter(({ identity }) => lives(identity.pid))).toEqual([]);
      await monitor.close();
      await slots?.close();
    },
    soaking ? 300_000 : 30_000,
  );
});
