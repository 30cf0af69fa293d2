import { describe, expect, test } from 'vitest';
import { AdaptiveLimit } from './adaptive-limit.ts';

const latencyMs = 100;

/** A provider that takes `hidden` calls at once and refuses more with a 429, quickly. */
function simulate(limit: AdaptiveLimit, hiddenAt: (call: number) => number, calls: number) {
  const ends: { atMs: number; latencyMs: number; inFlight: number; rateLimited: boolean }[] = [];
  const done: { call: number; atMs: number }[] = [];
  let [nowMs, begun, ended, refused] = [0, 0, 0, 0];
  while (ended < calls) {
    while (ends.length < limit.limit) {
      const served = ends.filter((call) => !call.rateLimited).length;
      const rateLimited = served >= hiddenAt(begun++);
      const takesMs = rateLimited ? 30 : latencyMs;
      ends.push({ atMs: nowMs + takesMs, latencyMs: takesMs, inFlight: ends.length + 1, rateLimited });
    }
    ends.sort((a, b) => a.atMs - b.atMs);
    const call = ends.shift();
    if (call === undefined) break;
    nowMs = call.atMs;
    ended += 1;
    if (call.rateLimited) refused += 1;
    else done.push({ call: ended, atMs: nowMs });
    const before = limit.limit;
    limit.sample(call);
    if (call.rateLimited && refused === 1) expect(limit.limit).toBeLessThan(before);
  }
  return { done, refused };
}

/** Calls served a millisecond from `call` on, as a share of what the hidden limit would allow. */
function share(done: readonly { call: number; atMs: number }[], from: number, hidden: number): number {
  const late = done.filter(({ call }) => call >= from);
  const spanMs = (late.at(-1)?.atMs ?? 0) - (late[0]?.atMs ?? 0);
  return late.length / spanMs / (hidden / latencyMs);
}

describe('AdaptiveLimit', () => {
  test.for([3, 8, 20, 50, 120])(
    'serves nine tenths of what a hidden limit of %i allows, from the 2,000th sample on',
    (hidden) => {
      const { done } = simulate(new AdaptiveLimit(), () => hidden, 12_000);
      expect(share(done, 2000, hidden)).toBeGreaterThan(0.9);
    },
  );

  test.for([
    [60, 15],
    [15, 60],
  ] as const)('finds a limit that steps from %i to %i', ([first, second]) => {
    const { done } = simulate(new AdaptiveLimit(), (call) => (call < 5000 ? first : second), 16_000);
    expect(share(done, 9000, second)).toBeGreaterThan(0.9);
  });

  // A provider that refuses everything for a while, whatever is asked of it.
  test.for([20, 60, 200])('is back at nine tenths 4,000 samples after a burst of %i refusals', (burst) => {
    const hidden = 40;
    const inBurst = (call: number) => call >= 5000 && call < 5000 + burst;
    const { done, refused } = simulate(new AdaptiveLimit(), (call) => (inBurst(call) ? 0 : hidden), 16_000);
    expect(refused).toBeGreaterThanOrEqual(burst);
    expect(share(done, 9000, hidden)).toBeGreaterThan(0.9);
  });

  test.for([{ rateLimited: true }, { memoryShare: 0.95 }, { eventLoopDelayMs: 500 }])(
    'backs off within one sample of %o',
    (signal) => {
      const limit = new AdaptiveLimit({ initial: 20 });
      limit.sample({ latencyMs, inFlight: 20, ...signal });
      expect(limit.limit).toBe(17);
    },
  );

  // Cutting once for each refusal of a burst leaves a limit of 1.
  test('takes a burst of refusals for one', () => {
    const limit = new AdaptiveLimit({ initial: 20 });
    for (let refusal = 0; refusal < 20; refusal += 1) limit.sample({ latencyMs, inFlight: 20, rateLimited: true });
    expect(limit.limit).toBe(17);
  });

  test('falls as calls queue, and does not grow while it is not made use of', () => {
    const limit = new AdaptiveLimit({ initial: 20 });
    for (let call = 0; call < 50; call += 1) limit.sample({ latencyMs: 100, inFlight: 2 });
    expect(limit.limit).toBe(20);
    for (let call = 0; call < 50; call += 1) limit.sample({ latencyMs: 400, inFlight: 20 });
    expect(limit.limit).toBeLessThan(10);
  });

  test('refuses bounds that contradict each other', () => {
    expect(() => new AdaptiveLimit({ initial: 300 })).toThrow(RangeError);
    expect(() => new AdaptiveLimit({ backOff: 1 })).toThrow(/^backOff must/);
  });
});
