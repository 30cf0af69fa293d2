import { describe, expect, test } from 'vitest';
import { evenArrivals, type GivenUp, sendArrivals } from './arrivals.ts';

describe('evenArrivals', () => {
  test('are evenly apart at a fixed rate', () => {
    expect([...evenArrivals({ from: 1000, to: 1000 }, 5)]).toEqual([0, 1e6, 2e6, 3e6, 4e6]);
  });

  test('come after each other sooner and sooner in a ramp, and all within it', () => {
    const moments = [...evenArrivals({ from: 0, to: 100 }, 1000, 500)];
    expect(moments).toHaveLength(50);
    const gaps = moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0));
    expect(gaps.every((gap, index) => index === 0 || gap <= (gaps[index - 1] ?? 0) + 1)).toBe(true);
    expect(Math.min(...moments)).toBeGreaterThanOrEqual(500e6);
    expect(Math.max(...moments)).toBeLessThan(1500e6);
    // Half of the time sees a quarter of the requests.
    expect(moments.filter((moment) => moment < 1000e6)).toHaveLength(13);
  });

  test('come at the two rates at the ends of a falling ramp', () => {
    const moments = [...evenArrivals({ from: 2000, to: 1000 }, 1000)];
    expect(moments).toHaveLength(1500);
    expect((moments[1] ?? 0) - (moments[0] ?? 0)).toBeCloseTo(0.5e6, -3);
    expect((moments[1499] ?? 0) - (moments[1498] ?? 0)).toBeCloseTo(1e6, -4);
  });
});

describe('sendArrivals', () => {
  test('counts the wait behind a slow request, from the moment each was due', async () => {
    const time = virtualTime();
    const latencies: number[] = [];
    // The third request holds everything up for 10 ms: what is due meanwhile starts late, and says so.
    const request = (index: number) => time.advance(index === 2 ? 10e6 : 0.1e6);
    await sendArrivals(evenArrivals({ from: 1000, to: 1000 }, 6), request, {
      ...time.options,
      onSettled: (_index, _intended, latency) => latencies.push(latency),
    });
    // Naive version that fails here: counting from the actual start, which has 0.1 ms for all but one.
    expect(latencies.map((latency) => Math.round(latency / 1e5) / 10)).toEqual([0.1, 0.1, 10, 9.1, 8.2, 7.3]);
  });

  test('keeps the rate while answers are late, and says how late the starts were', async () => {
    const time = virtualTime();
    const arrivals = await sendArrivals(evenArrivals({ from: 1000, to: 1000 }, 50), () => time.after(20e6), {
      ...time.options,
      onSettled: () => undefined,
    });
    expect(arrivals.started).toBe(50);
    expect(arrivals.startedWithinNs).toBe(49e6);
    expect(arrivals.lateness.greatest).toBe(0);
  });

  test('gives up what is never answered, at the end of the drain', async () => {
    const time = virtualTime();
    const errors: unknown[] = [];
    const arrivals = await sendArrivals(evenArrivals({ from: 1000, to: 1000 }, 3), () => new Promise(() => undefined), {
      ...time.options,
      onSettled: (_index, _intended, _latency, failure) => errors.push((failure?.error as GivenUp | undefined)?.code),
    });
    expect(arrivals.unanswered).toBe(3);
    expect(errors).toEqual(['NEVER_ANSWERED', 'NEVER_ANSWERED', 'NEVER_ANSWERED']);
  });

  test('does not send beyond the limit of unanswered requests', async () => {
    const time = virtualTime();
    const codes: unknown[] = [];
    let sent = 0;
    const request = () => {
      sent += 1;
      return new Promise(() => undefined);
    };
    await sendArrivals(evenArrivals({ from: 1000, to: 1000 }, 5), request, {
      ...time.options,
      maxInFlight: 2,
      onSettled: (_index, _intended, _latency, failure) => codes.push((failure?.error as GivenUp | undefined)?.code),
    });
    expect(sent).toBe(2);
    expect(codes.filter((code) => code === 'IN_FLIGHT_LIMIT')).toHaveLength(3);
  });

  test('settles each request once, with what it threw', async () => {
    const time = virtualTime();
    const settled: [number, unknown][] = [];
    const reason = new Error('no');
    const request = (index: number) => {
      if (index === 0) throw reason;
      return index === 1 ? Promise.reject(reason) : 'yes';
    };
    await sendArrivals(evenArrivals({ from: 1000, to: 1000 }, 3), request, {
      ...time.options,
      onSettled: (index, _intended, _latency, failure) => settled.push([index, failure]),
    });
    expect(settled.sort()).toEqual([
      [0, { error: reason }],
      [1, { error: reason }],
      [2, undefined],
    ]);
  });

  test('calls a request failed that threw or rejected with undefined', async () => {
    const time = virtualTime();
    const failures: unknown[] = [];
    const request = (index: number) => {
      if (index === 0) throw undefined;
      return Promise.reject();
    };
    await sendArrivals(evenArrivals({ from: 1000, to: 1000 }, 2), request, {
      ...time.options,
      onSettled: (_index, _intended, _latency, failure) => failures.push(failure),
    });
    // Naive version that fails here: handing on the bare error, which for these looks like success.
    expect(failures).toEqual([{ error: undefined }, { error: undefined }]);
  });
});

/** A clock that moves only by waiting and by work, so that what is measured is known. */
function virtualTime() {
  let now = 1000;
  const timers: { at: number; resolve: () => void }[] = [];
  const advance = (nanoseconds: number) => {
    now += nanoseconds;
    for (const timer of timers.filter(({ at }) => at <= now)) {
      timers.splice(timers.indexOf(timer), 1);
      timer.resolve();
    }
  };
  return {
    advance,
    after: (nanoseconds: number) => new Promise<void>((resolve) => timers.push({ at: now + nanoseconds, resolve })),
    options: {
      clock: { now: () => now },
      async pause(nanoseconds: number) {
        advance(nanoseconds);
        await new Promise((resolve) => setImmediate(resolve));
      },
      maxInFlight: 1000,
      drainMs: 100,
    },
  };
}
