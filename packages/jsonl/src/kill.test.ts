/**
 * What a reader may say after writers were killed in mid-record, with real processes and records big enough to tear.
 * Rounds are bounded here; `JSONL_KILL_ROUNDS` asks for more.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { type InvalidLine, openJsonlLog, readJsonlValues } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'jsonl-kill-'));
const program = fileURLToPath(new URL('../test/programs/append-records.mjs', import.meta.url));
const rounds = Number(process.env.JSONL_KILL_ROUNDS ?? 16);
/** Kills that hit between two writes prove nothing, so more are made until this many tore a record. */
const enoughTorn = 3;
afterAll(() => rmSync(directory, { recursive: true }));

/** Starts a writer, kills it once it has acknowledged some records, and tells which. */
function writeAndKill(path: string, mode: string, writer: string, acknowledgements: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, path, mode, writer], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {},
    });
    let output = '';
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      output += text;
      if (child.signalCode !== null || child.killed || output.split('ack ').length <= acknowledgements) return;
      waitForLongWrite(path);
      child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (_, signal) => {
      if (signal !== 'SIGKILL') reject(new Error(`The writer ended by itself: ${output}`));
      else
        resolve(
          output
            .split('\n')
            .slice(0, -1)
            .flatMap((line) => (line.startsWith('ack ') ? [line.slice(4)] : [])),
        );
    });
  });
}

/** Returns in the middle of a write of more than 64 KB, which can only be caught by looking without pause. */
function waitForLongWrite(path: string): void {
  const deadline = performance.now() + 2_000;
  let settledSize = statSync(path).size;
  let size = settledSize;
  for (let still = 0; size - settledSize <= 70_000 && performance.now() < deadline; ) {
    const now = statSync(path).size;
    still = now === size ? still + 1 : 0;
    size = now;
    if (still > 30) settledSize = size;
  }
}

/** Every value must be a record as it was written; the ids come back in order of the file. */
async function idsIn(path: string, invalid: InvalidLine[]): Promise<string[]> {
  const ids: string[] = [];
  for await (const value of readJsonlValues<Record<string, unknown>>(path, {
    onInvalid: (line) => invalid.push(line),
  })) {
    const { id, bytes, body } = value;
    if (typeof id !== 'string' || typeof bytes !== 'number' || body !== id.padEnd(bytes, '.')) {
      throw new Error(`A record came back that nobody wrote: ${JSON.stringify(value).slice(0, 200)}`);
    }
    ids.push(id);
  }
  return ids;
}

describe('openJsonlLog under SIGKILL', () => {
  // Fails against a log that does not cut the torn tail: the next record is fused to it.
  test('loses no acknowledged record and returns no torn one in exclusive mode', async () => {
    const path = join(directory, 'exclusive.jsonl');
    const acknowledged: string[] = [];
    let torn = 0;
    let round = 0;
    for (; round < rounds || (torn < enoughTorn && round < 4 * rounds); round++) {
      acknowledged.push(...(await writeAndKill(path, 'exclusive', `w${round}`, 1 + (round % 5))));
      const invalid: InvalidLine[] = [];
      await idsIn(path, invalid);
      expect(invalid.every((line) => line.reason === 'cut-off')).toBe(true);
      torn += invalid.length;
    }
    const log = await openJsonlLog(path);
    await log.close();
    const invalid: InvalidLine[] = [];
    const ids = await idsIn(path, invalid);
    console.info(`exclusive: ${round} kills, ${torn} tore a record, ${acknowledged.length} acknowledged`);
    expect(torn).toBeGreaterThanOrEqual(enoughTorn);
    expect(invalid).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
  });

  // Fails against unframed appends: a neighbour's record is fused to the torn one.
  test('loses no acknowledged record and returns no torn one when some of four writers are killed', async () => {
    const path = join(directory, 'shared.jsonl');
    const acknowledged: string[] = [];
    const sharedRounds = Math.ceil(rounds / 3);
    let ids: string[] = [];
    let invalid: InvalidLine[] = [];
    let round = 0;
    for (; round < sharedRounds || (invalid.length < enoughTorn && round < 4 * sharedRounds); round++) {
      const writers = ['a', 'b', 'c', 'd'].map((name, index) =>
        writeAndKill(path, 'shared', `${name}${round}`, 2 + 3 * index),
      );
      acknowledged.push(...(await Promise.all(writers)).flat());
      invalid = [];
      ids = await idsIn(path, invalid);
    }
    console.info(`shared: ${4 * round} kills, ${invalid.length} tore a record, ${acknowledged.length} acknowledged`);
    expect(invalid.length).toBeGreaterThanOrEqual(enoughTorn);
    expect(new Set(ids).size).toBe(ids.length);
    expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([]);
  });
});
