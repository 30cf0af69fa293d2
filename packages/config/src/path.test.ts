import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPath, parsePath } from './path.ts';

describe('parsePath', () => {
  test('undoes formatPath for any path', () => {
    const segment = fc.oneof(fc.string(), fc.nat(), fc.constantFrom('a', 'b.c', 'd-e', '0', ''));
    fc.assert(
      fc.property(fc.array(segment), (path) => {
        expect(parsePath(formatPath(path))).toEqual(path);
      }),
    );
  });

  test.for(['a..b', '.', 'a.', 'a[', 'a[-1]', 'a["x]', 'a b', '["\\x"]'])('refuses %j', (text) => {
    expect(() => parsePath(text)).toThrow(TypeError);
  });
});
