import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cacheKey, canonicalJson } from './cache-key.ts';

describe('canonicalJson', () => {
  // RFC 8785, appendix B: IEEE 754 bits to text.
  test.for<[string, string]>([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the number %s as %s', ([bits, text]) => {
    expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text);
  });

  test('sorts by UTF-16 code units and escapes as in the example of RFC 8785, section 3.2.3', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      '1': 'One',
      '\ud83d\ude00': 'Emoji: Grinning Face',
      '\u0080': 'Control',
      '\u00f6': 'Latin Small Letter O With Diaeresis',
    };
    expect(Object.values(JSON.parse(canonicalJson(value)))).toHaveLength(7);
    const order = [...canonicalJson(value).matchAll(/:"([A-Z][a-z]+)/g)].map(([, word]) => word);
    expect(order).toEqual(['Carriage', 'One', 'Control', 'Latin', 'Euro', 'Emoji', 'Hebrew']);
    expect(canonicalJson('\u20ac$\u000f\u000aA\'\u0042\u0022\u005c\\"/')).toBe('"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"');
  });

  test('equals JSON.stringify of the same value with sorted keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(canonicalJson(value)).toBe(reference(value));
      }),
      { numRuns: 500 },
    );
  });

  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  test.for<[string, string, unknown]>([
    ['undefined', '$', undefined],
    ['undefined', '$["a"]["b"][2]', { a: { b: [1, 2, undefined] } }],
    ['NaN', '$["n"]', { n: Number.NaN }],
    ['Infinity', '$[0]', [Infinity]],
    ['a function', '$["f"]', { f: () => 1 }],
    ['a symbol', '$[0]', [Symbol('s')]],
    ['a bigint', '$', 1n],
    ['an instance of Map', '$["m"]', { m: new Map() }],
    ['an instance of Date', '$', new Date(0)],
    ['a string with a lone surrogate', '$["s"]', { s: 'a\ud800' }],
    ['a cycle', '$["self"]', cyclic],
  ])('refuses %s, naming %s', ([what, path, value]) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
    expect(() => canonicalJson(value)).toThrow(what);
    expect(() => canonicalJson(value)).toThrow(`at ${path}`);
  });
});

describe('cacheKey', () => {
  test('is one for values that differ only in the order of properties', () => {
    expect(cacheKey({ a: 1, b: { c: [1, 2], d: null } })).toBe(cacheKey({ b: { d: null, c: [1, 2] }, a: 1 }));
    expect(cacheKey({ a: 1 })).not.toBe(cacheKey({ a: '1' }));
    expect(cacheKey([])).toBe('4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945');
  });
});

/** A slow and plain reference: JSON.stringify for every leaf and key, sorting in between. */
function reference(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(reference).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${reference(member)}`).join(',')}}`;
}
