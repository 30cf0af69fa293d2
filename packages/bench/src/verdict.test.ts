import { describe, expect, test } from 'vitest';
import { holm, isEqual, judgeRatio, sideBySideLimits, widenLimits } from './verdict.ts';

describe('judgeRatio', () => {
  test.for([
    { low: 1.06, high: 1.2, verdict: 'slower' },
    { low: 1.05, high: 1.2, verdict: 'inconclusive' },
    { low: 1.02, high: 1.04, verdict: 'inconclusive' },
    { low: 0.9, high: 0.97, verdict: 'faster' },
    { low: 0.9, high: 0.98, verdict: 'inconclusive' },
    { low: 0.5, high: 2, verdict: 'inconclusive' },
    { low: 1, high: 1, verdict: 'inconclusive' },
    { low: Number.NaN, high: Number.NaN, verdict: 'inconclusive' },
  ])('calls $low to $high $verdict', ({ low, high, verdict }) => {
    expect(judgeRatio({ estimate: (low + high) / 2, low, high })).toBe(verdict);
  });
});

describe('isEqual', () => {
  test.for([
    { low: 0.99, high: 1.01, equal: true },
    { low: 0.95, high: 1.05, equal: true },
    { low: 0.9, high: 1.01, equal: false },
    { low: 0.99, high: 1.06, equal: false },
    { low: Number.NaN, high: Number.NaN, equal: false },
  ])('says $equal of $low to $high', ({ low, high, equal }) => {
    expect(isEqual({ estimate: 1, low, high })).toBe(equal);
  });
});

describe('holm', () => {
  test.for([
    // The example of his paper's procedure: 0.05/4, 0.05/3, then 0.03 is above 0.05/2 and nothing more stands.
    { pValues: [0.01, 0.04, 0.03, 0.005], stands: [true, false, false, true] },
    { pValues: [0.04], stands: [true] },
    { pValues: [0.02, 0.02, 0.02], stands: [false, false, false] },
    { pValues: [0.001, 0.02, 0.03], stands: [true, true, true] },
    { pValues: [Number.NaN, 0.001], stands: [false, true] },
    { pValues: [], stands: [] },
  ])('of $pValues lets $stands stand', ({ pValues, stands }) => {
    expect(holm(pValues, 0.05)).toEqual(stands);
  });
});

describe('widenLimits', () => {
  test('moves the limits out by what a thing differs from itself, either way', () => {
    expect(widenLimits(sideBySideLimits, { estimate: 1, low: 0.99, high: 1.01 })).toEqual(sideBySideLimits);
    const wide = widenLimits(sideBySideLimits, { estimate: 0.92, low: 0.9, high: 1.01 });
    expect(wide.slowerAbove).toBeCloseTo(1.08, 6);
    expect(wide.fasterBelow).toBeCloseTo(0.92, 6);
  });
});
