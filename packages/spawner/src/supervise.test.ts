import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lives, start } from '../test/programs.ts';
import { type ChildSpecification, RestartIntensity, type SupervisedWorker, supervise } from './supervise.ts';

describe('RestartIntensity', () => {
  // A counter that starts anew each window lets twice as many through where two windows meet.
  test('allows a restart exactly while no window holds more than its number, over 10,000 model runs', () => {
    let refusals = 0;
    fc.assert(
      fc.property(
        fc.nat(5),
        fc.integer({ min: 1, max: 1000 }),
        fc.array(fc.nat(600), { maxLength: 30 }),
        (maxRestarts, withinMs, gapsMs) => {
          const intensity = new RestartIntensity(maxRestarts, withinMs);
          const timesMs: number[] = [];
          let nowMs = 0;
          for (const gapMs of gapsMs) {
            nowMs += gapMs;
            timesMs.push(nowMs);
            const inWindow = timesMs.filter((timeMs) => timeMs >= nowMs - withinMs).length;
            const allowed = intensity.allow(nowMs);
            if (!allowed) refusals += 1;
            if (allowed !== inWindow <= maxRestarts) return false;
            if (!allowed) return true;
          }
          return true;
        },
      ),
      { numRuns: 10_000 },
    );
    expect(refusals).toBeGreaterThan(1000);
  });

  test('refuses options that mean nothing', () => {
    expect(() => new RestartIntensity(-1, 1)).toThrow(/^maxRestarts must/);
    expect(() => new RestartIntensity(1, 0)).toThrow(/^withinMs must/);
  });
});

/** A child whose end the test decides. */
class Puppet {
  readonly log: string[];
  readonly specification: ChildSpecification;
  starts = 0;
  finish: (how: 'succeeded' | 'failed') => void = () => undefined;

  constructor(name: string, log: string[], restart: ChildSpecification['restart'] = 'permanent') {
    this.log = log;
    this.specification = { name, restart, start: async () => this.#start(name) };
  }

  #start(name: string): SupervisedWorker {
    this.starts += 1;
    this.log.push(`start ${name}`);
    const ended = new Promise<'succeeded' | 'failed'>((resolve) => {
      this.finish = resolve;
    });
    return {
      ended,
      end: async () => {
        this.log.push(`end ${name}`);
        this.finish('succeeded');
      },
    };
  }
}

const turns = () => new Promise((resolve) => setImmediate(resolve));

describe('supervise', () => {
  test.for([
    ['oneForOne', ['start b']],
    ['oneForAll', ['end c', 'end a', 'start a', 'start b', 'start c']],
    ['restForOne', ['end c', 'start b', 'start c']],
  ] as const)('%s restarts whom it names, in order', async ([strategy, expected]) => {
    const log: string[] = [];
    const puppets = ['a', 'b', 'c'].map((name) => new Puppet(name, log));
    const supervisor = await supervise({ children: puppets.map(({ specification }) => specification), strategy });
    log.length = 0;
    puppets[1]?.finish('failed');
    await turns();
    expect(log).toEqual(expected);
    expect(supervisor.restarts).toBe(1);
    await supervisor.close();
    expect(log.slice(-3)).toEqual(['end c', 'end b', 'end a']);
    await supervisor.result;
  });

  test('ends everything at one restart too many within the window, and not before', async () => {
    let nowMs = 0;
    const log: string[] = [];
    const [bad, good] = [new Puppet('bad', log), new Puppet('good', log)];
    const children = [bad.specification, good.specification];
    const supervisor = await supervise({ children, maxRestarts: 2, withinMs: 100, clock: { now: () => nowMs } });
    for (let round = 0; round < 20; round += 1) {
      nowMs += 51;
      bad.finish('failed');
      await turns();
    }
    expect(supervisor.restarts).toBe(20);
    nowMs += 1;
    bad.finish('failed');
    await turns();
    await expect(supervisor.result).rejects.toMatchObject({ code: 'SPAWN_RESTART_INTENSITY' });
    expect(log.at(-1)).toBe('end good');
  });

  test('leaves a transient child that succeeded and a temporary one that failed', async () => {
    const log: string[] = [];
    const puppets = [new Puppet('transient', log, 'transient'), new Puppet('temporary', log, 'temporary')];
    const supervisor = await supervise({ children: puppets.map(({ specification }) => specification) });
    puppets[0]?.finish('failed');
    await turns();
    puppets[0]?.finish('succeeded');
    puppets[1]?.finish('failed');
    await supervisor.result;
    expect(puppets.map(({ starts }) => starts)).toEqual([2, 1]);
  });

  test('ends those it had started when one can not be', async () => {
    const log: string[] = [];
    const cause = new Error('no');
    const children = [new Puppet('a', log).specification, { name: 'b', start: () => Promise.reject(cause) }];
    await expect(supervise({ children })).rejects.toBe(cause);
    expect(log).toEqual(['start a', 'end a']);
  });

  test('starts a killed process again', async () => {
    const pids: number[] = [];
    const specification: ChildSpecification = {
      name: 'worker',
      start: async () => {
        const running = await start('hangs.mjs', [], { graceMs: 0 });
        pids.push(running.identity.pid);
        return {
          ended: running.result.then(({ exitCode }) => (exitCode === 0 ? 'succeeded' : 'failed')),
          end: () => running.end(),
        };
      },
    };
    const supervisor = await supervise({ children: [specification], maxRestarts: 2 });
    for (let kill = 0; kill < 3; kill += 1) {
      while (pids.length === kill) await turns();
      process.kill(pids[kill] ?? 0, 'SIGKILL');
    }
    await expect(supervisor.result).rejects.toMatchObject({ code: 'SPAWN_RESTART_INTENSITY' });
    expect(pids).toHaveLength(3);
    expect(pids.some(lives)).toBe(false);
  });
});
