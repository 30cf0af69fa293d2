/** Power loss, simulated: see `test/simulated-disk.ts`. The soak loses power 10,000 times in each test. */
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Random, SimulatedDisk, seeded, simulatedFolder } from '../test/simulated-disk.ts';
import { type InvalidLine, type JsonlLog, type JsonlLogOptions, openJsonlLog, readJsonlValues } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'jsonl-power-'));
const losses = process.env.CADRE_SOAK === '1' ? 10_000 : 250;
const seed = Number(process.env.CADRE_SEED ?? Date.now() % 1_000_000);
const patience = { timeout: 600_000 };
const path = join(simulatedFolder, 'log.jsonl');
afterAll(() => rmSync(directory, { recursive: true }));

const record = (id: number) => ({ id, body: String(id).padEnd((id * 7919) % 3_000, '.') });

async function untilPowerIsLost(
  log: JsonlLog,
  random: Random,
  firstId: number,
  acknowledged: number[],
): Promise<number> {
  let id = firstId;
  for (;;) {
    const accepted: number[] = [];
    const group = Array.from({ length: 1 + random(6) }, () => {
      const own = id++;
      return log.append(record(own)).then(() => accepted.push(own));
    });
    const results = await Promise.allSettled([...group, log.sync()]);
    if (results.at(-1)?.status === 'fulfilled') acknowledged.push(...accepted);
    if (results.some((result) => result.status === 'rejected')) break;
  }
  await log.close().catch((error: unknown) => expect(error).toMatchObject({ code: 'JSONL_LOG_POISONED' }));
  return id;
}

/** What the readers make of the disk, put onto the real one. */
async function idsOn(disk: SimulatedDisk, folder: string): Promise<number[]> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const real = join(folder, basename(path));
  const contents = disk.contents();
  const active = contents.get(path);
  if (active === undefined) return [];
  writeFileSync(real, active);
  for (const [name, content] of contents) {
    if (disk.areSame(name, path)) {
      if (name !== path) linkSync(real, join(folder, basename(name)));
    } else writeFileSync(join(folder, basename(name)), content);
  }
  const invalid: InvalidLine[] = [];
  const values: ReturnType<typeof record>[] = [];
  for await (const value of readJsonlValues<ReturnType<typeof record>>(real, {
    onInvalid: (line) => invalid.push(line),
  }))
    values.push(value);
  const ids = values.map((value) => value.id);
  expect(values).toEqual(ids.map(record));
  return ids;
}

async function losePowerAgainAndAgain(options: JsonlLogOptions, random: Random, disk: SimulatedDisk) {
  const folder = join(directory, 'real');
  const acknowledged: number[] = [];
  const counts = { opened: 0, torn: 0, parts: 0 };
  let nextId = 0;
  for (let loss = 0; loss < losses; loss++) {
    const fileOperations = disk.powerOn(random(60));
    try {
      const log = await openJsonlLog(path, { ...options, fileOperations });
      counts.opened++;
      nextId = await untilPowerIsLost(log, random, nextId, acknowledged);
    } catch (error) {
      expect(error).toMatchObject({ message: expect.stringContaining('power lost') });
    }
    if (disk.losePower(random)) counts.torn++;
    const ids = await idsOn(disk, folder);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
    const found = new Set(ids);
    const oldest = options.maxParts === undefined ? 0 : (ids[0] ?? 0);
    expect(acknowledged.filter((id) => id >= oldest && !found.has(id))).toEqual([]);
    counts.parts = Math.max(counts.parts, disk.contents().size);
    if (loss % 10 === 9) {
      disk.clear();
      acknowledged.length = 0;
    }
  }
  return counts;
}

describe('openJsonlLog under simulated power loss', () => {
  // Fails against a log that acknowledges before the sync, and against one that does not cut the torn tail.
  test.for<[string, JsonlLogOptions]>([
    ['with a sync for each append', {}],
    ['with syncs on demand and checksums', { durability: 'sync', checksum: 'crc32' }],
  ])('keeps every acknowledged record and returns none that was not written, %s', patience, async ([, options]) => {
    const disk = new SimulatedDisk(BigInt(process.pid) * 1_000_000n);
    const { opened, torn } = await losePowerAgainAndAgain(options, seeded(seed), disk);
    console.info(`seed ${seed}: ${losses} power losses, ${opened} with the log open, ${torn} left part of the changes`);
    expect(torn).toBeGreaterThan(losses / 20);
  });

  // Fails against a rotation that does not sync the part's name before the index, or the index before the path.
  test.for<[string, JsonlLogOptions]>([
    ['keeping all parts', { maxPartBytes: 6_000 }],
    ['keeping two', { maxPartBytes: 6_000, maxParts: 2 }],
  ])('does so when it rotates, %s', patience, async ([, options]) => {
    const disk = new SimulatedDisk(BigInt(process.pid) * 1_000_000n);
    const { opened, torn, parts } = await losePowerAgainAndAgain(options, seeded(seed), disk);
    console.info(
      `seed ${seed}: ${losses} power losses, ${opened} with the log open, ${torn} left part of the changes, ${parts} files at most`,
    );
    expect(torn).toBeGreaterThan(losses / 20);
    expect(parts).toBeGreaterThan(3);
  });
});
