import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from './json.ts';
import type { Located } from './parsed-text.ts';
import { parseSimpleJson } from './simple-json.ts';

const isSoak = process.env.CADRE_SOAK === '1';
const runs = isSoak ? 10_000 : 200;
const seed = Number(process.env.CADRE_SEED ?? 20_261_121);
const limits = { maxDepth: 6 };

interface Place {
  readonly at: readonly [key: number, value: number];
  readonly below: readonly (readonly [string, Place])[];
}

function placesOf({ keyOffset, valueOffset, children }: Located): Place {
  return { at: [keyOffset, valueOffset], below: [...children].map(([name, child]) => [name, placesOf(child)]) };
}

/** A comment, at which the engine's parser gives up, so that the complete one reads the same text. */
const comment = ' //';

/** Text with any white space between its tokens, and any way to write a key. */
function written(): fc.Arbitrary<string> {
  const space = fc.constantFrom('', '', ' ', '\n', '\r\n', '\t', '  ');
  const scalar = fc.oneof(
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.double().map((number) => JSON.stringify(number)),
    fc.constantFrom('true', 'false', 'null', '-0', '1E+2', '"\\u0041\\/\\ud800"', '"{[,:]}"', '"\\\\"', '"\\""'),
  );
  const key = fc.oneof(
    fc.constantFrom('"a"', '"b"', '"\\u0061"', '""', '"__proto__"', '"\\"}"', '"1"'),
    fc.string().map((text) => JSON.stringify(text)),
  );
  const { value } = fc.letrec<{ value: string }>((tie) => {
    const spaced = fc.tuple(space, tie('value'), space).map((parts) => parts.join(''));
    const list = fc.array(spaced, { maxLength: 4 }).map((parts) => `[${parts.join(',')}]`);
    const member = fc.tuple(space, key, space, spaced).map(([one, name, two, inner]) => `${one}${name}${two}:${inner}`);
    const object = fc.array(member, { maxLength: 4 }).map((parts) => `{${parts.join(',')}}`);
    return { value: fc.oneof({ maxDepth: 8, depthSize: 'large' }, scalar, list, object) };
  });
  return fc.tuple(space, value, space).map((parts) => parts.join(''));
}

describe('parseSimpleJson', () => {
  test(`agrees with the complete parser in values, places and what it can read, in ${runs} texts`, async () => {
    const counts = { simple: 0, left: 0 };
    await fc.assert(
      fc.asyncProperty(written(), async (text) => {
        const complete = await parseJson(text + comment, limits, 'jsonc');
        const simple = parseSimpleJson(text, limits);
        counts[simple === undefined ? 'left' : 'simple'] += 1;
        expect(simple !== undefined).toBe(complete.problems.length === 0);
        if (simple === undefined) return;
        expect(JSON.stringify(simple.value)).toBe(JSON.stringify(complete.value));
        expect(placesOf(simple.root())).toEqual(placesOf(complete.root()));
      }),
      { numRuns: runs, seed },
    );
    expect(counts.simple, `seed ${seed}`).toBeGreaterThan(runs / 3);
    expect(counts.left, `seed ${seed}`).toBeGreaterThan(runs / 100);
  });

  test.for(['', '{', '{"a":1,}', '// no\n{}', "{'a':1}", '\ufeff{}', '{"a":1} {}', '{"a":1,"\\u0061":2}', '"\n"'])(
    'leaves %j to the complete parser',
    (text) => {
      expect(parseSimpleJson(text, limits)).toBeUndefined();
    },
  );
});
