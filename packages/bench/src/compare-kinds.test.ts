import { describe, expect, test } from 'vitest';
import { compareKind } from './compare-kinds.ts';
import type { KindRecord } from './kind-records.ts';
import { seededRandom } from './stats.ts';

const head = { name: 'sample/work', question: 'How?', unit: 'item', hash: 'same', reference: 'cadre' } as const;
const side = {
  controls: {
    cpu: {
      question: '',
      unit: 'block',
      first: Array.from({ length: 11 }, () => 1000),
      second: Array.from({ length: 11 }, () => 1000),
      selfRatio: { estimate: 1, low: 1, high: 1 },
    },
  },
  runtime: '11.3 on x64',
};

function compare(now: KindRecord, before: KindRecord | undefined, nowSide = side) {
  return compareKind(now, before, nowSide, side);
}

describe('compareKind of loads', () => {
  test('finds a p99 that doubled while the median stayed', () => {
    expect(compare(loadOf({ p99: 2 }), loadOf({ seed: 2 }))).toMatchObject({
      outcome: 'slower',
      changeOf: 'p99 latency',
    });
  });

  test('finds a median that rose by 20 %, and one that fell', () => {
    expect(compare(loadOf({ p50: 1.2 }), loadOf({ seed: 2 }))).toMatchObject({
      outcome: 'slower',
      changeOf: 'p50 latency',
    });
    expect(compare(loadOf({ p50: 0.7 }), loadOf({ seed: 2 })).outcome).toBe('faster');
  });

  test('is not misled by a p99 that varies by a third', () => {
    expect(compare(loadOf({ p99Noise: 0.33 }), loadOf({ seed: 2, p99Noise: 0.33 })).outcome).toBe('inconclusive');
  });

  test('compares no other rate, no other case, and nothing without its control', () => {
    expect(compare(loadOf({ rate: 2000 }), loadOf({})).outcome).toBe('notComparable');
    expect(compare({ ...loadOf({}), hash: 'other' }, loadOf({})).outcome).toBe('notComparable');
    expect(compare(loadOf({}), loadOf({}), { ...side, controls: {} as typeof side.controls }).outcome).toBe(
      'notComparable',
    );
  });
});

describe('compareKind of memory', () => {
  test.for([
    { now: 220, outcome: 'worse' },
    { now: 208, outcome: 'inconclusive' },
    { now: 180, outcome: 'better' },
  ])('of 200 bytes per item that became $now is $outcome', ({ now, outcome }) => {
    expect(compare(memoryOf(now), memoryOf(200)).outcome).toBe(outcome);
  });

  test('lets a word more for each of many small items pass', () => {
    expect(compare(memoryOf(24), memoryOf(16)).outcome).toBe('inconclusive');
  });

  test('proves nothing where the intervals overlap', () => {
    expect(compare(memoryOf(220, 30), memoryOf(200, 30)).outcome).toBe('inconclusive');
  });

  test('compares nothing between two versions of V8', () => {
    const other = { ...side, runtime: '13.6 on x64' };
    expect(compare(memoryOf(220), memoryOf(200), other).outcome).toBe('notComparable');
  });
});

describe('compareKind of leaks', () => {
  test.for([
    { now: 'leak', before: 'no leak', outcome: 'worse' },
    { now: 'leak', before: undefined, outcome: 'worse' },
    { now: 'leak', before: 'leak', outcome: 'inconclusive' },
    { now: 'no leak', before: 'leak', outcome: 'better' },
    { now: 'no leak', before: 'no leak', outcome: 'inconclusive' },
    { now: 'inconclusive', before: 'no leak', outcome: 'tooNoisy' },
  ] as const)('of $before that became $now is $outcome', ({ now, before, outcome }) => {
    expect(compare(leakOf(now), before === undefined ? undefined : leakOf(before)).outcome).toBe(outcome);
  });
});

