import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  endByToken,
  fiercerKinds,
  hasSlots,
  hostileKinds,
  hostilePids,
  missingContainment,
  onLinux,
  programPath,
  start,
  survivingKinds,
  Transcript,
} from '../test/programs.ts';
import { leftCgroups } from './cgroup.ts';
import { type ContainmentLevel, markerDigest } from './container.ts';
import { adopt, startDetached } from './detached.ts';
import { type SpawnOptions, spawnProcess } from './spawn.ts';
import { openSpawnSlots } from './spawn-slots.ts';
import { sweep } from './sweep.ts';

const soaking = process.env.CADRE_SOAK !== undefined;
const trees = soaking ? 500 : 4;
const graceMs = 20;
const kinds = [...hostileKinds, ...fiercerKinds];

/** What each level can't be expected to end; a kind that is not named must never survive. */
const mayEscape: Readonly<Record<ContainmentLevel, readonly string[]>> = {
  group: ['deaf', 'escaped', 'hydra', 'orphan', 'relay', 'session'],
  tree: ['escaped', 'relay'],
  cgroup: [],
  pidNamespace: [],
};

describe.runIf(onLinux)('hostile trees', { timeout: 600_000 }, () => {
  let token: string;
  afterEach(() => endByToken(token));

  // An ending that took a look which finds nobody for the end was seen to leave a relay in its cgroup.
  test.for(Object.entries(mayEscape))('contained by %s', async ([level, allowed], context) => {
    token = randomUUID();
    const missing = await missingContainment(level);
    if (missing !== undefined) context.skip(missing);
    const survived = Object.fromEntries(kinds.map((kind) => [kind, 0]));
    let faults = 0;
    for (let tree = 0; tree < trees; tree += 1) {
      const transcript = new Transcript();
      const marker = { name: 'SPAWNER_TEST_CONTAINMENT', value: token };
      const options = { onStdout: transcript.add, marker, graceMs, drainMs: 5 };
      const containment = level as ContainmentLevel;
      const running = await start('hostile-tree.sh', [token], { ...options, containment });
      await hostilePids(transcript, 1, kinds);
      faults += survivingKinds(token, 200).length;
      // Every other tree loses its root first, so that its own exit is what reveals the rest.
      if (tree % 2 === 0) await running.end();
      else process.kill(running.identity.pid, 'SIGKILL');
      const result = await running.result;
      for (const kind of survivingKinds(token)) survived[kind] = (survived[kind] ?? 0) + 1;
      await sweep({ marker, graceMs: 0 });
      endByToken(token);
      expect(running.containment).toBe(level);
      if (allowed.length === 0) expect(result.survivors).toEqual([]);
    }
    const left = Object.fromEntries(Object.entries(survived).filter(([, count]) => count > 0));
    process.stdout.write(`${level}: ${trees} hostile trees, survivors by kind ${JSON.stringify(left)}\n`);
    expect(faults).toBe(trees * kinds.length);
    expect(Object.keys(left).filter((kind) => !allowed.includes(kind))).toEqual([]);
  });
});

