import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { analyseDuplicates } from './duplicates.ts';
import { fingerprintsOf, RUN, sharedOnly, WINDOW, winnow } from './fingerprints.ts';

const passage = (lines: number) =>
  Array.from(
    { length: lines },
    (_, index) => `  total += weight${index} * (value${index} - offset${index % 7}); // note ${index}`,
  ).join('\n');

function copiesIn(files: Readonly<Record<string, string>>) {
  const prints = Object.entries(files).map(([path, text]) => fingerprintsOf(path, text));
  return analyseDuplicates({ tokens: { files: sharedOnly(prints), notes: [] } });
}

describe('analyseDuplicates', () => {
  test('finds a passage in two files, whatever its layout and comments', () => {
    const { findings } = copiesIn({
      'src/a.ts': `import { x } from './x.ts';\nexport function a() {\n${passage(20)}\n}\n`,
      'src/b.ts': `// another file\n\nconst before = 1;\n\nexport const b = () => {\n${passage(20).replaceAll('  total', '\t\ttotal').replaceAll(/note/g, 'word')}\n};\n`,
    });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      kind: 'duplicate',
      file: 'src/a.ts',
      related: [{ file: 'src/a.ts' }, { file: 'src/b.ts' }],
    });
  });

  test('makes one finding of a passage in many files', () => {
    const files = Object.fromEntries(
      Array.from({ length: 6 }, (_, index) => [
        `src/f${index}.py`,
        `before${index} = 1\n${passage(15)}\nafter${index} = 2\n`,
      ]),
    );
    const { findings, measures } = copiesIn(files);
    expect(findings).toMatchObject([{ title: expect.stringContaining('6 times') }]);
    expect(measures.copiedTokens).toBeGreaterThan(0.5 * measures.tokens);
  });

  test('finds a passage twice in one file', () => {
    expect(
      copiesIn({ 'a.ts': `function a() {\n${passage(12)}\n}\nconst between = 1;\nfunction b() {\n${passage(12)}\n}\n` })
        .findings,
    ).toHaveLength(1);
  });

  test('finds nothing in imports, in tables, or in code that only looks alike', () => {
    const imports = Array.from(
      { length: 40 },
      (_, index) => `import { a${index}, b${index} } from './m${index}.ts';`,
    ).join('\n');
    const table = Array.from({ length: 200 }, (_, index) => `  { name: 'n${index}', value: ${index} },`).join('\n');
    const zeros = Array.from({ length: 200 }, () => '  0, 0, 0, 0,').join('\n');
    expect(
      copiesIn({
        'a.ts': `${imports}\nexport const a = [\n${table}\n];`,
        'b.ts': `${imports}\nexport const b = 1;\n${passage(10).replaceAll('total', 'sum')}`,
        'c.ts': `${passage(10)}`,
        'd.ts': `export const zeros = [\n${zeros}\n];`,
      }).findings,
    ).toEqual([]);
  });

  test('finds every copy of a sufficient length', () => {
    const word = fc.integer({ min: 0, max: 400 }).map((number) => `w${number}`);
    const words = (length: number) => fc.array(word, { minLength: length, maxLength: length + 60 });
    fc.assert(
      fc.property(
        words(RUN + WINDOW - 1),
        fc.array(word, { maxLength: 80 }),
        fc.array(word, { maxLength: 80 }),
        (shared, before, after) => {
          const hashes = (path: string, tokens: readonly string[]) =>
            fingerprintsOf(path, tokens.join('\n')).prints.map(([hash]) => hash);
          const first = new Set(hashes('a.go', [...before, ...shared]));
          expect(hashes('b.go', [...shared, ...after]).some((hash) => first.has(hash))).toBe(true);
        },
      ),
    );
  });
});

describe('winnow', () => {
  test('leaves no window without a kept hash', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 50 }), { maxLength: 120 }),
        fc.integer({ min: 1, max: 12 }),
        (hashes, window) => {
          const kept = winnow(hashes, window);
          for (let start = 0; start + window <= hashes.length; start += 1)
            expect(kept.some((at) => at >= start && at < start + window)).toBe(true);
          expect([...new Set(kept)]).toEqual(kept);
        },
      ),
    );
  });
});
