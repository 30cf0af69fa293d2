import { describe, expect, test } from 'vitest';
import { durationMs, retryHintMs, shouldRetry } from './retry-hint.ts';

const now = Date.parse('2026-11-21T00:00:00Z');

describe('retryHintMs', () => {
  test.for([
    ['seconds', { 'retry-after': '7' }, 7000],
    ['zero', { 'retry-after': '0' }, 0],
    ['a date', { 'retry-after': 'Sat, 21 Nov 2026 00:00:30 GMT' }, 30_000],
    ['a date that is past', { 'retry-after': 'Fri, 20 Nov 2026 00:00:00 GMT' }, 0],
    ['milliseconds, before seconds', { 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    ['a duration', { 'x-ratelimit-reset-requests': '1m30s' }, 90_000],
    ['a short duration', { 'x-ratelimit-reset-tokens': '120ms' }, 120],
    ['a moment in seconds', { 'x-ratelimit-reset': String(now / 1000 + 60) }, 60_000],
    ['a moment in milliseconds', { 'x-ratelimit-reset': String(now + 5000) }, 5000],
    ['a date of Anthropic', { 'anthropic-ratelimit-requests-reset': '2026-11-21T00:01:00Z' }, 60_000],
    [
      'the budget that is used up, not the one that is left',
      {
        ...{ 'x-ratelimit-reset-requests': '1s', 'x-ratelimit-remaining-requests': '0' },
        ...{ 'x-ratelimit-reset-tokens': '9m', 'x-ratelimit-remaining-tokens': '1000' },
      },
      1000,
    ],
    ['the later of two', { 'x-ratelimit-reset-requests': '1s', 'x-ratelimit-reset-tokens': '5s' }, 5000],
    ['nothing', {}, undefined],
    ['nonsense', { 'retry-after': 'soon', 'x-ratelimit-reset': '' }, undefined],
  ] as const)('reads %s', ([, headers, expected]) => {
    expect(retryHintMs((name) => new Map<string, string>(Object.entries(headers)).get(name), now)).toBe(expected);
  });
});

test('durationMs reads what Go and Google write and nothing else', () => {
  expect(['6m0s', '1.5s', '1h2m3s', '30s'].map(durationMs)).toEqual([360_000, 1500, 3_723_000, 30_000]);
  expect(['', '5', 's', '5s later'].map(durationMs)).toEqual([undefined, undefined, undefined, undefined]);
});

test('shouldRetry is what the header demands', () => {
  expect(['true', 'false', 'perhaps', undefined].map((value) => shouldRetry(() => value))).toEqual([
    ...[true, false, undefined, undefined],
  ]);
});
