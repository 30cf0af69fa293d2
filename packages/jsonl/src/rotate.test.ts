import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  followJsonl,
  type JsonlLogOptions,
  jsonlParts,
  nodeFileOperations,
  openJsonlLog,
  type ReadOptions,
  readJsonl,
  readJsonlEntries,
} from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'jsonl-rotate-'));
let path = '';
let count = 0;
beforeEach(() => {
  path = join(directory, `log-${count++}.jsonl`);
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Records of 20 bytes, so three to a part of 60. */
const record = (id: number) => ({ id: String(id).padStart(10, '0') });

async function write(from: number, to: number, options: JsonlLogOptions = { maxPartBytes: 60 }): Promise<void> {
  await using log = await openJsonlLog(path, options);
  for (let id = from; id < to; id++) await log.append(record(id));
}

async function ids(options: ReadOptions = {}): Promise<number[]> {
  const found: number[] = [];
  for await (const batch of readJsonl<{ id: string }>(path, options)) {
    for (const value of batch) found.push(Number(value.id));
  }
  return found;
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
const names = () =>
  readdirSync(directory)
    .filter((name) => name.startsWith(basename(path)))
    .map((name) => name.slice(basename(path).length));

describe('openJsonlLog with maxPartBytes', () => {
  test('writes parts, keeps their index, and is read as one', async () => {
    await write(0, 8);
    expect(names()).toEqual(['', '.0000000000000000', '.0000000000000060', '.parts']);
    expect(await jsonlParts(path)).toEqual([
      { path: `${path}.0000000000000000`, startOffset: 0, byteLength: 60 },
      { path: `${path}.0000000000000060`, startOffset: 60, byteLength: 60 },
      { path, startOffset: 120, byteLength: 40 },
    ]);
    expect(await ids()).toEqual(range(0, 8));
    expect(
      readFileSync(`${path}.parts`, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { activeOffset: 120 },
      { file: `${basename(path)}.0000000000000000`, startOffset: 0, byteLength: 60 },
      { startOffset: 60 },
    ]);
  });

  test('goes on where it was when opened again, with or without a limit', async () => {
    await write(0, 4);
    await write(4, 8, {});
    expect(await ids()).toEqual(range(0, 8));
    await using log = await openJsonlLog(path, { maxPartBytes: 60 });
    expect([log.size, log.endOffset]).toEqual([100, 160]);
    await log.append(record(8));
    expect([log.size, log.endOffset]).toEqual([20, 180]);
    expect(await ids()).toEqual(range(0, 9));
  });

  test('gives every record an offset that means it before and after any rotation', async () => {
    await write(0, 2);
    const reading = readJsonl(path);
    for await (const _ of reading);
    expect(reading.nextOffset).toBe(40);
    await write(2, 10);
    expect(await ids({ startOffset: reading.nextOffset })).toEqual(range(2, 10));
    for await (const batch of readJsonlEntries<{ id: string }>(path)) {
      for (const { value, lineNumber, byteOffset, byteLength } of batch) {
        expect([byteOffset, lineNumber, byteLength]).toEqual([Number(value.id) * 20, Number(value.id) + 1, 19]);
        expect((await ids({ startOffset: byteOffset }))[0]).toBe(Number(value.id));
      }
    }
  });

  test('keeps maxParts sealed parts, and says what is gone', async () => {
    await write(0, 20, { maxPartBytes: 60, maxParts: 2 });
    expect(await ids()).toEqual(range(12, 20));
    expect(names()).toHaveLength(4);
    await expect(ids({ startOffset: 0 })).rejects.toMatchObject({
      code: 'JSONL_PART_MISSING',
      message: expect.stringContaining('first byte still there is 240'),
    });
    expect(await ids({ startOffset: 300 })).toEqual(range(15, 20));
    await write(20, 27, { maxPartBytes: 60, maxParts: 0 });
    expect(await jsonlParts(path)).toEqual([{ path, startOffset: 480, byteLength: 60 }]);
    expect(await ids()).toEqual(range(24, 27));
  });

  test('rotates under a group of callers without a record lost or out of order', async () => {
    await using log = await openJsonlLog(path, { maxPartBytes: 1_000, durability: 'sync', checksum: 'crc32' });
    let next = 0;
    const caller = async () => {
      while (next < 1_000) await log.append(record(next++));
    };
    await Promise.all([caller(), caller(), caller()]);
    await log.sync();
    expect((await jsonlParts(path)).length).toBeGreaterThan(40);
    expect(await ids({ checksum: 'require' })).toEqual(range(0, 1_000));
  });

  test('is followed through rotations as one file', async () => {
    writeFileSync(path, '');
    const restarts: string[] = [];
    await using follower = followJsonl<{ id: string }>(path, { pollMs: 20, onRestart: (why) => restarts.push(why) });
    await using log = await openJsonlLog(path, { maxPartBytes: 60 });
    let appended = 0;
    const seen: number[] = [];
    await log.append(record(appended++));
    for await (const batch of follower) {
      seen.push(...batch.map((value) => Number(value.id)));
      if (seen.length >= 40) break;
      // Some batches see one rotation, some none, some several.
      for (let more = (seen.length * 7) % 11; more >= 0; more--) await log.append(record(appended++));
    }
    expect(seen).toEqual(range(0, seen.length));
    expect(restarts).toEqual([]);
    expect(follower.nextOffset).toBe(seen.length * 20);
  });

  test('is followed from an offset in an older part', async () => {
    await write(0, 8);
    await using follower = followJsonl<{ id: string }>(path, { startOffset: 80 });
    const seen: number[] = [];
    for await (const batch of follower) {
      seen.push(...batch.map((value) => Number(value.id)));
      if (seen.length === 4) break;
    }
    expect(seen).toEqual(range(4, 8));
  });

  test('reports damage in a part by its place in the whole log', async () => {
    await write(0, 8);
    const part = `${path}.0000000000000060`;
    writeFileSync(part, readFileSync(part, 'latin1').replace('"0000000004"', '"00000\u00004"'));
    const places: number[][] = [];
    expect(await ids({ onInvalid: ({ lineNumber, byteOffset }) => places.push([lineNumber, byteOffset]) })).toEqual([
      0, 1, 2, 3, 5, 6, 7,
    ]);
    expect(places).toEqual([[5, 80]]);
  });

  test('says which part is missing, and that an index is none', async () => {
    await write(0, 8);
    rmSync(`${path}.0000000000000060`);
    await expect(ids()).rejects.toMatchObject({ code: 'JSONL_PART_MISSING', message: expect.stringContaining('0060') });
    for (const text of [
      '',
      '{}\n',
      readFileSync(`${path}.parts`, 'utf8').replace('"startOffset":60', '"startOffset":61'),
    ]) {
      writeFileSync(`${path}.parts`, text);
      await expect(ids()).rejects.toMatchObject({ code: 'JSONL_INDEX_INVALID' });
      await expect(openJsonlLog(path)).rejects.toMatchObject({ code: 'JSONL_INDEX_INVALID' });
    }
  });

  test('refuses to write over a part that its index has lost', async () => {
    await write(0, 8);
    rmSync(`${path}.parts`);
    await expect(openJsonlLog(path, { maxPartBytes: 60 })).rejects.toMatchObject({ code: 'JSONL_INDEX_INVALID' });
  });

  test('is not for shared mode, nor for a symbolic link', async () => {
    await expect(openJsonlLog(path, { mode: 'shared', maxPartBytes: 60 })).rejects.toThrow('maxPartBytes');
    await expect(openJsonlLog(path, { maxPartBytes: 0 })).rejects.toThrow('maxPartBytes');
    await expect(openJsonlLog(path, { maxParts: -1 })).rejects.toThrow('maxParts');
    await write(0, 8);
    await expect(openJsonlLog(path, { mode: 'shared' })).rejects.toMatchObject({ code: 'JSONL_LOG_ROTATED' });
    symlinkSync(path, `${path}.link`);
    const linked = openJsonlLog(`${path}.link`, { maxPartBytes: 60 });
    await expect(linked).rejects.toMatchObject({ code: 'JSONL_LOG_NOT_A_LOG' });
  });

  test('is poisoned by a rotation that fails, and loses nothing by it', async () => {
    const log = await openJsonlLog(path, {
      maxPartBytes: 60,
      fileOperations: { ...nodeFileOperations, rename: () => Promise.reject(new Error('EIO: injected')) },
    });
    for (let id = 0; id < 3; id++) await log.append(record(id));
    await expect(log.append(record(3))).rejects.toMatchObject({ code: 'JSONL_LOG_POISONED' });
    await log.close();
    expect(await ids()).toEqual(range(0, 3));
    await write(4, 8);
    expect(await ids()).toEqual([0, 1, 2, ...range(4, 8)]);
  });

  // Fails where the index is written after the path was renamed, and where a second name is not taken back.
  test('loses nothing when its holder is killed before any operation', { timeout: 60_000 }, async () => {
    const program = fileURLToPath(new URL('../test/programs/rotate-and-die.mjs', import.meta.url));
    const diedAt: Record<string, number> = {};
    const acknowledged: number[] = [];
    let isThrough = false;
    let kills = 0;
    for (let point = 0; !isThrough; point++) {
      const first = point * 10;
      const { stdout } = spawnSync(process.execPath, [program, path, String(point), String(first)], {
        encoding: 'utf8',
        env: {},
      });
      for (const line of stdout.split('\n')) {
        const [word, rest = ''] = line.split(' ');
        if (word === 'ack') acknowledged.push(Number(rest));
        if (word === 'end') isThrough = true;
        if (word === 'died') {
          kills++;
          diedAt[rest] = (diedAt[rest] ?? 0) + 1;
        }
      }
      const found = existsSync(path) ? await ids() : [];
      expect(found).toEqual([...new Set(found)].sort((a, b) => a - b));
      const oldest = found[0] ?? Number.POSITIVE_INFINITY;
      expect(acknowledged.filter((id) => id >= oldest && !found.includes(id))).toEqual([]);
      // Two parts of one record each, and an active one that may be new.
      expect(found.length).toBeGreaterThanOrEqual(Math.min(2, acknowledged.length));
      if (existsSync(path))
        expect(new Set((await jsonlParts(path)).map((part) => part.path)).size).toBeLessThanOrEqual(3);
    }
    console.info(`${kills} kills, before: ${JSON.stringify(diedAt)}`);
    expect(kills).toBeGreaterThan(40);
    expect(Object.keys(diedAt)).toEqual(expect.arrayContaining(['link', 'rename', 'remove', 'syncEntry', 'write']));
    expect(names().filter((name) => name.includes('next'))).toEqual([]);
  });
});
