/**
 * Power loss, simulated: a disk that keeps apart what is synced and what is not, and at a seeded operation loses the
 * machine. Each write that was not synced is then on disk, or not, or its first part, or with sectors of zeros.
 * `JSONL_POWER_LOSSES` asks for more points, `JSONL_SEED` for the same ones.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type FileOperations, type InvalidLine, JsonlDecoder, type JsonlLog, openJsonlLog } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'jsonl-power-'));
const path = join(directory, 'log.jsonl');
const losses = Number(process.env.JSONL_POWER_LOSSES ?? 400);
const seed = Number(process.env.JSONL_SEED ?? Date.now() % 1_000_000);
// The lock of systems with flock is taken on the real file.
writeFileSync(path, '');
afterAll(() => rmSync(directory, { recursive: true }));

type Random = (below: number) => number;
type Change = { readonly write: Buffer } | { readonly truncate: number };

class SimulatedDisk {
  durable: Buffer = Buffer.alloc(0);
  readonly inode = BigInt(process.pid) * 1_000_000n + BigInt(seed);
  #pending: Change[] = [];
  #operationsLeft = 0;

  /** The machine runs for this many operations. */
  powerOn(operationCount: number): FileOperations {
    this.#operationsLeft = operationCount;
    const step = () => {
      if (this.#operationsLeft-- <= 0) throw new Error('power lost');
    };
    const identity = () => ({ device: 0n, inode: this.inode, size: this.#current().length, isFile: true });
    return {
      open: async () => 1_000_000,
      close: async () => undefined,
      syncEntry: async () => step(),
      stat: () => identity(),
      read: async (_, buffer, position) => {
        step();
        return this.#current().copy(buffer, 0, position);
      },
      write: (_, bytes) => {
        this.#pending.push({ write: Buffer.from(bytes) });
        step();
        return bytes.length;
      },
      truncate: async (_, size) => {
        this.#pending.push({ truncate: size });
        step();
      },
      datasync: async () => {
        step();
        this.durable = this.#current();
        this.#pending = [];
      },
    };
  }

  /** Says whether what is left of the unsynced changes is neither all nor nothing of them. */
  losePower(random: Random): boolean {
    const [before, after] = [this.durable, this.#current()];
    for (const change of this.#pending) this.durable = apply(this.durable, garbled(change, random));
    this.#pending = [];
    return !this.durable.equals(before) && !this.durable.equals(after);
  }

  #current(): Buffer {
    return this.#pending.reduce(apply, this.durable);
  }
}

const disk = new SimulatedDisk();

function apply(content: Buffer, change: Change): Buffer {
  return 'write' in change ? Buffer.concat([content, change.write]) : content.subarray(0, change.truncate);
}

function garbled(change: Change, random: Random): Change {
  if ('truncate' in change) return random(2) === 0 ? change : { write: Buffer.alloc(0) };
  const { write } = change;
  switch (random(4)) {
    case 0:
      return change;
    case 1:
      return { write: Buffer.alloc(0) };
    case 2:
      return { write: write.subarray(0, random(write.length)) };
    default: {
      const holes = Buffer.from(write);
      for (let sector = 0; sector < holes.length; sector += 512)
        if (random(2) === 0) holes.fill(0, sector, Math.min(holes.length, sector + 512));
      return { write: holes };
    }
  }
}

function seeded(start: number): Random {
  let state = start | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const record = (id: number) => ({ id, body: String(id).padEnd((id * 7919) % 3_000, '.') });

async function untilPowerIsLost(
  log: JsonlLog,
  random: Random,
  firstId: number,
  acknowledged: number[],
): Promise<number> {
  let id = firstId;
  for (;;) {
    const group = Array.from({ length: 1 + random(6) }, () => {
      const own = id++;
      return log.append(record(own)).then(() => acknowledged.push(own));
    });
    const results = await Promise.allSettled(group);
    if (results.some((result) => result.status === 'rejected')) break;
  }
  await log.close();
  return id;
}

describe('openJsonlLog under simulated power loss', () => {
  // Fails against a log that acknowledges before the sync, and against one that does not cut the torn tail.
  test('keeps every acknowledged record and returns none that was not written', async () => {
    const random = seeded(seed);
    const acknowledged: number[] = [];
    let nextId = 0;
    let torn = 0;
    let opened = 0;
    for (let loss = 0; loss < losses; loss++) {
      const fileOperations = disk.powerOn(random(24));
      try {
        const log = await openJsonlLog(path, { fileOperations });
        opened++;
        nextId = await untilPowerIsLost(log, random, nextId, acknowledged);
      } catch (error) {
        expect(error).toMatchObject({ message: expect.stringContaining('power lost') });
      }
      if (disk.losePower(random)) torn++;
      const invalid: InvalidLine[] = [];
      const decoder = new JsonlDecoder<ReturnType<typeof record>>({ onInvalid: (line) => invalid.push(line) });
      const values = [...decoder.push(disk.durable), ...decoder.end()];
      const ids = values.map((value) => value.id);
      expect(values).toEqual(ids.map(record));
      expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
      const found = new Set(ids);
      expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
      if (disk.durable.length > 200_000) {
        disk.durable = Buffer.alloc(0);
        acknowledged.length = 0;
      }
    }
    console.info(`seed ${seed}: ${losses} power losses, ${opened} with the log open, ${torn} left part of a write`);
    expect(torn).toBeGreaterThan(losses / 20);
  });
});
