import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { retryDelayMs } from './backoff.ts';

describe('retryDelayMs', () => {
  test('doubles its bound with each attempt until the maximum', () => {
    const policy = { baseMs: 100, maxMs: 1000 };
    const bounds = [1, 2, 3, 4, 5, 6].map((attempt) => retryDelayMs(attempt, policy, () => 1));
    expect(bounds).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  test('spreads over the whole range below the bound', () => {
    const policy = { baseMs: 100, maxMs: 1000, factor: 3 };
    expect([0, 0.25, 0.999].map((random) => retryDelayMs(2, policy, () => random))).toEqual([0, 75, 299.7]);
  });

  test('stays between 0 and the maximum for every attempt', () => {
    const milliseconds = fc.double({ min: 0, max: 1e9, noNaN: true });
    const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const attempts = fc.integer({ min: 1, max: 10_000 });
    fc.assert(
      fc.property(attempts, milliseconds, milliseconds, unit, (attempt, baseMs, maxMs, random) => {
        const delay = retryDelayMs(attempt, { baseMs, maxMs }, () => random);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(Math.min(maxMs, baseMs * 2 ** (attempt - 1) || 0));
      }),
    );
  });

  test.for([
    [0, { baseMs: 1, maxMs: 1 }, 'attempt'],
    [1.5, { baseMs: 1, maxMs: 1 }, 'attempt'],
    [1, { baseMs: -1, maxMs: 1 }, 'baseMs'],
    [1, { baseMs: 1, maxMs: Number.NaN }, 'maxMs'],
    [1, { baseMs: 1, maxMs: 1, factor: 0.5 }, 'factor'],
  ] as const)('refuses attempt %s with %o', ([attempt, policy, option]) => {
    expect(() => retryDelayMs(attempt, policy)).toThrow(new RegExp(`^${option} must be`));
  });
});
