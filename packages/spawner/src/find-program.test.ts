import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findProgram } from './find-program.ts';
import { spawnProcess } from './spawn.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spawner-'));
  await mkdir(join(folder, 'a/tool'), { recursive: true });
  await mkdir(join(folder, 'b'));
  await mkdir(join(folder, 'c'));
  await writeFile(join(folder, 'b/tool'), 'no program');
  await writeFile(join(folder, 'c/tool'), '#!/bin/sh\necho found\n');
  await chmod(join(folder, 'c/tool'), 0o755);
  await writeFile(join(folder, 'c/broken'), '#!/no/such/interpreter\n');
  await chmod(join(folder, 'c/broken'), 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

describe('findProgram', () => {
  test('passes over folders and files that are not executable', async () => {
    const path = ['a', 'b', 'c'].map((name) => join(folder, name)).join(':');
    expect(await findProgram('tool', path)).toBe(join(folder, 'c/tool'));
  });

  test('answers undefined for what is not there', async () => {
    expect(await findProgram('tool', join(folder, 'b'))).toBeUndefined();
    expect(await findProgram('', folder)).toBeUndefined();
    expect(await findProgram(join(folder, 'none'))).toBeUndefined();
  });
});

describe('spawnProcess, when the program cannot be started', () => {
  const attempt = (options: Parameters<typeof spawnProcess>[0]) => spawnProcess({ inheritEnv: [], ...options });

  test('lists the folders it searched', async () => {
    const env = { PATH: `${folder}/a:/nowhere` };
    await expect(attempt({ command: 'absent-tool', env })).rejects.toMatchObject({
      name: 'SpawnError',
      code: 'SPAWN_PROGRAM_NOT_FOUND',
      message: expect.stringContaining(`searched ${folder}/a, /nowhere`),
    });
  });

  test('tells a missing directory from a missing program, though the system says the same', async () => {
    await expect(attempt({ command: 'sh', cwd: join(folder, 'none'), env: { PATH: '/bin' } })).rejects.toMatchObject({
      code: 'SPAWN_DIRECTORY_NOT_FOUND',
      message: expect.stringContaining(`${folder}/none`),
    });
    await expect(attempt({ command: 'sh', cwd: join(folder, 'c/tool'), env: { PATH: '/bin' } })).rejects.toMatchObject({
      code: 'SPAWN_DIRECTORY_NOT_FOUND',
      message: expect.stringContaining('is not a directory'),
    });
  });

  test('says which interpreter is missing', async () => {
    await expect(attempt({ command: join(folder, 'c/broken') })).rejects.toMatchObject({
      code: 'SPAWN_PROGRAM_NOT_FOUND',
      message: expect.stringContaining('/no/such/interpreter'),
    });
  });

  test.for([
    ['b/tool', 'chmod +x'],
    ['a/tool', 'is a directory'],
  ] as const)('explains why %s is refused', async ([file, advice]) => {
    await expect(attempt({ command: join(folder, file) })).rejects.toMatchObject({
      code: 'SPAWN_PERMISSION_DENIED',
      message: expect.stringContaining(advice),
    });
  });

  test('advises stdin when the arguments are too long', async () => {
    const args = Array.from({ length: 64 }, () => 'x'.repeat(100_000));
    await expect(attempt({ command: join(folder, 'c/tool'), args })).rejects.toMatchObject({
      code: 'SPAWN_FAILED',
      message: expect.stringContaining('stdin'),
    });
  });

  test('finds a relative path from the working directory of the child', async () => {
    const running = await attempt({ command: './tool', cwd: join(folder, 'c') });
    expect((await running.result).stdout).toBe('found\n');
  });
});