describe.runIf(onLinux).for(['cgroup', 'pidNamespace'] as const)('a program in a %s', (containment) => {
  beforeEach(async (context) => {
    const missing = await missingContainment(containment);
    if (missing !== undefined) context.skip(missing);
  });

  test('is given, and gives, what it would without', async () => {
    const script = 'pwd; cat; printf "%s|" "$@"; echo err >&2; exit 7';
    const args = ['-c', script, 'sh', "a'b", '', '$(no)'];
    const running = await spawnProcess({ command: 'sh', args, cwd: '/usr/lib', stdin: 'input', containment });
    expect(await running.result).toMatchObject({
      ...{ exitCode: 7, signalName: null, endedBy: 'exit', stdout: "/usr/lib\ninputa'b||$(no)|", stderr: 'err\n' },
      ...{ leftBehind: [], survivors: [] },
    });
  });

  test('sees the environment it is given and nothing else', async () => {
    const options = { command: 'env', args: ['-0'], env: { ONE: "it's\n1" }, inheritEnv: ['PATH'] };
    const { stdout } = await (await spawnProcess({ ...options, containment })).result;
    expect(stdout.split('\0').map((entry) => entry.split('=')[0])).toEqual(
      expect.arrayContaining(['ONE', 'PATH', 'SPAWNER_LINEAGE']),
    );
    expect(stdout.split('\0')).toHaveLength(4);
  });

  test('has all it wrote before anybody listened', async () => {
    const running = await spawnProcess({ command: 'seq', args: ['20000'], containment });
    expect((await running.result).stdoutBytes).toBe(108_894);
  });

  test('tells an exit code from a signal of the same number, and is known by its own pid', async () => {
    const run = async (script: string) =>
      (await spawnProcess({ command: 'sh', args: ['-c', script], containment })).result;
    expect(await run('exit 130')).toMatchObject({ exitCode: 130, signalName: null });
    expect(await run('kill -KILL $$')).toMatchObject({ exitCode: null, signalName: 'SIGKILL' });
    const transcript = new Transcript();
    const args = ['-c', 'echo up; sleep 1000; exit'];
    const running = await spawnProcess({ command: 'sh', args, containment, onStdout: transcript.add });
    await transcript.until((text) => text === 'up\n');
    expect(readFileSync(`/proc/${running.identity.pid}/cmdline`, 'latin1')).toMatch(/^sh\0-c\0echo up/);
    process.kill(running.identity.pid, 'SIGTERM');
    expect(await running.result).toMatchObject({ exitCode: null, signalName: 'SIGTERM', endedBy: 'signal' });
  });

  test('puts its things in order when it is asked to end', async () => {
    const transcript = new Transcript();
    const running = await start('ends-politely.mjs', [], { onStdout: transcript.add, containment });
    await transcript.until((text) => text.includes('up'));
    await running.end();
    expect(await running.result).toMatchObject({ exitCode: 0, endedBy: 'ended', stdout: 'up\nin order\n' });
  });

  test('says why it can not start, and leaves nothing behind', async () => {
    const home = mkdtempSync(join(tmpdir(), 'contained-'));
    const marker = { name: 'SPAWNER_TEST_LEFT', value: randomUUID() };
    vi.stubEnv('TMPDIR', home);
    const fails = (options: SpawnOptions) => expect(spawnProcess({ ...options, containment, marker })).rejects;
    await fails({ command: 'no-such-program' }).toMatchObject({ code: 'SPAWN_PROGRAM_NOT_FOUND' });
    await fails({ command: '/etc/passwd' }).toMatchObject({ code: 'SPAWN_PERMISSION_DENIED' });
    await fails({ command: 'true', cwd: '/no/such' }).toMatchObject({ code: 'SPAWN_DIRECTORY_NOT_FOUND' });
    await (await spawnProcess({ command: 'true', containment, marker })).result;
    expect([readdirSync(home), leftCgroups(markerDigest(marker), [])]).toEqual([[], []]);
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true });
  });

  test.runIf(hasSlots)('starts from a waiting slot', async () => {
    const slots = await openSpawnSlots({ size: 1 });
    const options = { command: 'sh', args: ['-c', 'cat; setsid sleep 1000 & exit 9'], stdin: 'in', slots };
    const running = await spawnProcess({ ...options, containment, graceMs: 0 });
    expect(running.containment).toBe(containment);
    expect(await running.result).toMatchObject({ exitCode: 9, stdout: 'in', survivors: [] });
    await slots.close();
  });

  test('is adopted with what holds it, and ended whole', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'contained-'));
    const directory = join(folder, 'attempt');
    const token = randomUUID();
    const transcript = new Transcript();
    const command = { command: 'sh', args: [programPath('hostile-tree.sh'), token] };
    await startDetached({ ...command, directory, containment, onStdout: transcript.add });
    await hostilePids(transcript, 1, kinds);
    const adopted = await adopt(directory, { graceMs });
    if (adopted.state !== 'running') throw new Error('it had been started');
    expect(adopted.running.containment).toBe(containment);
    await adopted.running.end();
    expect(await adopted.running.result).toMatchObject({ endedBy: 'ended', survivors: [] });
    expect(survivingKinds(token)).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});

describe.runIf(onLinux)('containment', () => {
  test('is refused with every reason when none can be had, and falls back only where that is allowed', async () => {
    const { exitCode, stdout } = await (
      await spawnProcess({ command: process.execPath, args: [programPath('uncontained.mjs')], inheritEnv: [] })
    ).result;
    expect({ exitCode, ...JSON.parse(stdout) }).toEqual({
      ...{ exitCode: 0, code: 'SPAWN_CONTAINMENT_UNAVAILABLE', fallback: 'tree' },
      message: expect.stringMatching(/pidNamespace: `unshare` .* is not on PATH\. Or allow less/),
    });
  });

  test('refuses a level that there is not', async () => {
    for (const containment of ['vm', [], ['tree', 'vm']]) {
      // @ts-expect-error: as a caller without types may.
      await expect(spawnProcess({ command: 'true', containment })).rejects.toThrow(/^containment must/);
    }
  });
});
