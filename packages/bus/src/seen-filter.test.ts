import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeenFilter } from './seen-filter.ts';

describe('SeenFilter', () => {
  // Without clearing what the window slides over, a number one window later counts as seen.
  test('agrees with a set of everything, within the window', () => {
    // Relative to the highest so far, so that the window slides from the first to the last of them.
    const step = fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: -70, max: 40 }), fc.boolean());
    const steps = fc.array(step, { maxLength: 300, size: 'max' });
    fc.assert(
      fc.property(steps, (all) => {
        const filter = new SeenFilter({ window: 64 });
        const seen = { a: new Set<number>(), b: new Set<number>() };
        const highest = { a: -1, b: -1 };
        for (const [source, ahead, isAsked] of all) {
          const name = source === 'a' ? 'a' : 'b';
          const sequence = Math.max(0, highest[name] + ahead);
          const isInWindow = highest[name] - sequence < 64;
          const expected = isInWindow && seen[name].has(sequence);
          expect(filter.has(source, sequence)).toBe(expected);
          if (isAsked) continue;
          expect(filter.seen(source, sequence)).toBe(expected);
          if (isInWindow) seen[name].add(sequence);
          highest[name] = Math.max(highest[name], sequence);
          for (const each of seen[name]) if (highest[name] - each >= 64) seen[name].delete(each);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('forgets the source that it has not heard of for longest', () => {
    const filter = new SeenFilter({ maxSources: 2, window: 32 });
    filter.seen('a', 1);
    filter.seen('b', 1);
    filter.seen('a', 2);
    filter.seen('c', 1);
    expect([filter.sources, filter.has('a', 1), filter.has('b', 1)]).toEqual([2, true, false]);
  });

  test.for([{ window: 0 }, { window: 33 }, { maxSources: 1.5 }])('refuses %j', (options) => {
    expect(() => new SeenFilter(options)).toThrow(RangeError);
  });
});