describe('compareKind of scenarios', () => {
  test('calls a broken invariant worse, whatever it is held against', () => {
    const broken = scenarioOf({ violated: true });
    expect(compare(broken, undefined)).toMatchObject({
      outcome: 'worse',
      reason: expect.stringContaining('nothingLost'),
    });
    expect(compare(broken, { ...broken, hash: 'other' }).outcome).toBe('worse');
  });

  test.for([
    { failed: 30, before: 10, outcome: 'worse' },
    { failed: 15, before: 10, outcome: 'inconclusive' },
    { failed: 0, before: 100, outcome: 'better' },
  ])('of $before failures in 1,000 that became $failed is $outcome', ({ failed, before, outcome }) => {
    expect(compare(scenarioOf({ failed }), scenarioOf({ failed: before })).outcome).toBe(outcome);
  });
});

describe('compareKind of sizes', () => {
  test('names what grew by more than a tenth and 2 KiB', () => {
    expect(compare(sizeOf(40_000, 9000), sizeOf(30_000, 9000))).toMatchObject({
      outcome: 'worse',
      reason: 'packed 40000 bytes, was 30000.',
    });
    expect(compare(sizeOf(30_000, 12_000), sizeOf(30_000, 9000)).reason).toBe('door . 12000 bytes, was 9000.');
    expect(compare(sizeOf(30_000, 6000), sizeOf(30_000, 9000)).outcome).toBe('better');
  });

  test.for([
    { now: 32_000, what: 'a fifteenth' },
    { now: 31_500, what: '1.5 KB' },
  ])('lets $what pass', ({ now }) => {
    expect(compare(sizeOf(now, 9000), sizeOf(30_000, 9000)).outcome).toBe('inconclusive');
  });

  test('does not ask whether the case changed: the package is what is weighed', () => {
    expect(compare({ ...sizeOf(40_000, 1), hash: 'other' }, sizeOf(30_000, 1)).outcome).toBe('worse');
  });
});

function loadOf(shape: {
  readonly seed?: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly p99Noise?: number;
  readonly rate?: number;
}): KindRecord {
  const { seed = 1, p50 = 1, p99 = 1, p99Noise = 0.05, rate = 1000 } = shape;
  const random = seededRandom(seed);
  const rounds = (base: number, noise: number) =>
    Array.from({ length: 11 }, () => base * Math.exp(noise * (2 * random() - 1)));
  const latency = {
    p50: rounds(20_000 * p50, 0.03),
    p95: rounds(40_000, 0.05),
    p99: rounds(90_000 * p99, p99Noise),
    p999: rounds(900_000, 0.5),
    max: rounds(2e6, 0.5),
  };
  const variant = { achievedPerSecond: rounds(rate, 0), latency, histogram: { nanoseconds: [], counts: [] } };
  return { ...head, kind: 'load', control: 'cpu', ratePerSecond: rate, variants: { cadre: variant } };
}

function memoryOf(bytes: number, width = 1): KindRecord {
  const bytesPerItem = { estimate: bytes, low: bytes - width, high: bytes + width };
  const none = { items: [], heapBytes: [], externalBytes: [], arrayBufferBytes: [], fixedBytes: 0 };
  return { ...head, kind: 'memory', variants: { cadre: { ...none, bytesPerItem } } };
}

function leakOf(verdict: 'leak' | 'no leak' | 'inconclusive'): KindRecord {
  const slope = { estimate: 0, low: 0, high: 0 };
  const judgement = { verdict, reason: 'So it is.', heapBytesPerCycle: slope, residentBytesPerCycle: slope };
  return {
    ...head,
    kind: 'leak',
    toleratedBytesPerCycle: 8,
    variants: { cadre: { verdict, series: [], judgements: [judgement] } },
  };
}

function scenarioOf({ failed = 0, violated = false }): KindRecord {
  const violations = violated ? [{ invariant: 'nothingLost', phase: 'hold', message: '3 lost' }] : [];
  const phases = [{ name: 'hold', requests: 1000, failed, errors: {} }];
  return { ...head, kind: 'scenario', variants: { cadre: { phases, faults: [], violations } } };
}

function sizeOf(packedBytes: number, bundleBytes: number): KindRecord {
  const doors = { '.': { distBytes: 50_000, bundleBytes, gzipBytes: 3000 } };
  return {
    ...head,
    kind: 'size',
    packageName: '@sample/work',
    size: { packedBytes, unpackedBytes: 90_000, files: 12, doors },
  };
}
