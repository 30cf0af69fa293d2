import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hasSlots, onLinux } from '../test/programs.ts';
import { allowedCpus } from './cpu-set.ts';
import { startDetached } from './detached.ts';
import { type SpawnOptions, spawnProcess } from './spawn.ts';
import { openSpawnSlots } from './spawn-slots.ts';

describe.runIf(onLinux)('cpus', () => {
  // The last, since a program that was not bound at all might be found on the first by chance.
  const cpu = allowedCpus()?.at(-1) ?? 0;
  const options = { command: 'sh', args: ['-c', 'grep list: /proc/self/status; exit 3'], cpus: [cpu] };
  const bound = { stdout: expect.stringContaining(`Cpus_allowed_list:\t${cpu}\n`), exitCode: 3, endedBy: 'exit' };

  test('bind a program and what it starts before it runs', async () => {
    expect(await (await spawnProcess(options)).result).toMatchObject(bound);
  });

  test.runIf(hasSlots)('bind a program from a waiting slot', async () => {
    const slots = await openSpawnSlots({ size: 1 });
    expect(await (await spawnProcess({ ...options, slots })).result).toMatchObject(bound);
    await slots.close();
  });

  test('bind a detached program', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'spawner-cpus-'));
    const running = await startDetached({ ...options, directory: join(folder, 'attempt') });
    expect(await running.result).toMatchObject(bound);
    rmSync(folder, { recursive: true });
  });

  test('bind a program in a PID namespace', async () => {
    const running = await spawnProcess({ ...options, containment: ['strong', 'tree'] });
    expect(await running.result).toMatchObject(bound);
  });

  test('leave the errors of a start as they are', async () => {
    const fails = (start: SpawnOptions) => expect(spawnProcess({ cpus: [cpu], ...start })).rejects;
    await fails({ command: 'no-such-program' }).toMatchObject({ code: 'SPAWN_PROGRAM_NOT_FOUND' });
    await fails({ command: '/etc/passwd' }).toMatchObject({ code: 'SPAWN_PERMISSION_DENIED' });
    await fails({ command: 'true', cwd: '/no/such' }).toMatchObject({ code: 'SPAWN_DIRECTORY_NOT_FOUND' });
  });

  // The system itself takes those of the list that there are, and says nothing.
  test('refuse a processor that this process may not use', async () => {
    const cpus = [cpu, cpu + 1000];
    await expect(spawnProcess({ command: 'true', cpus })).rejects.toMatchObject({
      code: 'SPAWN_CPU_SET_UNAVAILABLE',
      message: expect.stringContaining(`${cpu + 1000} may not be used by this process; choose among `),
    });
  });

  test.for([
    [[], /^cpus must be a list/],
    [[-1], /^cpus\[0\] must/],
    [[0, 0], /^cpus\[0\] must|^cpus\[1\] must/],
    [[0.5], /^cpus\[0\] must/],
  ] as const)('refuse %j', async ([cpus, message]) => {
    await expect(spawnProcess({ command: 'true', cpus })).rejects.toThrow(message);
  });
});
