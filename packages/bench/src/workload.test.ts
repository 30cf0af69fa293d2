import { describe, expect, test } from 'vitest';
import type { ClaimUnit } from './record.ts';
import type { Interval } from './stats.ts';
import { judgeClaim, type WorkloadFigures, workloadFigures } from './workload.ts';

const unused = () => {
  throw new TypeError('This claim reads its own figure.');
};
const figures: WorkloadFigures = { time: unused, rate: unused, times: unused, probe: unused };

describe('judgeClaim', () => {
  test.for<[unit: ClaimUnit, claimed: number | undefined, measured: Interval, verdict: string]>([
    ['nanoseconds', 100, { estimate: 90, low: 85, high: 95 }, 'met'],
    ['nanoseconds', 100, { estimate: 99, low: 95, high: 104 }, 'level'],
    ['nanoseconds', 100, { estimate: 120, low: 101, high: 130 }, 'missed'],
    ['perSecond', 100, { estimate: 120, low: 101, high: 130 }, 'met'],
    ['times', 8, { estimate: 2, low: 1, high: 3 }, 'missed'],
    ['timesExactly', 1.05, { estimate: 1.0595, low: 1, high: 1.1 }, 'met'],
    ['timesExactly', 1.05, { estimate: 1.04, low: 1, high: 1.1 }, 'met'],
    ['timesExactly', 1.05, { estimate: 1.07, low: 1, high: 1.1 }, 'missed'],
    ['times', undefined, { estimate: 2, low: 1, high: 3 }, 'unclaimed'],
  ])('calls %s %o measured as %o %s', ([unit, claimed, measured, verdict]) => {
    const claim = { what: 'it', unit, source: 'here', read: () => measured };
    const judged = judgeClaim(
      {
        ...claim,
        ...(claimed === undefined ? {} : { claimed }),
        explain: (outcome) => `${outcome.verdict} at ${outcome.measured.estimate}`,
      },
      figures,
    );
    expect(judged).toMatchObject({ verdict, reason: `${verdict} at ${measured.estimate}` });
  });
});

describe('workloadFigures', () => {
  const variant = (samples: readonly (readonly number[])[]) => ({
    iterations: 1,
    samples,
    peakRssBytes: [],
    nanosecondsPerUnit: 0,
    ratioToControl: { estimate: 1, low: 1, high: 1 },
    timesReference: { estimate: 1, low: 1, high: 1 },
  });
  const entry = {
    name: 'workloads/x',
    question: '',
    unit: 'line',
    unitsPerIteration: 10,
    control: 'cpu' as const,
    hash: '',
    reference: 'cadre',
    variants: { cadre: variant([[100], [200]]), slow: variant([[300], [600]]) },
  };

  test('counts per unit, and pairs variants by round', () => {
    const { time, rate, times, probe } = workloadFigures(entry, { p95: [4, 4] });
    expect(time().estimate).toBe(15);
    expect(rate('slow').estimate).toBeCloseTo((1e9 / 30 + 1e9 / 60) / 2);
    expect(times('slow')).toEqual({ estimate: 3, low: 3, high: 3 });
    expect(probe('p95').estimate).toBe(4);
    expect(() => time('fast')).toThrow('workloads/x has no variant "fast".');
    expect(() => probe('p99')).toThrow('workloads/x has no probe "p99".');
  });
});
