/** Output that nobody reads, streams that somebody else holds, input that nobody takes: every run settles, in bounded memory. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasSlots, lives, onLinux, programPath } from '../test/programs.ts';
import { seededRandom } from '../test/worker-pool-contract.ts';
import type { ProcessResult } from './result.ts';
import { type SpawnOptions, spawnProcess } from './spawn.ts';
import { openSpawnSlots, type SpawnSlots } from './spawn-slots.ts';

const soaking = process.env.CADRE_SOAK === '1';
const seed = Number(process.env.CADRE_SEED ?? Math.floor(Math.random() * 2 ** 31));
const runs = soaking ? 1000 : 24;
const floodBytes = 100_000_000;
const drainMs = 20;

interface Fault {
  readonly options: SpawnOptions;
  readonly check: (result: ProcessResult) => void;
}

const sh = (script: string): SpawnOptions => ({ command: 'sh', args: ['-c', script], drainMs, graceMs: 0 });

const faults: Readonly<Record<string, Fault>> = {
  'floods both streams': {
    options: sh(`head -c ${floodBytes} /dev/zero & head -c ${floodBytes} /dev/zero >&2; wait`),
    check({ exitCode, stdoutBytes, stderrBytes, stdout, stderr }) {
      const kept = [stdout.length, stderr.length];
      expect({ exitCode, stdoutBytes, stderrBytes, kept }).toEqual({
        ...{ exitCode: 0, stdoutBytes: floodBytes, stderrBytes: floodBytes },
        kept: [1024 ** 2, 1024 ** 2],
      });
    },
  },
  'leaves a grandchild that holds its streams': {
    options: sh('sleep 1000 & echo $!'),
    check({ exitCode, stdout, leftBehind }) {
      expect({ exitCode, leftBehind: leftBehind.map(({ pid }) => pid) }).toEqual({
        exitCode: 0,
        leftBehind: [Number(stdout)],
      });
      expect(lives(Number(stdout))).toBe(false);
    },
  },
  'leaves a grandchild that nobody can find': {
    options: { command: 'sh', args: [programPath('leaves-escaped.sh')], drainMs, graceMs: 0 },
    check({ exitCode, stdout }) {
      process.kill(Number(stdout), 'SIGKILL');
      expect(exitCode).toBe(0);
    },
  },
  'never reads its input, and ends': {
    options: { ...sh('exit 3'), stdin: Buffer.alloc(4_000_000, 'x') },
    check: ({ exitCode }) => expect(exitCode).toBe(3),
  },
  'never reads its input, and stays': {
    options: { ...sh('echo up; exec sleep 1000'), stdin: Buffer.alloc(4_000_000, 'x'), timeoutMs: 100 },
    check: ({ endedBy, stdout }) => expect({ endedBy, stdout }).toEqual({ endedBy: 'timeout', stdout: 'up\n' }),
  },
  'closes its streams and goes on': {
    options: sh('exec >&- 2>&-; sleep 0.05; exit 4'),
    check: ({ exitCode }) => expect(exitCode).toBe(4),
  },
};

describe.runIf(onLinux)('spawnProcess', () => {
  let slots: SpawnSlots | undefined;
  beforeAll(async () => {
    if (hasSlots) slots = await openSpawnSlots();
  });
  afterAll(() => slots?.close());

  // Settling on 'close', and collecting what comes, were each seen to fail here.
  test(
    `settles in bounded memory, ${runs} times, whatever becomes of the streams`,
    async () => {
      const random = seededRandom(seed);
      const names = Object.keys(faults);
      const fired = new Map<string, number>();
      const memory = watchMemory();
      for (let run = 0; run < runs; run += 1) {
        // In the suite each kind comes as often as any other; the soak draws.
        const name = names[soaking ? Math.floor(random() * names.length) : run % names.length] ?? '';
        const road = random() < 0.5 || !hasSlots ? 'bare' : 'slots';
        const fault = faults[name];
        if (fault === undefined) throw new Error(`no fault ${name}`);
        const running = await spawnProcess({ ...fault.options, ...(road === 'slots' && slots && { slots }) });
        fault.check(await running.result);
        fired.set(`${name}, ${road}`, (fired.get(`${name}, ${road}`) ?? 0) + 1);
      }
      const grownBytes = memory.stop();
      process.stdout.write(
        `seed ${seed}, grown by ${Math.round(grownBytes / 1e6)} MB at most, ${JSON.stringify([...fired])}\n`,
      );
      expect([...fired.values()].reduce((sum, count) => sum + count, 0)).toBe(runs);
      // Both streams of one run are 200 MB; what is read waits for the garbage collector.
      expect(grownBytes).toBeLessThan(150_000_000);
    },
    soaking ? 600_000 : 30_000,
  );
});

function watchMemory() {
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 10);
  return {
    stop() {
      clearInterval(timer);
      return Math.max(peak, process.memoryUsage.rss()) - before;
    },
  };
}
