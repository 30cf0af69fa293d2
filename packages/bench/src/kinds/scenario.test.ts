import { describe, expect, test } from 'vitest';
import { defineScenario, type PreparedScenario, runScenario } from './scenario.ts';

describe('runScenario', () => {
  test('counts requests, errors and latencies by the phase in which each was due', async () => {
    const time = virtualTime();
    const run = await runScenario(script, prepare(time, {}), time);
    expect(run.phases.map(({ name, requests, failed }) => [name, requests, failed])).toEqual([
      ['ramp', 50, 0],
      ['hold', 100, 10],
      ['rest', 10, 0],
    ]);
    expect(run.phases[1]?.errors).toEqual({ BROKEN: 10 });
    expect(run.phases[1]?.latency?.max).toBeLessThanOrEqual(1e6);
    expect(run.violations).toEqual([]);
  });

  test('fires each fault at its moment, and says when', async () => {
    const time = virtualTime();
    const { faults } = await runScenario(script, prepare(time, {}), time);
    expect(faults).toEqual([
      { name: 'break', atMs: 150, firedAtMs: 150 },
      { name: 'mend', atMs: 160, firedAtMs: 160 },
    ]);
  });

  test('reports an invariant that does not hold, after each phase in which it did not', async () => {
    const time = virtualTime();
    const invariants = {
      holds: () => undefined,
      ends({ ended }: { readonly ended: boolean }) {
        if (!ended) throw new Error('not yet');
      },
    };
    const { violations } = await runScenario(script, prepare(time, { invariants }), time);
    expect(violations).toEqual([
      { invariant: 'ends', phase: 'ramp', message: 'not yet' },
      { invariant: 'ends', phase: 'hold', message: 'not yet' },
    ]);
  });

  test('refuses a fault that the variant has no function for, or that would come after the end', async () => {
    const time = virtualTime();
    const running = runScenario(script, prepare(time, { faults: {} }), time);
    await expect(running).rejects.toThrow('a fault "break" at 150 ms, and the variant no function for it');
    const late = { ...script, faults: [{ name: 'break', atMs: 9000 }] };
    await expect(runScenario(late, prepare(time, {}), time)).rejects.toThrow('would fire at 9000 ms of 300');
  });

  test('ends with what a fault threw', async () => {
    const time = virtualTime();
    const reason = new Error('cannot kill');
    const faults = { break: () => Promise.reject(reason), mend: () => undefined };
    await expect(runScenario(script, prepare(time, { faults }), time)).rejects.toBe(reason);
  });

  test('stops when aborted, with the reason given', async () => {
    const time = virtualTime();
    const controller = new AbortController();
    const reason = new Error('enough');
    let asked = 0;
    const request = () => {
      asked += 1;
      if (asked === 20) controller.abort(reason);
    };
    const running = runScenario(script, prepare(time, { request }), { ...time, signal: controller.signal });
    await expect(running).rejects.toBe(reason);
    expect(asked).toBe(20);
  });

  test('fails a request at its deadline, whatever the request does with its signal', async () => {
    const deaf = defineScenario({
      ...script,
      faults: [],
      phases: [{ name: 'hold', durationMs: 5, ratePerSecond: 1000 }],
      requestTimeoutMs: 5,
    });
    const prepared: PreparedScenario = { request: () => new Promise(() => undefined), invariants: {} };
    const { phases } = await runScenario(deaf, prepared);
    expect(phases[0]).toMatchObject({ requests: 5, failed: 5, errors: { REQUEST_TIMEOUT: 5 } });
  });
});

const script = defineScenario({
  question: 'Does it hold?',
  unit: 'request',
  phases: [
    { name: 'ramp', durationMs: 100, ratePerSecond: { from: 0, to: 1000 } },
    { name: 'hold', durationMs: 100, ratePerSecond: 1000 },
    { name: 'rest', durationMs: 100, ratePerSecond: 100 },
  ],
  faults: [
    { name: 'break', atMs: 150 },
    { name: 'mend', atMs: 160 },
  ],
  variants: {},
});

function prepare(time: { readonly clock: { now(): number } }, changes: Partial<PreparedScenario>): PreparedScenario {
  let broken = false;
  return {
    request() {
      if (broken) throw Object.assign(new Error('out of order'), { code: 'BROKEN', at: time.clock.now() });
    },
    faults: {
      break() {
        broken = true;
      },
      mend() {
        broken = false;
      },
    },
    invariants: {},
    ...changes,
  };
}

/** A clock that moves only by waiting; what is due at the same moment comes in the order in which it was asked for. */
function virtualTime() {
  let now = 0;
  const timers: { at: number; resolve: () => void }[] = [];
  return {
    clock: { now: () => now },
    async pause(nanoseconds: number) {
      const next = timers.reduce((soonest, { at }) => Math.min(soonest, at), now + nanoseconds);
      now = Math.max(now, next);
      for (const timer of timers.filter(({ at }) => at <= now)) {
        timers.splice(timers.indexOf(timer), 1);
        timer.resolve();
      }
      await new Promise((resolve) => setImmediate(resolve));
    },
    wait(milliseconds: number, signal: AbortSignal) {
      return new Promise<void>((resolve, reject) => {
        timers.push({ at: now + milliseconds * 1e6, resolve });
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    },
  };
}
