import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { JsonlLogLockedError, openJsonlLog } from './index.ts';

const directory = mkdtempSync(join(tmpdir(), 'jsonl-lock-'));
const path = join(directory, 'log.jsonl');
afterAll(() => rmSync(directory, { recursive: true }));

type Program = ChildProcessByStdio<Writable, Readable, null>;

function start(name: string, file: string): Program {
  const program = fileURLToPath(new URL(`../test/programs/${name}.mjs`, import.meta.url));
  return spawn(process.execPath, [program, file], { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
}

async function firstLine(program: Program): Promise<string> {
  const [bytes] = await once(program.stdout, 'data');
  return String(bytes).trim();
}

describe('openJsonlLog, exclusive', () => {
  test('is refused to a second log in the same process, by whatever name, until the first is closed', async () => {
    const log = await openJsonlLog(path);
    const alias = join(directory, 'alias.jsonl');
    linkSync(path, alias);
    for (const name of [path, alias]) {
      const refused = await openJsonlLog(name).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(JsonlLogLockedError);
      expect(refused).toMatchObject({ code: 'JSONL_LOG_LOCKED', path: name, holderPid: process.pid });
    }
    await log.close();
    await (await openJsonlLog(path)).close();
  });

  test('is won by exactly one of several processes, and the others learn by which', async () => {
    const programs = Array.from({ length: 4 }, () => start('hold-log', path));
    const ended = programs.map((program) => once(program, 'exit'));
    const answers = await Promise.all(programs.map(firstLine));
    const winner = programs[answers.indexOf('held')];
    expect(answers.filter((answer) => answer === 'held')).toHaveLength(1);
    expect(answers.filter((answer) => answer === `JSONL_LOG_LOCKED ${winner?.pid}`)).toHaveLength(3);
    for (const program of programs) program.stdin.end();
    await Promise.all(ended);
  });

  // Fails against a lock file that whoever finds it stale may remove.
  test('is won by exactly one of two processes, again and again', { timeout: 300_000 }, async () => {
    const rounds = process.env.CADRE_SOAK === '1' ? 200 : 5;
    let won = 0;
    for (let round = 0; round < rounds; round++) {
      const programs = [start('hold-log', path), start('hold-log', path)];
      const ended = programs.map((program) => once(program, 'exit'));
      const answers = await Promise.all(programs.map(firstLine));
      expect(answers.filter((answer) => answer === 'held')).toHaveLength(1);
      expect(answers.filter((answer) => answer.startsWith('JSONL_LOG_LOCKED'))).toHaveLength(1);
      won++;
      // Killed while it holds it, every other time.
      for (const program of programs) {
        if (round % 2 === 0) program.stdin.end();
        else program.kill('SIGKILL');
      }
      await Promise.all(ended);
    }
    expect(won).toBe(rounds);
  });

  // Fails against a lock file: the killed holder leaves it behind.
  test('is free as soon as a killed holder is gone', async () => {
    let killed = 0;
    for (; killed < 5; killed++) {
      const holder = start('hold-log', path);
      expect(await firstLine(holder)).toBe('held');
      const exited = once(holder, 'exit');
      holder.kill('SIGKILL');
      await exited;
      await (await openJsonlLog(path)).close();
    }
    expect(killed).toBe(5);
  });

  test('keeps no program running, and is not inherited by its children', async () => {
    const program = start('open-and-end', join(directory, 'forgotten.jsonl'));
    expect(await once(program, 'exit')).toEqual([0, null]);
    const log = await openJsonlLog(path);
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(child, 'spawn');
    await log.close();
    await (await openJsonlLog(path)).close();
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
});
