import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UnsupportedValueError } from './errors.ts';
import { decodeValue, type EncodedValue, encodeValue } from './value.ts';

function roundTrip(value: unknown): unknown {
  const { codec, payload, shareable } = encodeValue(value);
  return decodeValue(codec, payload, shareable);
}

const anyText = fc.string({ unit: 'binary' });
const jsonLike = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    anyText,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value')),
    fc.dictionary(
      fc.oneof(anyText, fc.constantFrom('__proto__', 'constructor', 'toString', '\ud800', '1')),
      tie('value'),
    ),
  ),
})).value;

describe('encodeValue and decodeValue', () => {
  test('give back every JSON value, lone surrogates and awkward keys included', () => {
    fc.assert(
      fc.property(jsonLike, (value) => {
        // -0 is the one JSON number that doesn't survive JSON either.
        expect(JSON.stringify(roundTrip(value))).toBe(JSON.stringify(value));
      }),
      { numRuns: 1_000 },
    );
  });

  test('keep __proto__ an own property that reaches no prototype', () => {
    const value = JSON.parse('{"__proto__":{"polluted":true},"a":1}');
    const back = roundTrip(value) as object;
    expect(Object.keys(back)).toEqual(['__proto__', 'a']);
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
  });

  test.for([
    [Number.NaN],
    [Infinity],
    [-Infinity],
    [2n ** 64n - 1n],
    [-(2n ** 63n)],
    [0n],
    [new Date(8.64e15)],
    [new Date(-1)],
    [Buffer.from([0, 255])],
    [{ a: undefined, b: [undefined, 1] }],
    [{ at: new Date(1_700_000_000_123), data: Buffer.alloc(10_000, 1), n: 5n }],
    [''],
    [0],
    [false],
    [null],
    [Object.assign(Object.create(null), { a: 1 })],
    ['x'.repeat(1_000_000)],
    [Array.from({ length: 70_000 }, (_, index) => index - 35_000)],
  ])('give back %o', ([value]) => {
    expect(roundTrip(value)).toEqual(value);
  });

  test('freeze what holds no dates or bytes, all the way down', () => {
    const back = roundTrip({ a: [{ b: 1 }] }) as { a: { b: number }[] };
    expect([back, back.a, back.a[0]].map(Object.isFrozen)).toEqual([true, true, true]);
  });

  test('refuse cycles and absurd depth', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    for (const value of [cyclic, deep]) expect(() => encodeValue(value)).toThrow(UnsupportedValueError);
  });

  test('refuse what neither codec could say whole', () => {
    expect(() => encodeValue({ text: '\ud800', at: new Date(0) })).toThrow(UnsupportedValueError);
  });
});

describe('values of any shape', () => {
  const leaf = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constant(undefined), fc.constant(Number.NaN), fc.double());
  const shape = fc.uniqueArray(
    fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('1', 'constructor', 'a b', 'length')),
    {
      maxLength: 8,
    },
  );
  const rows = shape.chain((keys) =>
    fc
      .array(fc.tuple(...keys.map(() => leaf)), { maxLength: 12 })
      .map((cells) => cells.map((row) => Object.fromEntries(keys.map((key, index) => [key, row[index]])))),
  );

  test('come back equal and deeply frozen, though entries have their shapes in common or not', () => {
    fc.assert(
      fc.property(
        fc.oneof(rows, fc.jsonValue(), fc.dictionary(fc.string(), leaf, { minKeys: 60, maxKeys: 80 })),
        (value) => {
          let encoded: EncodedValue;
          try {
            encoded = encodeValue(value);
          } catch (error) {
            expect(error).toBeInstanceOf(UnsupportedValueError);
            return;
          }
          const decoded = decodeValue(encoded.codec, encoded.payload, encoded.shareable);
          expect(decoded).toEqual(zeroesUnsigned(value));
          expect(isDeeplyFrozen(decoded)).toBe(true);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen);
}

/** -0 comes back as 0. */
function zeroesUnsigned(value: unknown): unknown {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(zeroesUnsigned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, zeroesUnsigned(member)]));
}
