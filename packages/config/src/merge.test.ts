import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { find, mergeLayers } from './merge.ts';
import type { Path } from './path.ts';
import { isPlainObject, type PlainObject } from './plain-data.ts';

const key = fc.constantFrom('a', 'b', 'c');
const { layer } = fc.letrec<{ layer: PlainObject; value: unknown }>((tie) => ({
  layer: fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  value: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.constant(null),
    fc.array(fc.integer(), { maxLength: 3 }),
    tie('layer'),
  ),
}));

/** Every path at which something other than a filled object stands. */
function leaves(value: unknown, path: Path = []): Path[] {
  if (!isPlainObject(value)) return [path];
  return Object.entries(value).flatMap(([name, member]) => leaves(member, [...path, name]));
}

describe('mergeLayers', () => {
  test('gives every leaf the value of the highest layer that says anything about it', () => {
    fc.assert(
      fc.property(fc.array(layer, { maxLength: 5 }), (layers) => {
        const merged = mergeLayers(layers);
        for (const path of leaves(merged)) {
          if (path.length === 0) continue;
          const highest = layers.map((each) => find(each, path)).findLast((found) => found.type !== 'absent');
          expect(highest).toEqual({ type: 'value', value: Reflect.get(find(merged, path), 'value') });
        }
      }),
    );
  });

  test('loses no leaf unless a higher layer says something else there', () => {
    fc.assert(
      fc.property(fc.array(layer, { maxLength: 5 }), (layers) => {
        const merged = mergeLayers(layers);
        for (const [index, lower] of layers.entries()) {
          for (const path of leaves(lower)) {
            const isCovered = layers.slice(index + 1).some((higher) => find(higher, path).type !== 'absent');
            const expected = find(lower, path);
            if (!isCovered) expect(find(merged, path)).toEqual(expected);
          }
        }
      }),
    );
  });

  test('changes no layer and shares nothing with them', () => {
    fc.assert(
      fc.property(fc.array(layer, { maxLength: 4 }), (layers) => {
        const before = structuredClone(layers);
        const seen = new Set<unknown>();
        collect(layers, seen);
        const merged = new Set<unknown>();
        collect(mergeLayers(layers), merged);
        expect(layers).toEqual(before);
        for (const each of merged) expect(seen.has(each)).toBe(false);
      }),
    );
  });
});

function collect(value: unknown, into: Set<unknown>): void {
  if (typeof value !== 'object' || value === null) return;
  into.add(value);
  for (const member of Object.values(value)) collect(member, into);
}
