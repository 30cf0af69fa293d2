import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { hostileKinds, hostilePids, lives, onLinux, programPath, start, Transcript } from '../test/programs.ts';
import { sweep } from './sweep.ts';

describe.runIf(onLinux)('sweep', () => {
  const trees = 4;

  // Ending the parent's group or its tree finds nothing here: the parent is dead and every tree has its own session.
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
