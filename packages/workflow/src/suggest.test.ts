import { describe, expect, test } from 'vitest';
import { parseDuration, suggestDuration } from './duration.ts';
import { suggest } from './suggest.ts';

describe('suggest', () => {
  test.for<[string, string | undefined]>([
    ['timout', 'timeout'],
    ['TIMEOUT', 'timeout'],
    ['tiemout', 'timeout'],
    ['retries', 'retry'],
    ['promt', 'prompt'],
    ['xyz', undefined],
    ['a', undefined],
    ['', undefined],
    ['timeout'.repeat(20), undefined],
  ])('takes %j for %j', ([word, meant]) => {
    expect(suggest(word, ['timeout', 'retry', 'prompt', 'reads'])).toBe(meant);
  });

  test('prefers the nearest', () => {
    expect(suggest('file-a', ['file-bc', 'file-b', 'files-a'])).toBe('file-b');
  });
});

describe('parseDuration', () => {
  test.for<[string, number | undefined]>([
    ['500ms', 500],
    ['30s', 30_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['500h', 1_800_000_000],
    ['501h', undefined],
    ['0s', undefined],
    ['1.5h', undefined],
    ['10', undefined],
    [' 1s', undefined],
    ['1S', undefined],
    ['1d', undefined],
  ])('reads %j as %j ms', ([text, milliseconds]) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });
});

describe('suggestDuration', () => {
  test.for<[unknown, string | undefined]>([
    [10, '10s'],
    ['10', '10s'],
    ['10 min', '10m'],
    ['1.5h', '90m'],
    ['0.5 seconds', '500ms'],
    ['2 hours', '2h'],
    ['1e9h', undefined],
    [0, undefined],
    [-1, undefined],
    ['soon', undefined],
    [{}, undefined],
  ])('takes %j for %j', ([value, meant]) => {
    expect(suggestDuration(value)).toBe(meant);
  });
});
