import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Located } from './parsed-text.ts';
import { parseSimpleYaml } from './simple-yaml.ts';
import { parseAnyYaml } from './yaml.ts';

const limits = { maxDepth: 64 };
const seed = Number(process.env.CADRE_SEED ?? Date.now() % 1_000_000);
const isSoak = process.env.CADRE_SOAK === '1';

/** @returns whether the text was taken */
async function expectSame(text: string): Promise<boolean> {
  const simple = parseSimpleYaml(text, limits);
  if (simple === undefined) return false;
  const whole = await parseAnyYaml(text, limits);
  expect(simple.problems).toEqual(whole.problems);
  expect(simple.value).toEqual(whole.value);
  expect(places(simple.root)).toEqual(places(whole.root()));
  return true;
}

function places({ keyOffset, valueOffset, children }: Located): unknown {
  return [keyOffset, valueOffset, [...children].map(([key, child]) => [key, places(child)])];
}

describe('parseSimpleYaml', () => {
  test('takes what settings files are made of, with the values and places of the complete parser', async () => {
    const text = `# settings
profile: ci   # why
concurrency: 4
ratio: -0.5
"quoted key": 'it''s # no comment'
empty: {}
cache:
  # inside
  memoryMaxBytes: 0

  directory: ./cache/x y
list:
- a
- "b\\n\\"c"
- { url: https://x.y/z, n: 1, deep: [1, [true, null], {a: ~}] }
-   name: x
    on: true
nested:
  deeper:
    - k: v
      l: [a b, c#d]
    - 12
    - --flag
`;
    expect(await expectSame(text)).toBe(true);
  });

  test.for([
    ['a: &x 1\nb: *x\n', 'anchors'],
    ['a: |\n  text\n', 'block scalars'],
    ['a: one\n  two\n', 'text over lines'],
    ['a: [1,\n  2]\n', 'flow over lines'],
    ['a: !tag x\n', 'tags'],
    ['<<: { a: 1 }\n', 'merge keys'],
    ['a:\tb\n', 'tabs'],
    ['a: 1\r\n', 'carriage returns'],
    ['---\na: 1\n', 'document marks'],
    ['true: 1\n', 'keys that are no text'],
    ['a: 0x10\n', 'other numbers'],
    ['a: 2020-01-01\n', 'what looks like a number'],
    ['a: b: c\n', 'errors'],
    [' a: 1\n', 'an indented start'],
    ['a:\n', 'a missing value'],
  ] as const)('leaves %j to the complete parser (%s)', ([text]) => {
    expect(parseSimpleYaml(text, limits)).toBe(undefined);
  });

  // A reader that took `a: x` + an indented line for two values, or any `- ` within text for a list, fails here at once.
  test('agrees with the complete parser on whatever it takes', async () => {
    const runs = isSoak ? 100_000 : 1_500;
    const piece = fc.constantFrom(
      ...[
        'a',
        'b',
        'key',
        ':',
        ': ',
        ' ',
        '  ',
        '    ',
        '\n',
        '\n  ',
        '\n    ',
        '\n- ',
        '\n  - ',
        '- ',
        '-',
        '[',
        ']',
        '{',
        '}',
      ],
      ...[
        ', ',
        ',',
        '"',
        "'",
        "''",
        '\\',
        '\\n',
        '#',
        ' # x',
        '1',
        '0',
        '.5',
        '-1',
        'null',
        'true',
        '~',
        '&a',
        '*a',
        '!',
        '|',
        '>',
      ],
      ...[
        'a: ',
        '\nb: ',
        '\n  c: ',
        '\nd:',
        '\n  - e: ',
        '{ a: 1, b: c }',
        '[x, y]',
        '"q"',
        "'q'",
        '<<',
        '?',
        '? ',
        '%',
        '@',
        '`',
        '=',
        'é',
      ],
    );
    const text = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''));
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(text, async (each) => {
        if (await expectSame(`k: ${each}`)) taken++;
        if (await expectSame(each)) taken++;
      }),
      { numRuns: runs, seed },
    );
    console.log(`simple YAML: ${taken} of ${2 * runs} texts taken, all equal (seed ${seed})`);
    expect(taken).toBeGreaterThan(runs / 100);
  });

  test('agrees with the complete parser on written settings, whole or with a character changed', async () => {
    const word = fc.stringMatching(/^[a-z][a-z ./:#'"-]{0,10}$/);
    const scalar = fc.oneof(
      { arbitrary: word, weight: 6 },
      fc.string({ maxLength: 12 }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.double({ noNaN: true }),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, scalar, fc.array(tie('value'), { maxLength: 4 }), tie('map')),
      map: fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie('value'), { maxKeys: 5 }),
    }));
    const settings = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), value, { maxKeys: 6, minKeys: 1 });
    const change = fc.tuple(fc.nat(), fc.constantFrom('', ' ', '\n', ':', '-', '#', '[', '}', ',', '"', "'", 'a'));
    const runs = isSoak ? 50_000 : 600;
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(settings, change, async (each, [where, inserted]) => {
        const text = stringify(each, { aliasDuplicateObjects: false });
        if (await expectSame(text)) taken++;
        const cut = where % (text.length + 1);
        if (await expectSame(text.slice(0, cut) + inserted + text.slice(cut + (where % 2)))) taken++;
      }),
      { numRuns: runs, seed },
    );
    console.log(`simple YAML: ${taken} of ${2 * runs} settings taken, all equal (seed ${seed})`);
    expect(taken).toBeGreaterThan(runs / 5);
  });
});
