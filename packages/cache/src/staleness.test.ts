import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { staleness } from './staleness.ts';

const yearMs = 365 * 24 * 60 * 60 * 1000;
const duration = fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: 2 * yearMs }));

describe('staleness', () => {
  test('never counts an entry as good outside the span from when it was made, less a minute, to its deadline', () => {
    fc.assert(
      fc.property(
        duration,
        fc.nat({ max: yearMs }),
        fc.integer({ min: -3 * yearMs, max: 3 * yearMs }),
        (ttlMs, graceMs, awayMs) => {
          const createdAtMs = Date.UTC(2026, 0, 1);
          const freshUntilMs = createdAtMs + ttlMs;
          const verdict = staleness(
            { createdAtMs, freshUntilMs, expiresAtMs: freshUntilMs + graceMs },
            createdAtMs + awayMs,
          );
          const isWithin = awayMs >= -Math.min(60_000, ttlMs) && awayMs < ttlMs + graceMs;
          expect(verdict === 'expired').toBe(!isWithin);
          if (isWithin) expect(verdict).toBe(awayMs < ttlMs ? 'fresh' : 'stale');
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
