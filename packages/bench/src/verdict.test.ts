import { describe, expect, test } from 'vitest';
import { isEqual, judgeRatio } from './verdict.ts';

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
