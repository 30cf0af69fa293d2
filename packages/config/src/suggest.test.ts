import { describe, expect, test } from 'vitest';
import { nearest } from './suggest.ts';

describe('nearest', () => {
  const names = ['concurrency', 'timeoutMs', 'cache', 'retry'];
  test.for([
    ['concurency', 'concurrency'],
    ['timeoutms', 'timeoutMs'],
    ['cahce', 'cache'],
    ['retyr', 'retry'],
    ['graceMs', undefined],
    ['concurrency'.repeat(6), undefined],
  ] as const)('of %s', ([name, expected]) => {
    expect(nearest(name, names)).toBe(expected);
  });
});
