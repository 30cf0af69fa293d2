import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, describe, expect, test } from 'vitest';
import { hostileKinds, hostilePids, lives, onLinux, programPath, start, Transcript } from '../test/programs.ts';
import { identifyProcess } from './process-table.ts';
import { sweep } from './sweep.ts';
import { endProcessTree } from './terminate.ts';

const marker = { name: 'SPAWNER_TEST_TERMINATE', value: randomUUID() };
const graceMs = 20;
const rounds = 8;

/** A tree started the plain way, in a group of its own, so that each level of ending can be tried on it alone. */
async function plainHostileTree(): Promise<{ child: ChildProcess; pids: ReadonlyMap<string, readonly number[]> }> {
  const transcript = new Transcript();
  const env = { PATH: process.env.PATH ?? '', [marker.name]: marker.value };
  const child = spawn('sh', [programPath('hostile-tree.sh')], {
    detached: true,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout?.on('data', transcript.add);
  return { child, pids: await hostilePids(transcript) };
}

function survivors(pids: ReadonlyMap<string, readonly number[]>): readonly string[] {
  return [...pids]
    .filter(([, group]) => group.some(lives))
    .map(([kind]) => kind)
    .sort();
}

describe.runIf(onLinux)('ending hostile trees', () => {
  afterAll(async () => {
    expect(await sweep({ marker, graceMs: 0 })).toEqual({ ended: [], survivors: [] });
  });

  test(`by process group leaves whatever called setsid, in ${rounds} of ${rounds} trees`, async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { child, pids } = await plainHostileTree();
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await once(child, 'exit');
      expect(survivors(pids)).toEqual(expect.arrayContaining(['deaf', 'orphan', 'session']));
      await sweep({ marker, graceMs: 0 });
      expect(survivors(pids)).toEqual([]);
    }
  });

  test(`by tree snapshot leaves only those whose parents had died before, in ${rounds} of ${rounds} trees`, async () => {
    for (let round = 0; round < rounds; round += 1) {
      const { child, pids } = await plainHostileTree();
      const identity = await identifyProcess(child.pid ?? 0);
      if (identity === undefined) throw new Error('the tree was gone before it was ended');
      const report = await endProcessTree(identity, { graceMs });
      expect(survivors(pids)).toEqual(['deaf', 'orphan']);
      expect(report.survivors).toEqual([]);
      expect(report.ended).toHaveLength(4);
      await sweep({ marker, graceMs: 0 });
    }
  });

  test(`by everything spawnProcess knows leaves nobody, in ${rounds * 2} trees`, async () => {
    let faults = 0;
    for (let round = 0; round < rounds * 2; round += 1) {
      const transcript = new Transcript();
      const running = await start('hostile-tree.sh', [], { onStdout: transcript.add, marker, graceMs, drainMs: 5 });
      const pids = await hostilePids(transcript);
      faults += survivors(pids).length;
      // Every other tree loses its root first, so that its own exit is what reveals the rest.
      if (round % 2 === 0) await running.end();
      else process.kill(running.identity.pid, 'SIGKILL');
      const result = await running.result;
      expect(survivors(pids)).toEqual([]);
      expect(result.survivors).toEqual([]);
      expect(result.leftBehind).toHaveLength(round % 2 === 0 ? 0 : hostileKinds.length - 1);
    }
    expect(faults).toBe(rounds * 2 * hostileKinds.length);
  });
});

describe('endProcessTree', () => {
  test('lets a later holder of the pid live', async () => {
    const running = await start('hangs.mjs');
    const earlier = { pid: running.identity.pid, startTime: 'long ago' };
    expect(await endProcessTree(earlier, { graceMs: 0 })).toEqual({ ended: [], survivors: [] });
    expect(lives(running.identity.pid)).toBe(true);
    await running.end({ graceMs: 0 });
  });

  test('never signals its own process or those it descends from', async () => {
    const [own, parent] = await Promise.all([identifyProcess(process.pid), identifyProcess(process.ppid)]);
    for (const identity of [own, parent]) {
      if (identity === undefined) throw new Error('a living process has no identity');
      const report = await sweep({ identities: [identity], graceMs: 0 });
      expect(report.survivors).toEqual([]);
      expect(report.ended).not.toContainEqual(identity);
    }
  });

  test('refuses a negative grace', async () => {
    await expect(endProcessTree({ pid: 1, startTime: '' }, { graceMs: -1 })).rejects.toThrow(/^graceMs must/);
  });
});
