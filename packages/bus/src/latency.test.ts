import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBus } from './bus.ts';
import { Histogram, LatencyHistograms } from './latency.ts';

describe('Histogram', () => {
  test('gives percentiles that are at most 1/16 above the exact ones', () => {
    const values = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, (given) => {
        const histogram = new Histogram();
        for (const value of given) histogram.record(value);
        const sorted = given.toSorted((a, b) => a - b);
        const { count, p50Us, p95Us, p99Us, maxUs } = histogram.summary();
        expect([count, maxUs]).toEqual([given.length, sorted.at(-1)]);
        for (const [share, found] of [
          [0.5, p50Us],
          [0.95, p95Us],
          [0.99, p99Us],
        ] as const) {
          const exact = sorted[Math.ceil(share * given.length) - 1] ?? 0;
          expect(found).toBeGreaterThanOrEqual(exact);
          expect(found).toBeLessThanOrEqual(exact * (1 + 1 / 16) + 1 / 16);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('LatencyHistograms', () => {
  test('tells a bounded number of subjects apart', () => {
    const histograms = new LatencyHistograms(2);
    for (const subject of ['a', 'b', 'c', 'd', 'a']) histograms.record(subject, 1);
    expect([...histograms.summaries()].map(([subject, { count }]) => [subject, count])).toEqual([
      ['a', 2],
      ['b', 1],
      ['…', 2],
    ]);
  });
});

describe('Bus.latency', () => {
  test('measures from publish to handler, a subject at a time, the time that messages wait included', async () => {
    let now = 0;
    const bus = createBus({ latency: { subjects: ['run.*'] }, clock: { now: () => now } });
    const subscription = bus.subscribe('>');
    const iterator = subscription[Symbol.asyncIterator]();
    bus.publish('run.1', 'a', { headers: { trace: 'x' } });
    bus.publish('other', 'b');
    now = 5;
    expect((await iterator.next()).value?.headers).toMatchObject({ trace: 'x' });
    await iterator.next();
    const summary = bus.latency().get('run.1');
    expect(summary).toMatchObject({ count: 1, maxUs: 5_000 });
    expect([...bus.latency().keys()]).toEqual(['run.1']);
    await bus.close();
    expect(createBus().latency().size).toBe(0);
  });
});
