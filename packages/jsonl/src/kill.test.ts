/**
 * What a reader may say after writers were killed in mid-record, with real processes and records big enough to tear.
 * A kill between two writes proves nothing, so each waits until its writer is in the middle of a write, and what it tore
 * is counted by looking at the file. The soak kills 500 of four writers at a time, and 120 times a single one.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { seeded } from '../test/simulated-disk.ts';
import { WriteWatch } from '../test/write-watch.ts';
import { type InvalidLine, openJsonlLog, readJsonlValues } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'jsonl-kill-'));
const program = fileURLToPath(new URL('../test/programs/append-records.mjs', import.meta.url));
const isSoak = process.env.CADRE_SOAK === '1';
const seed = Number(process.env.CADRE_SEED ?? Date.now() % 1_000_000);
const patience = { timeout: 600_000 };
afterAll(() => rmSync(directory, { recursive: true }));

interface Writer {
  readonly name: string;
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly output: { text: string };
  readonly closed: Promise<unknown[]>;
}

async function startWriter(path: string, mode: string, name: string): Promise<Writer> {
  const child = spawn(process.execPath, [program, path, mode, name], { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
  const output = { text: '' };
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    output.text += text;
  });
  const closed = once(child, 'close');
  await once(child.stdout, 'data');
  return { name, child, output, closed };
}

/** The ids that a writer said were appended, once it is dead; a cut last line is none. */
async function acknowledgedBy({ name, output, closed }: Writer): Promise<string[]> {
  const [, signal] = await closed;
  if (signal !== 'SIGKILL') throw new Error(`The writer ${name} ended by itself: ${output.text}`);
  const lines = output.text.split('\n').slice(0, -1);
  return lines.flatMap((line) => (line.startsWith('ack ') ? [line.slice(4)] : []));
}

/** Lets the writers write, and kills one after the other, each in the middle of a long write where it makes one. */
async function killAll(path: string, writers: readonly Writer[], random: (below: number) => number): Promise<string[]> {
  const watch = new WriteWatch(path, statSync(path).size);
  const alive = new Map(writers.map((writer) => [writer.name, writer]));
  for (const { child } of writers) child.stdin.write('go');
  while (alive.size > 0) {
    const [first] = alive.values();
    for (let acknowledgements = random(4); acknowledgements > 0 && first !== undefined; acknowledgements--) {
      await Promise.race([once(first.child.stdout, 'data'), first.closed]);
    }
    const victim = alive.get(watch.writerInTheMiddle(new Set(alive.keys())) ?? '') ?? first;
    victim?.child.kill('SIGKILL');
    alive.delete(victim?.name ?? '');
  }
  watch.close();
  return (await Promise.all(writers.map(acknowledgedBy))).flat();
}

/** Every value must be a record as it was written; the ids come back in order of the file. */
async function readBack(path: string) {
  const ids: string[] = [];
  const invalid: InvalidLine[] = [];
  for await (const value of readJsonlValues<Record<string, unknown>>(path, {
    onInvalid: (line) => invalid.push(line),
  })) {
    const { id, bytes, body } = value;
    if (typeof id !== 'string' || typeof bytes !== 'number' || body !== id.padEnd(bytes, '.')) {
      throw new Error(`A record came back that nobody wrote: ${JSON.stringify(value).slice(0, 200)}`);
    }
    ids.push(id);
  }
  return { ids, invalid };
}

/** By the bytes alone: the beginning of a record without its end, alone between its newlines. */
function tornIn(path: string): number {
  const lines = readFileSync(path, 'latin1').split('\n');
  return lines.filter((line, index) => {
    if (line === '') return false;
    if (line.split('"id"').length > 2) throw new Error(`Fused: ${line.slice(0, 80)}`);
    return index === lines.length - 1 || !line.endsWith('"}');
  }).length;
}

describe('openJsonlLog under SIGKILL', () => {
  // Fails against a log that does not cut the torn tail: the next record is fused to it.
  test('loses no acknowledged record and returns no torn one in exclusive mode', patience, async () => {
    const kills = isSoak ? 120 : 12;
    const random = seeded(seed);
    const path = join(directory, 'exclusive.jsonl');
    let acknowledged: string[] = [];
    let [torn, acknowledgements] = [0, 0];
    for (let kill = 0; kill < kills; kill++) {
      if (kill % 20 === 0) {
        writeFileSync(path, '');
        acknowledged = [];
      }
      const now = await killAll(path, [await startWriter(path, 'exclusive', `w${kill}`)], random);
      acknowledged.push(...now);
      acknowledgements += now.length;
      const tornNow = tornIn(path);
      torn += tornNow;
      const { ids, invalid } = await readBack(path);
      expect(invalid.map((line) => line.reason)).toEqual(Array(tornNow).fill('cut-off'));
      expect(new Set(ids).size).toBe(ids.length);
      expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
    }
    await (await openJsonlLog(path)).close();
    expect([tornIn(path), (await readBack(path)).invalid]).toEqual([0, []]);
    console.info(`exclusive: seed ${seed}, ${kills} kills, ${torn} tore a record, ${acknowledgements} acknowledged`);
    expect(torn).toBeGreaterThanOrEqual(0.2 * kills);
  });

  // Fails against unframed appends: a neighbour's record is fused to the torn one, and lost.
  test('loses no acknowledged record and returns no torn one when four writers are killed', patience, async () => {
    const rounds = isSoak ? 125 : 10;
    const random = seeded(seed);
    const path = join(directory, 'shared.jsonl');
    let [torn, acknowledgements] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      rmSync(path, { force: true });
      const writers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => startWriter(path, 'shared', name)));
      const acknowledged = await killAll(path, writers, random);
      acknowledgements += acknowledged.length;
      const { ids, invalid } = await readBack(path);
      const tornNow = tornIn(path);
      torn += tornNow;
      expect(invalid).toHaveLength(tornNow);
      expect(new Set(ids).size).toBe(ids.length);
      expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
    }
    console.info(`shared: seed ${seed}, ${4 * rounds} kills, ${torn} tore a record, ${acknowledgements} acknowledged`);
    expect(acknowledgements).toBeGreaterThan(rounds);
    expect(torn).toBeGreaterThanOrEqual(0.4 * 4 * rounds);
  });
});
