import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import {
  endByToken,
  fiercerKinds,
  hostileKinds,
  hostilePids,
  lives,
  missingContainment,
  onLinux,
  programPath,
  start,
  survivingKinds,
  Transcript,
} from '../test/programs.ts';
import { markerDigest } from './container.ts';
import type { ProcessMarker } from './environment.ts';
import { sweep } from './sweep.ts';

const soaking = process.env.CADRE_SOAK !== undefined;
const fierceEscapes = ['escaped', 'relay'];

describe.runIf(onLinux)('sweep', { timeout: soaking ? 300_000 : 30_000 }, () => {
  const trees = 4;

  // Seen to find nobody without the environment: the parent is dead, and every tree has a session of its own.
  test('ends what a killed parent left, found by its marker', async () => {
    const marker = { name: 'SPAWNER_TEST_SWEEP', value: randomUUID() };
    const transcript = new Transcript();
    const args = [programPath('crashing-parent.mjs'), marker.name, marker.value, String(trees)];
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    parent.stdout.on('data', transcript.add);
    const pids = [...(await hostilePids(transcript, trees)).values()].flat();
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    expect(pids.filter(lives)).toHaveLength(trees * hostileKinds.length);

    const report = await sweep({ marker, graceMs: 20 });
    expect(pids.filter(lives)).toEqual([]);
    expect(report.survivors).toEqual([]);
    expect(report.ended.map(({ pid }) => pid)).toEqual(expect.arrayContaining(pids));
    expect(await sweep({ marker })).toEqual({ ended: [], survivors: [] });
  });

  describe.for([
    ['group', fierceEscapes],
    ['tree', fierceEscapes],
    ['cgroup', []],
    ['pidNamespace', []],
  ] as const)('of hostile trees contained by %s', ([level, mayEscape]) => {
    let token: string;
    afterEach(() => endByToken(token));

    // Without its containers it was seen to leave what had cleared its environment in a cgroup.
    test.for(['marker', 'identities'] as const)('ends what a killed parent left, found by %s', async (by, context) => {
      token = randomUUID();
      const missing = await missingContainment(level);
      if (missing !== undefined) context.skip(missing);
      const kinds = [...hostileKinds, ...fiercerKinds];
      const faults = soaking ? 25 : 1;
      const survived = new Set<string>();
      for (let fault = 0; fault < faults; fault += 1) {
        const marker = { name: 'SPAWNER_TEST_SWEEP', value: randomUUID() };
        const transcript = new Transcript();
        const args = [programPath('crashing-parent.mjs'), marker.name, marker.value, '1', level, token];
        const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
        parent.stdout.on('data', transcript.add);
        await hostilePids(transcript, 1, kinds);
        const text = await transcript.until((seen) => /^identity .*\n/m.test(seen));
        const [, pid, startTime = ''] = /^identity (\d+) (.*)$/m.exec(text) ?? [];
        parent.kill('SIGKILL');
        await once(parent, 'exit');
        expect(survivingKinds(token, 200)).toEqual(kinds.toSorted());
        const folders = startFolders(marker);
        expect(folders).toHaveLength(level === 'pidNamespace' ? 1 : 0);
        const found = by === 'marker' ? { marker } : { identities: [{ pid: Number(pid), startTime }] };
        const report = await sweep({ ...found, graceMs: 20 });
        for (const kind of survivingKinds(token)) survived.add(kind);
        if (mayEscape.length === 0) expect(report.survivors).toEqual([]);
        expect(folders.filter((folder) => existsSync(folder))).toEqual([]);
        await sweep({ marker, graceMs: 0 });
        endByToken(token);
      }
      // By identity alone no environment is known: double forks escape the lower levels.
      const unknown = by === 'marker' || mayEscape.length === 0 ? [] : ['orphan', 'deaf', 'hydra'];
      const allowed = new Set<string>([...mayEscape, ...unknown]);
      expect([...survived].filter((kind) => !allowed.has(kind))).toEqual([]);
    });
  });

  test('takes a marker only for exactly itself', async () => {
    const value = randomUUID();
    const env = { MARK: `${value}x`, OTHER: `MARK=${value}`, MARKED: value };
    const decoy = await start('hangs.mjs', [], { env, marker: { name: 'XMARK', value } });
    expect(await sweep({ marker: { name: 'MARK', value }, graceMs: 0 })).toEqual({ ended: [], survivors: [] });
    expect(lives(decoy.identity.pid)).toBe(true);
    await decoy.end({ graceMs: 0 });
  });

  test('ends a named process, and lets a later holder of a named pid live', async () => {
    const [named, other] = await Promise.all([start('hangs.mjs'), start('hangs.mjs')]);
    const identities = [named.identity, { ...other.identity, startTime: named.identity.startTime.replace(/.$/, 'x') }];
    const report = await sweep({ identities, graceMs: 0 });
    expect(report).toEqual({ ended: [named.identity], survivors: [] });
    expect(lives(other.identity.pid)).toBe(true);
    await other.end({ graceMs: 0 });
  });

  test('refuses a marker that somebody might share by accident', async () => {
    await expect(sweep({ marker: { name: 'M', value: '1' } })).rejects.toThrow(/^marker.value must have at least 16/);
  });

  test('has nothing to do when asked for nothing', async () => {
    expect(await sweep({})).toEqual({ ended: [], survivors: [] });
  });
});

/** The folders that the first processes of namespaces with this marker were started from. */
function startFolders(marker: ProcessMarker): readonly string[] {
  const name = `spawner-namespace-${markerDigest(marker)}\0`;
  const commands = readdirSync('/proc').map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    } catch {
      // Not a process, or gone meanwhile.
      return '';
    }
  });
  const first = commands.filter((command) => command.startsWith('/bin/sh\0') && command.includes(name));
  return first.flatMap((command) => /[^\0]*spawner-start-\w+/.exec(command) ?? []);
}
