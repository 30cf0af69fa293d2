import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { seeded } from '../test/simulated-disk.ts';
import { checksumText, findChecksum } from './checksum.ts';
import { type DecodeOptions, type InvalidLine, JsonlDecoder, openJsonlLog } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'jsonl-checksum-'));
const seed = Number(process.env.CADRE_SEED ?? Date.now() % 1_000_000);
afterAll(() => rmSync(directory, { recursive: true }));

function decode(bytes: Uint8Array, checksum: NonNullable<DecodeOptions['checksum']>, where?: DecodeOptions['where']) {
  const invalid: InvalidLine[] = [];
  const options = where === undefined ? {} : { where };
  const decoder = new JsonlDecoder({ checksum, onInvalid: (line) => invalid.push(line), ...options });
  return { values: [...decoder.push(bytes), ...decoder.end()], invalid };
}

/** 32 spaces and tabs as the number they are. */
const bitsOf = (text: string) => Number.parseInt(text.replaceAll(' ', '0').replaceAll('\t', '1'), 2);

async function checksummed(values: readonly unknown[]): Promise<Buffer> {
  const path = join(directory, 'log.jsonl');
  rmSync(path, { force: true });
  await using log = await openJsonlLog(path, { checksum: 'crc32' });
  await log.appendMany(values);
  return readFileSync(path);
}

describe('checksumText', () => {
  // The check value of CRC-32 and others from the catalogue of CRC algorithms and from zlib's own tests.
  test.for<[string, number]>([
    ['123456789', 0xcbf43926],
    ['a', 0xe8b7be43],
    ['The quick brown fox jumps over the lazy dog', 0x414fa339],
  ])('of %s is the known one', ([text, known]) => {
    expect(bitsOf(checksumText(text))).toBe(known);
    expect(checksumText(text)).toMatch(/^[ \t]{32}$/);
  });

  test('is of the bytes that are written', () => {
    const line = Buffer.from(`"ü€😀"${checksumText('"ü€😀"')}`);
    expect(findChecksum(line, 0, line.length)).toBe('right');
    expect(findChecksum(line, 0, line.length - 1)).toBe('absent');
  });
});

describe('checksum', () => {
  test('leaves every value as it was for whoever does not look', () => {
    return fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { minLength: 1, maxLength: 10 }), async (values) => {
        const expected = values.map((value) => JSON.parse(JSON.stringify(value)));
        const bytes = await checksummed(values);
        const lines = bytes.toString('utf8').split('\n').slice(0, -1);
        expect(lines.map((line) => JSON.parse(line))).toEqual(expected);
        for (const checksum of ['ignore', 'verify', 'require'] as const) {
          expect(decode(bytes, checksum)).toEqual({ values: expected, invalid: [] });
        }
      }),
      { numRuns: 50, seed },
    );
  });

  test('is passed over, checked or asked for, as told', () => {
    const bytes = Buffer.from(`1\n2${checksumText('3')}\n4${checksumText('4')}\n`);
    expect(decode(bytes, 'ignore').values).toEqual([1, 2, 4]);
    expect(decode(bytes, 'verify').values).toEqual([1, 4]);
    const { values, invalid } = decode(bytes, 'require');
    expect(values).toEqual([4]);
    expect(invalid).toMatchObject([
      { reason: 'checksum', lineNumber: 1, message: expect.stringContaining('has no checksum') },
      { reason: 'checksum', lineNumber: 2, byteOffset: 2, message: expect.stringContaining('was changed') },
    ]);
  });

  test('reports a changed line that where would rule out', () => {
    const text = '{"type":"a"}';
    const bytes = Buffer.from(`${text}${checksumText('{"type":"b"}')}\n${text}${checksumText(text)}\n`);
    const { values, invalid } = decode(bytes, 'require', { type: 'b' });
    expect([values, invalid.map((line) => line.lineNumber)]).toEqual([[], [1]]);
  });

  // Fails without checksums, where a flipped digit is another number, and with 'verify', where a flipped space is no checksum.
  test('reports every line that a flipped byte, a run of NUL or a cut changed, and loses no other', async () => {
    const random = seeded(seed);
    const records = Array.from({ length: 12 }, (_, id) => ({ id, name: 'n'.repeat(random(40)), ok: id % 2 === 0 }));
    const whole = await checksummed(records);
    const places = records.map((_, index) => lineStart(whole, index));
    let stillJson = 0;
    for (let damage = 0; damage < 10_000; damage++) {
      const { bytes, from, to } = damaged(whole, random);
      const { values, invalid } = decode(bytes, 'require');
      const untouched = records.filter((_, index) => {
        const end = (places[index + 1] ?? whole.length) - 1;
        return end < from || (places[index] ?? 0) > to;
      });
      const ids = values.map((value) => (value as { id: number }).id);
      expect(values).toEqual(ids.map((id) => records[id]));
      expect(ids).toEqual(expect.arrayContaining(untouched.map((record) => record.id)));
      const cutWholeLines = bytes.length < whole.length && isCutAtLines(whole, from, to);
      if (!cutWholeLines && !bytes.equals(whole)) expect(invalid.length).toBeGreaterThan(0);
      stillJson += decode(bytes, 'ignore').values.some((value) => !records.some((record) => same(record, value)))
        ? 1
        : 0;
    }
    console.info(`seed ${seed}: 10000 damages reported, ${stillJson} of which were another value without checksums`);
    expect(stillJson).toBeGreaterThan(100);
  });
});

function lineStart(bytes: Buffer, line: number): number {
  let start = 0;
  for (let index = 0; index < line; index++) start = bytes.indexOf(10, start) + 1;
  return start;
}

/** A byte flipped, bytes overwritten with NUL, or bytes taken out; and which ones. */
function damaged(whole: Buffer, random: (below: number) => number) {
  const from = random(whole.length);
  const kind = random(3);
  const to = kind === 0 ? from + 1 : Math.min(whole.length, from + 1 + random(200));
  const bytes = Buffer.from(whole);
  if (kind === 0) bytes[from] = (bytes[from] ?? 0) ^ (1 + random(255));
  else if (kind === 1) bytes.fill(0, from, to);
  else return { bytes: Buffer.concat([whole.subarray(0, from), whole.subarray(to)]), from: from - 1, to: to + 1 };
  return { bytes, from, to };
}

/** What is left of the lines at both ends of the cut is nothing, or the whole. */
function isCutAtLines(whole: Buffer, from: number, to: number): boolean {
  const [start, end] = [from + 1, to - 1];
  const removed = whole.subarray(start, end);
  const after = Buffer.concat([whole.subarray(0, start), whole.subarray(end)]);
  const lines = new Set(whole.toString('latin1').split('\n'));
  return (
    removed.length > 0 &&
    after
      .toString('latin1')
      .split('\n')
      .every((line) => lines.has(line))
  );
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
