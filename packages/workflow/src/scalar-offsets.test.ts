import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isScalar, parseDocument, Scalar } from 'yaml';
import { scalarOffsets } from './scalar-offsets.ts';

const types = [
  Scalar.PLAIN,
  Scalar.QUOTE_SINGLE,
  Scalar.QUOTE_DOUBLE,
  Scalar.BLOCK_LITERAL,
  Scalar.BLOCK_FOLDED,
] as const;

describe('scalarOffsets', () => {
  test('finds each visible character of any string in any style', () => {
    const word = fc.constantFrom(
      'a',
      'b}}',
      '${{',
      ' ',
      '  ',
      '\n',
      "'",
      '"',
      '\\',
      '#',
      ': ',
      '-',
      'é',
      '😀',
      '\t',
      '\u00a0',
      '\u2028',
    );
    const text = fc.array(word, { minLength: 30, maxLength: 60 }).map((words) => words.join(''));
    let compared = 0;
    fc.assert(
      fc.property(text, fc.constantFrom(...types), fc.constantFrom(20, 80), (value, type, lineWidth) => {
        const document = parseDocument('key: x');
        const written = document.createNode(value);
        written.type = type;
        document.set('key', written);
        const source = `first: 1\n${document.toString({ lineWidth })}`;
        const node = parseDocument(source).get('key', true);
        if (!isScalar(node) || typeof node.value !== 'string') return;
        const offsetOf = scalarOffsets(source, node);
        for (let at = 0; at < node.value.length; at += 1) {
          const character = node.value.charAt(at);
          // White space is where folding happens, and an escaped character does not stand in the source as itself.
          if (/\s/.test(character) || source[offsetOf(at)] === '\\') continue;
          compared += 1;
          expect(source[offsetOf(at)]).toBe(character);
        }
      }),
      { numRuns: 500 },
    );
    expect(compared).toBeGreaterThan(5000);
  });

  test('goes back when it is asked to', () => {
    const source = 'key: "a\\tb c"';
    const node = parseDocument(source).get('key', true);
    const offsetOf = scalarOffsets(source, node as Scalar);
    expect([4, 2, 0].map(offsetOf).map((at) => source[at])).toEqual(['c', 'b', 'a']);
  });
});
