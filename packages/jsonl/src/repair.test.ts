import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { checkJsonl, jsonlParts, nodeFileOperations, openJsonlLog, readJsonlEntries, repairJsonl } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'jsonl-repair-'));
let folder = '';
let path = '';
let count = 0;
beforeEach(() => {
  folder = mkdtempSync(join(directory, `${count++}-`));
  path = join(folder, 'log.jsonl');
});
afterAll(() => rmSync(directory, { recursive: true }));

const text = (file: string) => readFileSync(file, 'latin1');

/** The lines that a reader takes, as they stand in the file. */
async function validLines(file: string): Promise<string[]> {
  const content = readFileSync(file);
  const lines: string[] = [];
  for await (const batch of readJsonlEntries(file, { onInvalid: 'skip' })) {
    for (const { byteOffset, byteLength } of batch) {
      lines.push(content.toString('latin1', byteOffset, byteOffset + byteLength));
    }
  }
  return lines;
}

interface Cut {
  readonly byteOffset: number;
  readonly bytes: string;
}

/** The old file out of the new one and the cuts. */
function putBack(repaired: string, cuts: string | null): string {
  let rest = text(repaired);
  let whole = '';
  for (const line of cuts === null ? [] : text(cuts).trimEnd().split('\n')) {
    const { byteOffset, bytes }: Cut = JSON.parse(line);
    const before = byteOffset - whole.length;
    whole += rest.slice(0, before) + Buffer.from(bytes, 'base64').toString('latin1');
    rest = rest.slice(before);
  }
  return whole + rest;
}

