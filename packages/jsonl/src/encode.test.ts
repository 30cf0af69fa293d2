import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeJsonl, JsonlDecoder } from './index.ts';

describe('encodeJsonl', () => {
  test('makes one line that decodes to the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        const line = encodeJsonl(value);
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(new JsonlDecoder().push(Buffer.from(line))).toEqual([JSON.parse(JSON.stringify(value))]);
      }),
    );
  });

  test('leaves out properties that are undefined, and honours toJSON', () => {
    expect(encodeJsonl({ a: undefined, b: new Date(0), c: null })).toBe('{"b":"1970-01-01T00:00:00.000Z","c":null}\n');
  });

  test.for<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['NaN', Number.NaN],
    ['a nested infinity', { cost: { usd: Number.POSITIVE_INFINITY } }],
    ['undefined in an array', { list: [1, undefined] }],
    ['a bigint', { n: 1n }],
    ['a cycle', cycle()],
    ['nesting beyond the engine', nested(1_000_000)],
  ])('throws a TypeError for %s', ([, value]) => {
    expect(() => encodeJsonl(value)).toThrow(TypeError);
  });

  test('says where the value stands', () => {
    expect(() => encodeJsonl({ cost: [{ usd: Number.NaN }] })).toThrow('NaN at .cost[0].usd cannot be written as JSON');
  });
});

function cycle(): unknown {
  const value: { self?: unknown } = {};
  value.self = value;
  return value;
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}
