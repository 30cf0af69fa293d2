import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DecodeOptions, type InvalidLine, JsonlDecoder, type JsonlError } from './index.ts';

const seed = Number(process.env.CADRE_SEED ?? Date.now() % 1_000_000);

function decode(chunks: readonly Uint8Array[], options: DecodeOptions = {}) {
  const invalid: InvalidLine[] = [];
  const decoder = new JsonlDecoder({ onInvalid: (line) => invalid.push(line), ...options });
  const values = chunks.flatMap((chunk) => decoder.push(chunk));
  values.push(...decoder.end());
  return { values, invalid };
}

const bytes = (text: string) => Buffer.from(text);
const decodeText = (text: string, options?: DecodeOptions) => decode([bytes(text)], options);
const reasons = (invalid: readonly InvalidLine[]) => invalid.map((line) => line.reason);

describe('JsonlDecoder', () => {
  test('takes CRLF, a byte order mark, blank lines and U+2028 as they come', () => {
    const { values, invalid } = decodeText('\uFEFF{"a":1}\r\n\n \t\r\n"\u2028\u2029\u0085"\n[2]\n');
    expect(values).toEqual([{ a: 1 }, '\u2028\u2029\u0085', [2]]);
    expect(invalid).toEqual([]);
  });

  test('says number, offset, length, reason and preview of a bad line, and returns the lines after it', () => {
    const { values, invalid } = decodeText('{"é":1}\n\n{"b":\u0001oops}\n{"c":3}\n');
    expect(values).toEqual([{ é: 1 }, { c: 3 }]);
    expect(invalid).toEqual([
      {
        lineNumber: 3,
        byteOffset: 10,
        byteLength: 11,
        reason: 'syntax',
        message: expect.stringContaining('Line 3 (byte offset 10) is not valid JSON'),
        preview: '{"b":\\x01oops}',
      },
    ]);
  });

  test('reports an unterminated last line as cut off, even one that parses', () => {
    const { values, invalid } = decodeText('1\n12');
    expect(values).toEqual([1]);
    expect(invalid).toMatchObject([{ reason: 'cut-off', byteOffset: 2, byteLength: 2 }]);
    expect(invalid[0]?.message).toContain('unterminatedTail');
  });

  test('accepts an unterminated last line where told to', () => {
    expect(decodeText('1\n12', { unterminatedTail: 'accept' }).values).toEqual([1, 12]);
    expect(reasons(decodeText('1\n{"a":', { unterminatedTail: 'accept' }).invalid)).toEqual(['syntax']);
  });

  test('takes a blank unterminated tail for no line', () => {
    expect(decodeText('1\n \r')).toEqual({ values: [1], invalid: [] });
  });

  test('refuses bad UTF-8 and keeps a replacement character that was meant', () => {
    const { values, invalid } = decode([
      Buffer.concat([bytes('"\uFFFD"\n"'), Buffer.from([0xc3, 0x28]), bytes('"\n"ü"\n')]),
    ]);
    expect(values).toEqual(['\uFFFD', 'ü']);
    expect(reasons(invalid)).toEqual(['encoding']);
  });

  test('bounds lines by maxLineBytes without holding them', () => {
    const long = 'x'.repeat(100_000);
    for (const chunkBytes of [1_000, 7, 200_000]) {
      const chunks = cut(bytes(`"ab"\n"${long}"\n"cd"\n"${long}`), chunkBytes);
      const { values, invalid } = decode(chunks, { maxLineBytes: 50 });
      expect(values).toEqual(['ab', 'cd']);
      expect(invalid).toMatchObject([
        { reason: 'too-long', lineNumber: 2, byteOffset: 5, byteLength: 100_002, preview: `"${'x'.repeat(79)}…` },
        { reason: 'too-long', lineNumber: 4, byteOffset: 100_013, byteLength: 100_001 },
      ]);
    }
  });

  test('takes a line of exactly maxLineBytes', () => {
    expect(decodeText('"12345678"\n"123456789"\n', { maxLineBytes: 10 })).toMatchObject({
      values: ['12345678'],
      invalid: [{ reason: 'too-long' }],
    });
  });

  test('bounds nesting by maxDepth and counts no bracket inside a string', () => {
    const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const brackets = JSON.stringify({ text: '[{"\\'.repeat(5_000), list: Array(3_000).fill({}) });
    const { values, invalid } = decodeText(`${nested(1_000)}\n${nested(1_001)}\n${brackets}\n${nested(200_000)}\n1\n`);
    expect(values).toHaveLength(3);
    expect(reasons(invalid)).toEqual(['too-deep', 'too-deep']);
  });

  test('makes __proto__ an own key and touches no prototype', () => {
    const { values } = decodeText('{"__proto__":{"polluted":true}}\n');
    expect(Object.hasOwn(Object(values[0]), '__proto__')).toBe(true);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
    expect(Object.getPrototypeOf(values[0])).toBe(Object.prototype);
  });

  test('throws JSONL_INVALID_LINE by default, and again on every later call', () => {
    const decoder = new JsonlDecoder();
    const failing = () => decoder.push(bytes('1\n{\n2\n'));
    expect(failing).toThrow(expect.objectContaining({ code: 'JSONL_INVALID_LINE' } satisfies Partial<JsonlError>));
    expect(() => decoder.push(bytes('3\n'))).toThrow(expect.objectContaining({ line: expect.anything() }));
    expect(() => decoder.end()).toThrow(expect.objectContaining({ code: 'JSONL_INVALID_LINE' }));
  });

  test('throws for a cut-off tail by default', () => {
    const decoder = new JsonlDecoder();
    expect(decoder.push(bytes('1\n2'))).toEqual([1]);
    expect(() => decoder.end()).toThrow(
      expect.objectContaining({ line: expect.objectContaining({ reason: 'cut-off' }) }),
    );
  });

  test('skips silently where told to', () => {
    const decoder = new JsonlDecoder({ onInvalid: 'skip' });
    expect([...decoder.push(bytes('1\n{\n2\n3')), ...decoder.end()]).toEqual([1, 2]);
  });

  // Fails where what the scanner holds is believed to be this decoder's block still.
  test('is not disturbed by a callback that decodes something else', () => {
    const lines = Array.from({ length: 200 }, (_, id) =>
      id % 3 === 0 ? '{' : JSON.stringify({ id, text: 'x é y ü' }),
    );
    const source = bytes(`${lines.join('\n')}\n`);
    const other = bytes('"ö and something else"\n'.repeat(50));
    let asides = 0;
    const { values } = decode([source], {
      onInvalid: () => {
        asides += new JsonlDecoder().push(other).length;
      },
    });
    expect(values).toEqual(decode([source], { onInvalid: 'skip' }).values);
    expect([values.length, asides]).toEqual([133, 67 * 50]);
  });

  test.for([
    ['maxLineBytes', 0],
    ['maxLineBytes', Number.NaN],
    ['maxDepth', -1],
    ['onInvalid', 'ignore'],
    ['unterminatedTail', true],
    ['where', { type: 5 }],
  ])('refuses %s: %s at construction', ([name, value]) => {
    expect(() => new JsonlDecoder({ [String(name)]: value })).toThrow(new RegExp(`\`${name}`));
  });

  test('returns the same at whatever places the chunks are cut', () => {
    const line = fc.oneof(
      fc.json(),
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('', '\r', '{"type":"a"}', '{"t\\u0079pe":"a"}', '\uFEFF1', '[[[[1]]]]', 'x'.repeat(300)),
    );
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 20 }),
        fc.array(fc.nat({ max: 400 }), { maxLength: 30 }),
        fc.constantFrom<DecodeOptions>({}, { where: { type: 'a' } }, { maxLineBytes: 40, maxDepth: 3 }),
        (lines, cuts, options) => {
          const whole = bytes(lines.join('\n'));
          const chunks = [...new Set(cuts)]
            .sort((a, b) => a - b)
            .map((at, index, all) => whole.subarray(all[index - 1] ?? 0, at));
          chunks.push(whole.subarray(Math.max(0, ...cuts)));
          // Chunks are overwritten after each push, as a reader's buffer is.
          const invalid: InvalidLine[] = [];
          const decoder = new JsonlDecoder({ ...options, onInvalid: (found) => invalid.push(found) });
          const values = chunks.flatMap((chunk) => {
            const copy = Buffer.from(chunk);
            const found = decoder.push(copy);
            copy.fill(0x0a);
            return found;
          });
          values.push(...decoder.end());
          expect({ values, invalid }).toEqual(decode([whole], options));
        },
      ),
      { numRuns: 300 },
    );
  });

  // Fails against a reader that stops at the first bad line, and against one that decodes UTF-8 without `fatal`.
  test('loses no valid line and passes no damage unreported, whatever bytes are flipped, zeroed or cut out', () => {
    const records = Array.from({ length: 30 }, (_, id) => ({ id, text: `récord ${'ab'.repeat(id)}` }));
    const lines = records.map((record) => bytes(`${JSON.stringify(record)}\n`));
    const whole = Buffer.concat(lines);
    const damage = fc.record({
      kind: fc.constantFrom<'flip' | 'zero' | 'cut'>('flip', 'zero', 'cut'),
      at: fc.nat({ max: whole.length - 1 }),
      length: fc.integer({ min: 1, max: 60 }),
      mask: fc.integer({ min: 1, max: 255 }),
    });
    let fired = 0;
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (wounds) => {
        let wounded = Buffer.from(whole);
        for (const { kind, at, length, mask } of wounds) {
          if (at >= wounded.length) continue;
          if (kind === 'flip') wounded[at] = (wounded[at] ?? 0) ^ mask;
          if (kind === 'zero') wounded.fill(0, at, Math.min(wounded.length, at + length));
          if (kind === 'cut') wounded = Buffer.concat([wounded.subarray(0, at), wounded.subarray(at + length)]);
          fired++;
        }
        const { values, invalid } = decode([wounded]);
        // Every line of the damaged bytes, judged one by one with a strict decoder, is either a value or a report.
        let offset = 0;
        const expectedValues: unknown[] = [];
        const expectedOffsets: number[] = [];
        const pieces = splitAtNewlines(wounded);
        for (const [index, piece] of pieces.entries()) {
          const isLast = index === pieces.length - 1;
          const value = isLast ? undefined : strictly(piece);
          if (value !== undefined) expectedValues.push(value.parsed);
          else if (piece.length > 0 && !/^[ \t\r]*$/.test(piece.toString('latin1'))) expectedOffsets.push(offset);
          offset += piece.length + 1;
        }
        const found = [values, invalid.map((line) => line.byteOffset)];
        const expected = [expectedValues, expectedOffsets];
        // The comparison of vitest takes ten times as long.
        if (JSON.stringify(found) !== JSON.stringify(expected)) expect(found).toEqual(expected);
      }),
      { numRuns: 10_000, seed },
    );
    console.info(`seed ${seed}: ${fired} places damaged in 10000 files`);
    expect(fired).toBeGreaterThan(10_000);
  });
});

