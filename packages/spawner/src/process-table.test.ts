import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { onLinux, start, Transcript } from '../test/programs.ts';
import { findProgram } from './find-program.ts';
import {
  identifyProcess,
  isProcessAlive,
  listWithPs,
  parsePsLine,
  readProcessRow,
  readProcessTable,
} from './process-table.ts';
import { spawnProcess } from './spawn.ts';

describe('identifyProcess', () => {
  test('gives one process one identity and tells it from a later holder of its pid', async () => {
    const transcript = new Transcript();
    const running = await start('hangs.mjs', [], { onStdout: transcript.add });
    await transcript.until((text) => text.includes('up'));
    expect(await identifyProcess(running.identity.pid)).toEqual(running.identity);
    expect(await isProcessAlive({ ...running.identity, startTime: `${running.identity.startTime}1` })).toBe(false);
    await running.end({ graceMs: 0 });
    expect(await isProcessAlive(running.identity)).toBe(false);
  });
});

describe.runIf(onLinux)('readProcessRow', () => {
  test('reads past a program name full of parentheses and spaces', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spawner-'));
    try {
      const program = join(folder, 'x) R 1 (y');
      await symlink((await findProgram('sleep')) ?? '', program);
      const running = await spawnProcess({ command: program, args: ['1000'], graceMs: 0 });
      const row = readProcessRow(running.identity.pid);
      expect(row).toMatchObject({
        parentPid: process.pid,
        groupId: running.identity.pid,
        sessionId: running.identity.pid,
      });
      await running.end();
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('agrees with ps on parents, groups and life', async () => {
    const running = await start('hangs.mjs');
    const pick = ({ pid, parentPid, groupId, alive }: NonNullable<ReturnType<typeof readProcessRow>>) => ({
      pid,
      parentPid,
      groupId,
      alive,
    });
    const fromPs = (await listWithPs(['-p', String(running.identity.pid)])).map(pick);
    const table = await readProcessTable();
    expect(fromPs).toEqual(table.filter((row) => row.pid === running.identity.pid).map(pick));
    expect(fromPs).toHaveLength(1);
    await running.end({ graceMs: 0 });
    expect(await listWithPs(['-p', String(running.identity.pid)])).toEqual([]);
  });
});

describe('parsePsLine', () => {
  test.for([
    [
      '  501     1   501 Ss   Tue Mar  3 09:14:01 2026',
      { pid: 501, parentPid: 1, groupId: 501, alive: true, stopped: false },
    ],
    ['77 501 501 T+ Tue Mar 13 09:14:01 2026    ', { pid: 77, parentPid: 501, alive: true, stopped: true }],
    ['78 501 501 Z Tue Mar 13 09:14:01 2026', { pid: 78, alive: false, startTime: 'Tue Mar 13 09:14:01 2026' }],
  ] as const)('reads %j', ([line, expected]) => {
    expect(parsePsLine(line)).toMatchObject(expected);
  });

  test('takes a line of another shape for none', () => {
    expect(['', 'PID PPID', 'a b c d e'].map(parsePsLine)).toEqual([undefined, undefined, undefined]);
  });
});
