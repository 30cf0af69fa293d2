import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitScale, logScale } from './scale.ts';

const positive = fc.double({ min: 1e-3, max: 1e12, noNaN: true });

describe.for([
  { name: 'fitScale', make: fitScale },
  { name: 'logScale', make: logScale },
])('$name', ({ make }) => {
  test('places every value on the axis, in order, with few ticks that lie on it too', () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1, maxLength: 20 }), (values) => {
        const { place, ticks } = make(values);
        const sorted = [...values].sort((left, right) => left - right).map(place);
        expect(sorted.every((share) => share >= 0 && share <= 100)).toBe(true);
        expect(sorted).toEqual([...sorted].sort((left, right) => left - right));
        expect(ticks.length).toBeLessThanOrEqual(6);
        expect(ticks.map(place).every((share) => share >= -1e-6 && share <= 100 + 1e-6)).toBe(true);
      }),
    );
  });
});