describe('JsonlDecoder where', () => {
  test('finds a field however it was escaped, and only at the top level', () => {
    const text = [
      '{"type":"a/b"}',
      '{"type":"a\\/b"}',
      '{"t\\u0079pe" : "\\u0061/b"}',
      '{"other":{"type":"a/b"}}',
      '{"type":"x","text":"a/b"}',
      '["a/b"]',
      '{"type":"a/b","type":"x"}',
      '{"type":"x","type":"a/b"}',
      '"a/b"',
    ].join('\n');
    expect(decodeText(`${text}\n`, { where: { type: 'a/b' } }).values).toEqual([
      { type: 'a/b' },
      { type: 'a/b' },
      { type: 'a/b' },
      { type: 'a/b' },
    ]);
  });

  test('returns what parsing every line and asking it would', () => {
    const word = fc.constantFrom('a', 'b', '"', '\\', '/', 'é', '', 'ab', '\n', 'a"b');
    const key = fc.constantFrom('type', 'kind', 'a', 'b');
    const record = fc.dictionary(key, fc.oneof(word, fc.integer(), fc.dictionary(key, word)));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(record, fc.nat({ max: 3 })), { maxLength: 40 }),
        fc.dictionary(key, fc.oneof(word, fc.array(word, { maxLength: 3 })), { minKeys: 1 }),
        (records, where) => {
          const text = records.map(([value, disguise]) => `${disguised(JSON.stringify(value), disguise)}\n`).join('');
          const wanted = records
            .map(([value]) => value)
            .filter((value) =>
              Object.entries(where).every(([name, values]) => {
                const actual = Object.hasOwn(value, name) ? value[name] : undefined;
                return typeof actual === 'string' && [values].flat().includes(actual);
              }),
            );
          expect(decodeText(text, { where }).values).toEqual(wanted);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('stays exact once its needles have been tuned to the data', () => {
    const records = Array.from({ length: 5_000 }, (_, id) => ({
      id,
      type: id % 50 === 0 ? 'wanted' : 'wante',
      note: 'wanted?"',
    }));
    const { values } = decodeText(`${records.map((record) => JSON.stringify(record)).join('\n')}\n`, {
      where: { type: ['wanted', 'never'] },
    });
    expect(values).toHaveLength(100);
  });

  test.for<[string, DecodeOptions['where']]>([
    ['the first field rules out most', { kind: 'rare', type: 'common' }],
    ['the last field rules out most', { type: 'common', kind: 'rare' }],
    [
      'there are more values than are looked for',
      { kind: ['rare', ...Array.from({ length: 40 }, (_, id) => `${id}`)] },
    ],
  ])('returns the same where %s', ([, where]) => {
    const records = Array.from({ length: 3_000 }, (_, id) => ({
      type: id % 3 === 0 ? 'common' : 'other',
      kind: id % 30 === 0 ? 'rare' : 'usual',
      text: id % 7 === 0 ? 'rare common' : '"rare"',
    }));
    const lines = records.map((record, id) => {
      const line = JSON.stringify(record);
      return id % 60 === 0 ? line.replace('"rare"', '"r\\u0061re"') : line;
    });
    const { values } = decodeText(`${lines.join('\n')}\n`, where === undefined ? {} : { where });
    expect(values).toEqual(records.filter(({ kind }) => kind === 'rare'));
  });
});

/** The same JSON with some characters of its strings, or its spacing, written another way. */
function disguised(json: string, disguise: number): string {
  if (disguise === 1) return json.replaceAll('/', '\\/');
  if (disguise === 2) {
    return json.replace(/\\.|[a-z]/g, (found) =>
      found.length > 1 ? found : `\\u00${found.charCodeAt(0).toString(16)}`,
    );
  }
  if (disguise === 3) return json.replaceAll('":', '" : ');
  return json;
}

function cut(whole: Buffer, chunkBytes: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let start = 0; start < whole.length; start += chunkBytes) chunks.push(whole.subarray(start, start + chunkBytes));
  return chunks;
}

function splitAtNewlines(whole: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  for (let end = whole.indexOf(10); end !== -1; end = whole.indexOf(10, start)) {
    pieces.push(whole.subarray(start, end));
    start = end + 1;
  }
  pieces.push(whole.subarray(start));
  return pieces;
}

function strictly(line: Buffer): { parsed: unknown } | undefined {
  try {
    return { parsed: JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line)) };
  } catch {
    return undefined;
  }
}
