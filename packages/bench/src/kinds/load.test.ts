import { describe, expect, test } from 'vitest';
import { defineLoad, measureLoad } from './load.ts';

describe('measureLoad', () => {
  test('reports the latencies of the measured requests, and not of the warm-up', async () => {
    const time = virtualTime();
    const round = await measureLoad(
      definition,
      prepare((index) => time.advance(index < 100 ? 0.9e6 : 0.2e6)),
      time,
    );
    expect(round.requests).toBe(100 + 200);
    expect(round.result).toBe(300);
    expect(round.latency.p50 / 0.2e6).toBeCloseTo(1, 1);
    expect(round.latency.max).toBe(0.2e6);
    expect(round.achievedPerSecond).toBeCloseTo(1000, 0);
    expect(round.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(200);
  });

  test('counts a stall for everyone who had to wait', async () => {
    const time = virtualTime();
    const stall = (index: number) => time.advance(index === 150 ? 20e6 : 0.1e6);
    const { latency } = await measureLoad(definition, prepare(stall), time);
    // One request in 200 was slow by itself; a tenth of them waited. Counted from the actual start, p95 would be 0.1 ms.
    expect(latency.p95).toBeGreaterThan(9e6);
    expect(latency.p50).toBeLessThan(0.2e6);
  });

  test('refuses to report when the variant takes more than the rate leaves', async () => {
    const time = virtualTime();
    const running = measureLoad(
      definition,
      prepare(() => time.advance(1.5e6)),
      time,
    );
    await expect(running).rejects.toMatchObject({
      code: 'BENCH_RATE_NOT_HELD',
      message: expect.stringMatching(/^Only 66\d of 1000 requests a second could be started.*the variant holds up/),
    });
  });

  test('refuses to report when the generator itself falls behind, before anything is asked', async () => {
    const time = virtualTime();
    let asked = 0;
    const slowClock = { ...time, pause: (nanoseconds: number) => time.pause(nanoseconds + 3e6) };
    const running = measureLoad(
      definition,
      prepare(() => (asked += 1)),
      slowClock,
    );
    await expect(running).rejects.toMatchObject({
      code: 'BENCH_RATE_NOT_HELD',
      message: expect.stringContaining('The generator itself fell behind'),
    });
    expect(asked).toBe(0);
  });

  test('fails when a request fails, with its error', async () => {
    const time = virtualTime();
    const failing = prepare((index) => {
      if (index === 120) throw new RangeError('no such key');
    });
    await expect(measureLoad(definition, failing, time)).rejects.toMatchObject({
      message: expect.stringContaining('1 of 200 requests failed'),
      cause: expect.objectContaining({ message: 'no such key' }),
    });
  });

  test('gives the number of all requests to validate', async () => {
    const time = virtualTime();
    const wrong = { ...prepare(() => undefined), summarise: () => 299 };
    await expect(measureLoad(definition, wrong, time)).rejects.toThrow('299 of 300');
  });
});

const definition = defineLoad<number>({
  question: 'How long does it take?',
  unit: 'request',
  ratePerSecond: 1000,
  warmupMs: 100,
  durationMs: 200,
  validate(result, requests) {
    if (result !== requests) throw new Error(`${result} of ${requests}`);
  },
  variants: {},
});

function prepare(work: (index: number) => unknown) {
  let asked = 0;
  return {
    request(index: number) {
      work(index);
      asked += 1;
    },
    summarise: () => asked,
  };
}

/** A clock that moves only by waiting and by work. */
function virtualTime() {
  let now = 1000;
  const advance = (nanoseconds: number) => {
    now += nanoseconds;
  };
  return {
    advance,
    clock: { now: () => now },
    async pause(nanoseconds: number) {
      advance(nanoseconds);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
