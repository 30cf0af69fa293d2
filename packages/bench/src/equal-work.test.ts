import { describe, expect, test } from 'vitest';
import { assertEqualWork } from './equal-work.ts';
import { BenchError } from './errors.ts';

describe('assertEqualWork', () => {
  test('compares what the results say, not in which order', () => {
    expect(() => assertEqualWork('a/b', { one: { x: 1, y: [2] }, two: { y: [2], x: 1 } })).not.toThrow();
    expect(() => assertEqualWork('a/b', { one: undefined, two: undefined })).not.toThrow();
    expect(() => assertEqualWork('a/b', { one: { x: 1 }, two: { x: 1, y: 2 } })).toThrow(BenchError);
  });
});
