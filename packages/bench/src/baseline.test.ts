import { describe, expect, test } from 'vitest';
import { comparePackage, findNoise } from './baseline.ts';
import type { BenchmarkRecord, PackageRecord } from './record.ts';
import { medianInterval, pairedRatios, seededRandom } from './stats.ts';

const calm = 0.02;

describe('comparePackage', () => {
  test('raises at most 1 false alarm in 20 comparisons of equal code', () => {
    let alarms = 0;
    for (let trial = 0; trial < 100; trial += 1) {
      const outcome = compare({ seed: 2 * trial + 1, caseNoise: 0.06 }, { seed: 2 * trial + 2, caseNoise: 0.06 });
      if (outcome === 'slower' || outcome === 'faster') alarms += 1;
    }
    // Naive version that fails here: a verdict from the two medians alone, without an interval (20 alarms).
    expect(alarms).toBeLessThanOrEqual(5);
  });

  test('finds a variant that became 20 % slower in at least 95 of 100 comparisons', () => {
    let found = 0;
    for (let trial = 0; trial < 100; trial += 1) {
      if (compare({ seed: 2 * trial + 1, cost: 1.2 }, { seed: 2 * trial + 2 }) === 'slower') found += 1;
    }
    expect(found).toBeGreaterThanOrEqual(95);
  });

  test('finds a variant that became 20 % faster', () => {
    expect(compare({ seed: 1, cost: 0.8 }, { seed: 2 })).toBe('faster');
  });

  test('is not misled by a machine half as fast as the one of the baseline', () => {
    expect(compare({ seed: 1, machine: 2 }, { seed: 2 })).toBe('inconclusive');
    expect(compare({ seed: 1, machine: 2, cost: 1.2 }, { seed: 2 })).toBe('slower');
  });

  test('is not misled by a clock that slows down during the run', () => {
    expect(compare({ seed: 1, drift: 0.05 }, { seed: 2 })).toBe('inconclusive');
  });

  test('calls it too noisy when the control differs from itself', () => {
    expect(compare({ seed: 1, cost: 1.2, secondControl: 1.1 }, { seed: 2 })).toBe('tooNoisy');
    expect(compare({ seed: 1, cost: 1.2 }, { seed: 2, secondControl: 1.1 })).toBe('tooNoisy');
    expect(compare({ seed: 1, cost: 1.2, noise: 0.3 }, { seed: 2 })).toBe('tooNoisy');
  });

  test('calls it too noisy when every rival moved the same way', () => {
    expect(compare({ seed: 1, cost: 1.2, rivalCost: 1.2 }, { seed: 2 })).toBe('tooNoisy');
    expect(compare({ seed: 1, cost: 1.2, rivalCost: 0.8 }, { seed: 2 })).toBe('slower');
  });

  test('proves nothing from less than five rounds', () => {
    expect(compare({ seed: 1, cost: 2, rounds: 4 }, { seed: 2 })).toBe('tooNoisy');
  });

  test('compares nothing when the case changed, is new, or is gone', () => {
    const now = simulate({ seed: 1 });
    const outcomes = (after: PackageRecord, before: PackageRecord) =>
      comparePackage(after, before).map(({ name, outcome }) => [name, outcome]);
    const changed = { ...now, cases: now.cases.map((entry) => ({ ...entry, hash: 'other' })) };
    expect(outcomes(changed, now)).toEqual([['sample/work', 'notComparable']]);
    expect(outcomes(now, { ...now, cases: [] })).toEqual([['sample/work', 'notComparable']]);
    expect(outcomes({ ...now, cases: [] }, now)).toEqual([['sample/work', 'notComparable']]);
  });

  test('says by how much the ratio to the control changed', () => {
    const [comparison] = comparePackage(simulate({ seed: 1, cost: 1.2, noise: 0 }), simulate({ seed: 2, noise: 0 }));
    expect(comparison?.change?.estimate).toBeCloseTo(1.2, 6);
    expect(comparison?.peakRssBytes).toEqual({ now: 50e6, baseline: 50e6 });
  });
});

describe('findNoise', () => {
  test('accepts a calm record', () => {
    expect(findNoise(recordOf(simulate({ seed: 1 })))).toBeUndefined();
  });

  test('names the control that differs from itself', () => {
    expect(findNoise(recordOf(simulate({ seed: 1, secondControl: 1.1 })))).toMatch('sample: The control "cpu" differs');
  });

  test('names a machine that was busy before', () => {
    expect(findNoise(recordOf(simulate({ seed: 1 }), 0.8))).toMatch('80 %');
  });
});

interface Simulation {
  readonly seed: number;
  /** Of the variant under test, relative to the baseline's. */
  readonly cost?: number;
  readonly rivalCost?: number;
  readonly secondControl?: number;
  /** Standard deviation of the logarithm of each process's time. */
  readonly noise?: number;
  /** The same, of the case's processes where they differ from the control's. */
  readonly caseNoise?: number;
  /** How much slower everything is on this machine. */
  readonly machine?: number;
  /** By how much everything becomes slower from round to round. */
  readonly drift?: number;
  readonly rounds?: number;
}

function compare(now: Simulation, baseline: Simulation): string | undefined {
  return comparePackage(simulate(now), simulate(baseline))[0]?.outcome;
}

function simulate(simulation: Simulation): PackageRecord {
  const {
    seed,
    cost = 1,
    rivalCost = 1,
    secondControl = 1,
    noise = calm,
    caseNoise = noise,
    machine = 1,
    drift = 0,
  } = simulation;
  const random = seededRandom(seed);
  const rounds = Array.from({ length: simulation.rounds ?? 11 }, (_, round) => machine * (1 + drift) ** round);
  const figures = (nanoseconds: number, deviation: number) =>
    rounds.map((factor) => nanoseconds * factor * Math.exp(deviation * gaussian(random)));
  const [first, second] = [figures(1000, noise), figures(1000 * secondControl, noise)];
  const one = { estimate: 1, low: 1, high: 1 };
  const variant = (nanoseconds: number) => ({
    iterations: 1,
    samples: figures(nanoseconds, caseNoise).map((figure) => [figure]),
    peakRssBytes: rounds.map(() => 50e6),
    nanosecondsPerUnit: nanoseconds,
    ratioToControl: one,
    timesReference: one,
  });
  return {
    name: 'sample',
    controls: {
      cpu: { question: '', unit: 'block', first, second, selfRatio: medianInterval(pairedRatios(first, second)) },
    },
    cases: [
      {
        name: 'sample/work',
        question: 'How long does it take?',
        unit: 'item',
        unitsPerIteration: 1,
        control: 'cpu',
        hash: 'same',
        reference: 'cadre',
        variants: { cadre: variant(5000 * cost), rival: variant(9000 * rivalCost) },
      },
    ],
    kinds: [],
    failures: [],
    leftOut: [],
  };
}

function recordOf(entry: PackageRecord, busyShare = 0.1): BenchmarkRecord {
  return {
    format: 'cadre-bench/2',
    createdAt: '2026-01-01T00:00:00.000Z',
    environment: {
      cpu: 'simulated',
      cores: 2,
      memoryBytes: 2 ** 30,
      platform: 'linux',
      release: '1',
      architecture: 'x64',
      node: 'v20.19.0',
      v8: '11.3',
      loadAverage: 0,
      busyShare,
    },
    settings: { rounds: 11, batchMs: 20, warmupMs: 100, measureMs: 200 },
    packages: [entry],
  };
}

/** Box and Muller. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