describe('repairJsonl', () => {
  test('replaces the file, and keeps the old one and what was cut', async () => {
    const damaged = '1\n{"a":\n\n{"big":12345678901234567890}  \r\n\0\0\0\n2\n{"torn';
    writeFileSync(path, damaged);
    chmodSync(path, 0o640);
    const report = await repairJsonl(path);
    expect(report).toMatchObject({
      ...{ path, output: path, isChanged: true, backup: `${path}.before-repair-1`, cuts: `${path}.cuts-1.jsonl` },
      ...{ kept: 3, cut: 3, cutBytes: 16, keptBytes: damaged.length - 16, missingParts: [] },
      reasons: { syntax: 2, 'cut-off': 1 },
    });
    expect(text(path)).toBe('1\n\n{"big":12345678901234567890}  \r\n2\n');
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(text(`${path}.before-repair-1`)).toBe(damaged);
    expect(putBack(path, report.cuts)).toBe(damaged);
    expect(JSON.parse(text(`${path}.cuts-1.jsonl`).split('\n')[0] ?? '')).toEqual({
      ...{ byteOffset: 2, byteLength: 6, lineNumber: 2, reason: 'syntax' },
      bytes: Buffer.from('{"a":\n').toString('base64'),
    });
    expect(readdirSync(folder)).toHaveLength(3);
    expect(await checkJsonl(path)).toMatchObject({ isSound: true, valid: 3 });

    writeFileSync(path, 'x\n', { flag: 'a' });
    expect(await repairJsonl(path)).toMatchObject({ backup: `${path}.before-repair-2` });
    expect(text(`${path}.before-repair-1`)).toBe(damaged);
  });

  test('leaves a sound file alone', async () => {
    writeFileSync(path, '1\n\n2\n');
    const { ino } = statSync(path);
    expect(await repairJsonl(path)).toMatchObject({ isChanged: false, backup: null, cuts: null, kept: 2, cut: 0 });
    expect(statSync(path).ino).toBe(ino);
    expect(readdirSync(folder)).toEqual(['log.jsonl']);
  });

  test('writes to another file on request, and never over one', async () => {
    const output = join(folder, 'new.jsonl');
    writeFileSync(path, '1\nx\n2\n');
    const report = await repairJsonl(path, { output });
    expect(report).toMatchObject({ output, backup: null, cuts: `${output}.cuts-1.jsonl`, kept: 2, cut: 1 });
    expect(text(output)).toBe('1\n2\n');
    expect(text(path)).toBe('1\nx\n2\n');
    for (const taken of [output, path]) {
      await expect(repairJsonl(path, { output: taken })).rejects.toMatchObject({ code: 'JSONL_REPAIR_OUTPUT_EXISTS' });
    }
    writeFileSync(path, '');
    await repairJsonl(path, { output: join(folder, 'empty.jsonl') });
    expect(text(join(folder, 'empty.jsonl'))).toBe('');
  });

  test('returns exactly the valid lines of a file damaged at random, and all other bytes in the cuts', async () => {
    const line = fc.oneof(
      fc.json().map((value) => `${value}\n`),
      fc.constantFrom('\n', ' \r\n', '\0\0\0\n', '{"a":\n', '"\xff"\n', '{"long":"'.padEnd(70_000, 'y').concat('"}\n')),
      fc.string({ unit: 'binary-ascii' }),
    );
    const damage = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });
    let damagedLines = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 20 }), fc.array(damage, { maxLength: 5 }), async (lines, flips) => {
        const bytes = Buffer.from(lines.join(''), 'latin1');
        for (const { at, byte } of flips) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        writeFileSync(path, bytes);
        const before = await validLines(path);
        const check = await checkJsonl(path);
        const report = await repairJsonl(path);
        damagedLines += check.damaged;
        expect(check.lines).toBe(check.valid + check.blank + check.damaged);
        expect(check.valid).toBe(before.length);
        expect(await validLines(path)).toEqual(before);
        expect(report).toMatchObject({ kept: check.valid, cut: check.damaged, reasons: check.reasons });
        expect(await checkJsonl(path)).toMatchObject({ isSound: true, valid: check.valid, blank: check.blank });
        expect(putBack(path, report.cuts)).toBe(bytes.toString('latin1'));
        for (const made of [report.backup, report.cuts]) if (made !== null) rmSync(made);
      }),
      { numRuns: 150 },
    );
    expect(damagedLines).toBeGreaterThan(100);
  });

  test('makes one file of a log that rotates, and leaves its parts', async () => {
    await using log = await openJsonlLog(path, { maxPartBytes: 60 });
    for (let id = 0; id < 8; id++) await log.append({ id: String(id).padStart(10, '0') });
    await log.close();
    const [first, second] = await jsonlParts(path);
    writeFileSync(second?.path ?? '', '!', { flag: 'r+' });
    const output = join(folder, 'whole.jsonl');
    await expect(repairJsonl(path)).rejects.toMatchObject({ code: 'JSONL_LOG_ROTATED' });
    const report = await repairJsonl(path, { output });
    expect(report).toMatchObject({ kept: 7, cut: 1, missingParts: [] });
    expect(putBack(output, report.cuts).split('\n')).toHaveLength(9);
    rmSync(first?.path ?? '');
    const rest = await repairJsonl(path, { output: `${output}-2` });
    expect(rest).toMatchObject({ kept: 4, cut: 1, missingParts: [{ path: first?.path }] });
  });

  test('repairs the file behind a symbolic link', async () => {
    const link = join(folder, 'link.jsonl');
    writeFileSync(path, '1\nx\n');
    symlinkSync(path, link);
    expect(await repairJsonl(link)).toMatchObject({ path: link, output: path });
    expect(text(link)).toBe('1\n');
    expect(text(path)).toBe('1\n');
  });

  test('refuses a log in use, and then goes on', async () => {
    const log = await openJsonlLog(path);
    await log.append(1);
    for (const options of [{}, { output: join(folder, 'new.jsonl') }]) {
      await expect(repairJsonl(path, options)).rejects.toMatchObject({ code: 'JSONL_LOG_LOCKED' });
    }
    await log.close();
    expect(await repairJsonl(path)).toMatchObject({ kept: 1 });
    await expect(repairJsonl(folder)).rejects.toMatchObject({ code: 'JSONL_LOG_NOT_A_LOG' });
    await expect(repairJsonl(`${path}-not`)).rejects.toThrow('ENOENT');
  });

  test('leaves the file when somebody appends meanwhile, or the disk is full', async () => {
    writeFileSync(path, '1\nx\n');
    const appending = {
      ...nodeFileOperations,
      link: async (from: string, name: string) => {
        await nodeFileOperations.link(from, name);
        writeFileSync(path, '2\n', { flag: 'a' });
      },
    };
    await expect(repairJsonl(path, { fileOperations: appending })).rejects.toMatchObject({
      code: 'JSONL_LOG_REPLACED',
    });
    expect(text(path)).toBe('1\nx\n2\n');
    const full = { ...nodeFileOperations, write: () => 0 };
    await expect(repairJsonl(path, { fileOperations: full })).rejects.toThrow('disk may be full');
    expect(text(path)).toBe('1\nx\n2\n');
    expect(readdirSync(folder).filter((name) => name.includes('.repair'))).toEqual([]);
  });

  test('keeps a copy where the file system has no hard links', async () => {
    writeFileSync(path, '1\nx\n');
    const link = () => Promise.reject(Object.assign(new Error('no links'), { code: 'EPERM' }));
    const { backup } = await repairJsonl(path, { fileOperations: { ...nodeFileOperations, link } });
    expect(text(backup ?? '')).toBe('1\nx\n');
    expect(text(path)).toBe('1\n');
  });

  // Naive version: truncate the file and write the valid lines into it. A kill in between leaves neither old nor new.
  test('leaves the old file or the new one, at whichever step it is killed', () => {
    const program = fileURLToPath(new URL('../test/programs/repair-and-die.mjs', import.meta.url));
    const old = `${'{"id":1}\nx\n'.repeat(3)}{"torn`;
    const repaired = '{"id":1}\n'.repeat(3);
    const found = { old: 0, repaired: 0 };
    let kills = 0;
    for (let step = 0; ; step++) {
      for (const name of readdirSync(folder)) if (!name.includes('.repair')) rmSync(join(folder, name));
      writeFileSync(path, old);
      const { stdout, stderr, signal } = spawnSync(process.execPath, [program, path, String(step)], {
        encoding: 'utf8',
      });
      if (stdout === 'end\n') break;
      expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' });
      kills += 1;
      const now = text(path);
      expect([old, repaired]).toContain(now);
      found[now === old ? 'old' : 'repaired'] += 1;
      if (now === repaired) {
        expect(text(`${path}.before-repair-1`)).toBe(old);
        expect(putBack(path, `${path}.cuts-1.jsonl`)).toBe(old);
      }
    }
    expect(kills).toBeGreaterThan(20);
    expect(found.old).toBeGreaterThan(0);
    expect(found.repaired).toBeGreaterThan(0);
    expect(existsSync(`${path}.repair`)).toBe(false);
    expect(text(path)).toBe(repaired);
  }, 60_000);
});
