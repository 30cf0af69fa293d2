import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSize, suggestSize } from './size.ts';

describe('parseSize', () => {
  test.for([
    ['512KiB', 524_288],
    ['100MiB', 104_857_600],
    ['2GiB', 2_147_483_648],
    ['007MiB', 7_340_032],
  ] as const)('reads %s', ([text, bytes]) => expect(parseSize(text)).toBe(bytes));

  test.for(['', '0MiB', '2', '2GB', '2 GiB', '1.5GiB', '-1MiB', '2gib', '9999999999KiB'])('does not take %j', (text) =>
    expect(parseSize(text)).toBeUndefined(),
  );
});

describe('suggestSize', () => {
  test.for([
    [512, '512MiB'],
    ['2gb', '2GiB'],
    ['2 G', '2GiB'],
    ['64 k', '64KiB'],
    ['1.5GiB', '1536MiB'],
    ['0.5 m', '512KiB'],
  ] as const)('for %j says %s', ([value, suggestion]) => expect(suggestSize(value)).toBe(suggestion));

  test.for([0, '0', -1, 'much', '1.5k', '1.0001g', null, {}])('says nothing for %j', (value) =>
    expect(suggestSize(value)).toBeUndefined(),
  );

  test('only ever says what can be read', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double(), fc.stringMatching(/^[0-9.]{1,5} ?[kmgKMGiBb]{0,3}$/)), (value) => {
        const suggestion = suggestSize(value);
        if (suggestion !== undefined) expect(parseSize(suggestion)).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
  });
});
