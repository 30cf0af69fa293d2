import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { checkJsonl, type JsonlDamage, jsonlParts, openJsonlLog } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'jsonl-check-'));
let path = '';
let count = 0;
beforeEach(() => {
  path = join(directory, `file-${count++}.jsonl`);
});
afterAll(() => rmSync(directory, { recursive: true }));

async function writeParts(): Promise<void> {
  await using log = await openJsonlLog(path, { maxPartBytes: 60 });
  for (let id = 0; id < 8; id++) await log.append({ id: String(id).padStart(10, '0') });
}

describe('checkJsonl', () => {
  test('finds a sound file sound, blank lines and all', async () => {
    writeFileSync(path, '\uFEFF{"a":1}\r\n\n  \n[2]\n');
    expect(await checkJsonl(path)).toMatchObject({
      ...{ path, isSound: true, parts: 1, bytes: 20, lines: 4, valid: 2, blank: 2, damaged: 0 },
      ...{ damages: [], tornTail: null, nulRuns: 0, missingParts: [], misfitParts: [] },
    });
    writeFileSync(path, '');
    expect(await checkJsonl(path)).toMatchObject({ isSound: true, lines: 0, valid: 0, bytes: 0 });
  });

  test('tells each damage with its place, reason and beginning', async () => {
    writeFileSync(
      path,
      Buffer.concat([Buffer.from('1\n{"a":\n\0\0\0{}\n"\xff"\n2\0\n', 'latin1'), Buffer.from('{"b')]),
    );
    const report = await checkJsonl(path);
    expect(report).toMatchObject({ isSound: false, lines: 6, valid: 1, blank: 0, damaged: 5, unlistedDamages: 0 });
    expect(report).toMatchObject({ nulRuns: 2, nulBytes: 4, tornTail: { byteOffset: 21, byteLength: 3 } });
    expect(report.reasons).toMatchObject({ syntax: 3, encoding: 1, 'cut-off': 1 });
    expect(
      report.damages.map(({ part, lineNumber, byteOffset, reason, preview }) => {
        return [part === path, lineNumber, byteOffset, reason, preview];
      }),
    ).toEqual([
      [true, 2, 2, 'syntax', '{"a":'],
      [true, 3, 8, 'syntax', '\\x00\\x00\\x00{}'],
      [true, 4, 14, 'encoding', '"\uFFFD"'],
      [true, 5, 18, 'syntax', '2\\x00'],
      [true, 6, 21, 'cut-off', '{"b'],
    ]);
  });

  test('lists so many damages and counts the rest, and tells a callback of all', async () => {
    writeFileSync(path, 'x\n'.repeat(1_000));
    const told: JsonlDamage[] = [];
    const report = await checkJsonl(path, { maxDamages: 3, onDamage: (damage) => void told.push(damage) });
    expect(report).toMatchObject({ damaged: 1_000, unlistedDamages: 997, damagedBytes: 1_000 });
    expect(report.damages.map((damage) => damage.lineNumber)).toEqual([1, 2, 3]);
    expect(told.at(-1)).toMatchObject({ lineNumber: 1_000, byteOffset: 1_998 });
    const thrown = checkJsonl(path, {
      onDamage: () => {
        throw new Error('enough');
      },
    });
    await expect(thrown).rejects.toThrow('enough');
  });

  test('counts a NUL run once, however it is cut into chunks', async () => {
    writeFileSync(path, Buffer.concat([Buffer.from('1\n'), Buffer.alloc(3_000_000), Buffer.from('\n2\n\0\n')]));
    expect(await checkJsonl(path)).toMatchObject({ nulRuns: 2, nulBytes: 3_000_001, valid: 2, damaged: 2 });
    expect((await checkJsonl(path, { maxLineBytes: 1_000 })).reasons).toMatchObject({ 'too-long': 1, syntax: 1 });
  });

  test('holds lines against their checksums', async () => {
    await using log = await openJsonlLog(path, { checksum: 'crc32' });
    for (let id = 0; id < 4; id++) await log.append({ id });
    await log.close();
    writeFileSync(path, '{"id":9}\n', { flag: 'a' });
    expect(await checkJsonl(path)).toMatchObject({ isSound: true, valid: 5 });
    expect(await checkJsonl(path, { checksum: 'verify' })).toMatchObject({ isSound: true, valid: 5 });
    expect(await checkJsonl(path, { checksum: 'require' })).toMatchObject({ valid: 4, reasons: { checksum: 1 } });
  });

  test('goes over all parts, with offsets of the whole log', async () => {
    await writeParts();
    expect(await checkJsonl(path)).toMatchObject({ isSound: true, parts: 3, bytes: 160, lines: 8, valid: 8 });
    const second = (await jsonlParts(path))[1]?.path ?? '';
    writeFileSync(second, '!', { flag: 'r+' });
    expect(await checkJsonl(path)).toMatchObject({
      valid: 7,
      damages: [{ part: second, lineNumber: 1, byteOffset: 60, partByteOffset: 0 }],
    });
    truncateSync(second, 50);
    expect(await checkJsonl(path)).toMatchObject({
      isSound: false,
      tornTail: null,
      reasons: { syntax: 1, 'cut-off': 1 },
      misfitParts: [{ path: second, startOffset: 60, byteLength: 60, foundBytes: 50 }],
    });
  });

  test.for([[0], [1], [0, 1]])('tells of missing parts %s and checks the others', async (missing) => {
    await writeParts();
    const paths = (await jsonlParts(path)).filter((_, index) => missing.includes(index)).map((part) => part.path);
    for (const part of paths) rmSync(part);
    const report = await checkJsonl(path);
    expect(report).toMatchObject({ isSound: false, parts: 3 - paths.length, valid: 8 - 3 * paths.length, damaged: 0 });
    expect(report.missingParts.map((part) => part.path)).toEqual(paths);
  });

  test('refuses bad options, a path where nothing is, and ends with its signal', async () => {
    writeFileSync(path, '1\n');
    await expect(checkJsonl(path, { maxDamages: -1 })).rejects.toThrow('maxDamages');
    await expect(checkJsonl(`${path}-not`)).rejects.toThrow('ENOENT');
    await expect(checkJsonl(path, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  });
});
