import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PersistentVector } from './persistent-vector.ts';

describe('PersistentVector', () => {
  test('holds what an array of the same changes holds, and leaves every earlier version as it was', () => {
    const change = fc.tuple(fc.nat(), fc.integer());
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 2500 }), fc.array(change), (items, changes) => {
        const versions = [{ vector: PersistentVector.from(items), array: [...items] }];
        for (const [place, item] of changes) {
          const last = versions.at(-1) ?? { vector: PersistentVector.from(items), array: items };
          const index = place % items.length;
          versions.push({ vector: last.vector.with(index, item), array: last.array.with(index, item) });
        }
        for (const { vector, array } of versions) expect([...vector]).toEqual(array);
      }),
      { numRuns: 60 },
    );
  });

  test.for([-1, 3, 1.5, Number.NaN])('refuses the place %s of three', (index) => {
    const vector = PersistentVector.from(['a', 'b', 'c']);
    expect(() => vector.get(index)).toThrow(RangeError);
    expect(() => vector.with(index, 'd')).toThrow(RangeError);
  });

  test('does not see later changes of the array it was made from', () => {
    const items = ['a', 'b'];
    const vector = PersistentVector.from(items);
    items[0] = 'changed';
    expect(vector.get(0)).toBe('a');
  });
});
