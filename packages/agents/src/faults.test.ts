/**
 * Attempts with faults of every kind, several at once: each outcome is out of the closed list and right for its fault, and
 * nothing is left of any of them. A few in the suite; `pnpm soak` makes 400 and more, also with the real Claude Code where
 * CADRE_AGENT_PROGRAMS names its folder.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Fault, programFaults, providerFaults, realFaults } from '../test/faults.ts';
import { failureReasons } from './event.ts';

const soak = process.env.CADRE_SOAK === '1';
const seed = Number(process.env.CADRE_SEED ?? 1);
const folder = process.env.CADRE_AGENT_PROGRAMS ?? '';
const faults: readonly (readonly [name: string, fault: Fault])[] = [
  ...Object.entries(programFaults).map(([name, fault]) => [`a program ${name}`, fault] as const),
  ...Object.entries(providerFaults).map(([name, fault]) => [`a provider ${name}`, fault] as const),
  ...(soak && existsSync(join(folder, 'claude')) ? Object.entries(realFaults(folder)) : []).map(
    ([name, fault]) => [`Claude Code: ${name}`, fault] as const,
  ),
];
const repeats = soak ? 15 : 1;
const atOnce = 4;

let directory: string;
const marker = { name: 'CADRE_FAULTS', value: randomUUID() };
const mark = { [marker.name]: marker.value };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agents-faults-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test.skipIf(!existsSync('/proc/self/environ'))('what an attempt left behind would be found', async () => {
  const left = spawn('sleep', ['600'], { detached: true, stdio: 'ignore', env: { ...process.env, ...mark } });
  await once(left, 'spawn');
  expect(markedProcesses()).toEqual([String(left.pid)]);
  left.kill('SIGKILL');
  await once(left, 'exit');
  expect(markedProcesses()).toEqual([]);
});

describe('attempts with faults', () => {
  test(`have the right outcome each, and leave nothing behind (${repeats} of each, seed ${seed})`, {
    timeout: soak ? 600_000 : 60_000,
  }, async () => {
    // Once before counting: what is loaded or opened once stays.
    await each(faults.slice(0, 1));
    const open = countDescriptors();
    const { wrong, tally, fired } = await each(Array.from({ length: repeats }, () => faults).flat());
    const total = faults.length * repeats;
    process.stdout.write(`faults: seed ${seed}, ${total} attempts, ${fired} fired: ${JSON.stringify(tally)}\n`);
    // Naive versions that fail here: exit code 0 as success; a SIGKILL as the answer to an aborted signal.
    expect(wrong).toEqual([]);
    expect(fired).toBe(total);
    expect(Object.keys(tally).every((name) => name === 'succeeded' || failureReasons.some((one) => one === name))).toBe(
      true,
    );
    expect(markedProcesses()).toEqual([]);
    // Closed connections are given back in later turns of the event loop, of which nobody tells.
    await vi.waitFor(() => expect(countDescriptors()).toBeLessThanOrEqual(open), { timeout: 5000 });
  });
});

async function each(all: readonly (readonly [name: string, fault: Fault])[]) {
  const wrong: string[] = [];
  const tally: Record<string, number> = {};
  let [next, fired] = [0, 0];
  const worker = async () => {
    for (let index = next++; index < all.length; index = next++) {
      const [name, fault] = all[index] ?? [];
      if (name === undefined || fault === undefined) return;
      const place = { random: randomOf(seed * 100_003 + index), directory: join(directory, randomUUID()), marker };
      await mkdir(place.directory);
      const trial = await fault(place);
      const { status } = trial.outcome;
      const came = trial.outcome.status === 'failed' ? trial.outcome.reason : status;
      tally[came] = (tally[came] ?? 0) + 1;
      if (trial.fired) fired += 1;
      else wrong.push(`${name} (${index}): it did not fire`);
      const differs = Object.entries(trial.expected).some(
        ([field, value]) => Reflect.get(trial.outcome, field) !== value,
      );
      if (differs) wrong.push(`${name} (${index}): ${JSON.stringify(trial.outcome)}`);
      await rm(place.directory, { recursive: true, force: true, maxRetries: 3 });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { wrong, tally, fired };
}

/** By what they carry in their environment, whoever their parent is by now. Empty where there is no /proc. */
function markedProcesses(): readonly string[] {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && environmentOf(pid).includes(marker.value));
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return ''; // It ended just now, or is another user's, whom we started nothing for.
  }
}

function countDescriptors(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
}

/** Mulberry32. */
function randomOf(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
