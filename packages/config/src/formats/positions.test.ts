import fc from 'fast-check';
import { stringify as stringifyToml } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { stringify as stringifyYaml } from 'yaml';
import { parseJson } from './json.ts';
import { type Located, lineFinder, type ParsedText } from './parsed-text.ts';
import { parseToml } from './toml.ts';
import { parseYaml } from './yaml.ts';

const limits = { maxDepth: 64 };

function placeOf(text: string, { root }: ParsedText, ...path: readonly string[]) {
  let place: Located | undefined = root();
  for (const key of path) place = place?.children.get(key);
  if (place === undefined) throw new Error(`${path.join('.')} has no place`);
  const find = lineFinder(text);
  const [key, value] = [find(place.keyOffset), find(place.valueOffset)];
  return `${key.line}:${key.column} ${value.line}:${value.column}`;
}

describe('positions', () => {
  test('in YAML point at keys and values', async () => {
    const text = '# top\na: 1\nb:\n  "c d": [x,\n    { e: 2 }]\n  f: >\n    long\n';
    const parsed = await parseYaml(text, limits);
    expect(placeOf(text, parsed, 'a')).toBe('2:1 2:4');
    expect(placeOf(text, parsed, 'b', 'c d', '0')).toBe('4:11 4:11');
    expect(placeOf(text, parsed, 'b', 'c d', '1', 'e')).toBe('5:7 5:10');
    expect(placeOf(text, parsed, 'b', 'f')).toBe('6:3 6:6');
  });

  test('in JSON point at keys and values', async () => {
    const text = '{\r\n  "a": 1, /* x */ "b": {\n    "c d": [ 1,\n 2 ] }\n}';
    const parsed = await parseJson(text, limits, 'jsonc');
    expect(placeOf(text, parsed, 'a')).toBe('2:3 2:8');
    expect(placeOf(text, parsed, 'b', 'c d')).toBe('3:5 3:12');
    expect(placeOf(text, parsed, 'b', 'c d', '1')).toBe('4:2 4:2');
  });

  test('in TOML point at keys and values', async () => {
    const text = [
      'a = 1 # [no]',
      '[t."x.y"]',
      'b.c = { d = "}", e = [1, "],", 2] }',
      's = """',
      'k = 1',
      'an escaped quote and two more: \\"""',
      'one more before the end""""',
      "l = '''",
      "z = 1''''",
      'm = [ # list',
      '  "a#",',
      '  [ 1,',
      '  2 ] ]',
      '[[r]]',
      'n = 1979-05-27T07:32:00Z',
      '[[r]]',
      '"\\u006e" = -1',
      '[r.sub]',
      'o = true',
    ].join('\r\n');
    const parsed = await parseToml(text, limits);
    expect(parsed.problems).toEqual([]);
    expect(placeOf(text, parsed, 'a')).toBe('1:1 1:5');
    expect(placeOf(text, parsed, 't', 'x.y')).toBe('2:1 2:1');
    expect(placeOf(text, parsed, 't', 'x.y', 'b', 'c', 'e', '1')).toBe('3:26 3:26');
    expect(placeOf(text, parsed, 't', 'x.y', 's')).toBe('4:1 4:5');
    expect(placeOf(text, parsed, 't', 'x.y', 'l')).toBe('8:1 8:5');
    expect(placeOf(text, parsed, 't', 'x.y', 'm', '1', '1')).toBe('13:3 13:3');
    expect(placeOf(text, parsed, 'r', '0', 'n')).toBe('15:1 15:5');
    expect(placeOf(text, parsed, 'r', '1', 'n')).toBe('17:1 17:12');
    expect(placeOf(text, parsed, 'r', '1', 'sub', 'o')).toBe('19:1 19:5');
  });
});

const scalar = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.integer(), fc.boolean());
const { settings } = fc.letrec<{ settings: Record<string, unknown>; value: unknown }>((tie) => ({
  settings: fc.dictionary(fc.string({ maxLength: 6 }), tie('value'), { maxKeys: 5, noNullPrototype: true }),
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(scalar, { maxLength: 4 }),
    fc.array(tie('settings'), { maxLength: 3 }),
    tie('settings'),
  ),
}));

/** Every part of the value has a place, and nothing else has. */
function expectSameShape(value: unknown, place: Located | undefined): void {
  if (place === undefined) throw new Error(`no place for ${JSON.stringify(value)}`);
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  expect([...place.children.keys()].sort()).toEqual(keys.sort());
  for (const key of keys) expectSameShape(Reflect.get(Object(value), key), place.children.get(key));
}

describe('parsers', () => {
  test('of TOML give back any value, every part of it with a place', async () => {
    await fc.assert(
      fc.asyncProperty(settings.filter(isTomlText), async (value) => {
        const parsed = await parseToml(stringifyToml(value), limits);
        expect(parsed.problems).toEqual([]);
        expect(JSON.parse(JSON.stringify(parsed.value))).toEqual(JSON.parse(JSON.stringify(value)));
        expectSameShape(parsed.value, parsed.root());
      }),
    );
  });

  test('of YAML give back any value, every part of it with a place', async () => {
    await fc.assert(
      fc.asyncProperty(
        settings.filter((value) => !JSON.stringify(value).includes('"<<"')),
        async (value) => {
          const parsed = await parseYaml(stringifyYaml(value, { aliasDuplicateObjects: false }), limits);
          expect(parsed.problems).toEqual([]);
          expectSameShape(parsed.value, parsed.root());
        },
      ),
    );
  });

  test('of JSON give back what JSON.parse does, every part of it with a place', async () => {
    await fc.assert(
      fc.asyncProperty(settings, async (value) => {
        const text = JSON.stringify(value, undefined, 1);
        const parsed = await parseJson(text, limits, 'json');
        expect(parsed.problems).toEqual([]);
        expect(JSON.parse(JSON.stringify(parsed.value))).toEqual(JSON.parse(text));
        expectSameShape(parsed.value, parsed.root());
      }),
    );
  });

  test('end for any text, with a value or with problems', async () => {
    const piece = fc.constantFrom(
      'a',
      '=',
      ':',
      ' ',
      '\n',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '"""',
      '#',
      ',',
      '- ',
      '&a ',
      '*a',
      '1',
      '.',
      '\\',
      '//',
    );
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(text, async (each) => {
        for (const parsed of [
          await parseYaml(each, limits),
          await parseToml(each, limits),
          await parseJson(each, limits, 'jsonc'),
        ]) {
          if (parsed.problems.length === 0 && typeof parsed.value === 'object')
            expectSameShape(parsed.value, parsed.root());
          for (const { offset } of parsed.problems) expect(offset >= 0 && offset <= each.length).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** A lone surrogate has no UTF-8 form, so no TOML text can hold it. */
function isTomlText(value: unknown): boolean {
  return JSON.stringify(value).search(/\\ud[89a-f]/i) === -1;
}
