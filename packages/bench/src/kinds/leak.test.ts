import { describe, expect, test } from 'vitest';
import { seededRandom } from '../stats.ts';
import { agreeOnLeak, judgeLeak } from './leak.ts';

describe('judgeLeak', () => {
  test('calls a heap that grows in every cycle a leak, through the noise of collections', () => {
    const judgement = judgeLeak(seriesOf({ heapPerCycle: 64, noise: 20_000 }));
    expect(judgement).toMatchObject({ verdict: 'leak', reason: expect.stringContaining('The heap grows by') });
    expect(judgement.heapBytesPerCycle.estimate).toBeCloseTo(64, -1);
  });

  test('never calls a heap that only jumps once a leak', () => {
    // Naive version that fails here: the difference between the last sample and the first.
    expect(judgeLeak(seriesOf({ jumpAt: 27, noise: 50 })).verdict).toBe('no leak');
    expect(judgeLeak(seriesOf({ jumpAt: 15, noise: 50 })).verdict).toBe('inconclusive');
  });

  test('is not misled by a few samples that were taken before garbage was collected', () => {
    expect(judgeLeak(seriesOf({ spikes: true })).verdict).toBe('no leak');
  });

  test('says that it cannot tell when the noise is larger than what is tolerated', () => {
    expect(judgeLeak(seriesOf({ noise: 5_000_000 }))).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringContaining('take more samples'),
    });
  });

  test('finds one descriptor that stays open in 500 cycles', () => {
    const judgement = judgeLeak(seriesOf({ descriptorsPerSample: 2 }));
    expect(judgement).toMatchObject({ verdict: 'leak', reason: expect.stringContaining('descriptors') });
    expect(judgement.descriptorsPerCycle?.estimate).toBeCloseTo(0.002, 5);
  });

  test('finds memory that grows outside the heap, and not what only finds its level', () => {
    expect(judgeLeak(seriesOf({ residentPerSample: 1_000_000 })).reason).toContain('outside the heap');
    expect(judgeLeak(seriesOf({ residentPerSample: 1_000_000, residentStopsAt: 15 })).verdict).toBe('no leak');
  });

  test('judges without descriptors where the system does not tell them', () => {
    const { descriptorsPerCycle, verdict } = judgeLeak({ ...seriesOf({}), descriptors: [] });
    expect([descriptorsPerCycle, verdict]).toEqual([undefined, 'no leak']);
  });

  test('is right about 100 series without a leak and 100 with one, of each size of noise', () => {
    let [alarms, missed] = [0, 0];
    for (let seed = 1; seed <= 100; seed += 1) {
      if (judgeLeak(seriesOf({ seed, noise: 5000 })).verdict === 'leak') alarms += 1;
      if (judgeLeak(seriesOf({ seed, noise: 5000, heapPerCycle: 24 })).verdict !== 'leak') missed += 1;
    }
    expect([alarms, missed]).toEqual([0, 0]);
  });
});

describe('agreeOnLeak', () => {
  test.for([
    { verdicts: ['leak', 'leak'] as const, agreed: 'leak' },
    { verdicts: ['leak', 'no leak'] as const, agreed: 'inconclusive' },
    { verdicts: ['no leak', 'inconclusive'] as const, agreed: 'inconclusive' },
    { verdicts: [] as const, agreed: 'inconclusive' },
  ])('of $verdicts is $agreed', ({ verdicts, agreed }) => {
    expect(agreeOnLeak(verdicts)).toBe(agreed);
  });
});

interface Shape {
  readonly seed?: number;
  readonly heapPerCycle?: number;
  /** Bytes, either way. */
  readonly noise?: number;
  readonly jumpAt?: number;
  readonly spikes?: boolean;
  readonly descriptorsPerSample?: number;
  readonly residentPerSample?: number;
  readonly residentStopsAt?: number;
}

function seriesOf(shape: Shape) {
  const { seed = 1, heapPerCycle = 0, noise = 100, jumpAt = 99, spikes = false, descriptorsPerSample = 0 } = shape;
  const { residentPerSample = 0, residentStopsAt = 99 } = shape;
  const random = seededRandom(seed);
  const samples = Array.from({ length: 30 }, (_, sample) => sample);
  return {
    cyclesPerSample: 1000,
    heapBytes: samples.map((sample) => {
      const wild = spikes && sample % 6 === 5 ? 3e6 : 0;
      return 5e6 + sample * 1000 * heapPerCycle + (sample >= jumpAt ? 400_000 : 0) + wild + noise * (2 * random() - 1);
    }),
    residentBytes: samples.map((sample) => 60e6 + Math.min(sample, residentStopsAt) * residentPerSample),
    descriptors: samples.map((sample) => 20 + sample * descriptorsPerSample),
  };
}
