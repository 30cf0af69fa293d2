import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeenFilter } from './seen-filter.ts';

describe('SeenFilter', () => {
  // Without clearing what the window slides over, a number one window later counts as seen.
  test('agrees with a set of everything, within the window', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.nat({ max: 300 }), fc.boolean()), { maxLength: 300 });
    fc.assert(
      fc.property(steps, (all) => {
        const filter = new SeenFilter({ window: 64 });
        const seen = { a: new Set<number>(), b: new Set<number>() };
        const highest = { a: -1, b: -1 };
        for (const [source, sequence, isAsked] of all) {
          const name = source === 'a' ? 'a' : 'b';
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
      { numRuns: 500 },
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
