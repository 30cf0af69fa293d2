/** What a task may take, held by real programs. */
import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCache } from '@cadre/cache';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defineWorkflow, type LimitsInput } from './define.ts';
import { localExecutor } from './local-executor.ts';
import { startRun } from './run.ts';
import { taskState } from './state.ts';

let directory: string;
const executor = localExecutor({ graceMs: 100 });
const cache = createCache();
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cadre-limits-'));
});
afterAll(async () => {
  await executor.close();
  await cache.close();
  await rm(directory, { recursive: true });
});

describe('limits of a task', () => {
  // Without the limit it goes on until the machine has no more.
  test('ends a program that takes more memory, and does not try it again', async () => {
    const hoard = 'const all = []; setInterval(() => all.push(Buffer.alloc(16 * 2 ** 20, 1)), 5)';
    const { phase, tries, failure } = await settled(['node', '-e', hoard], { memory: '200MiB' });
    expect(phase).toBe('failed');
    expect(tries).toBe(1);
    expect(failure).toMatchObject({ reason: 'memory', message: expect.stringContaining('raise the limit') });
  });

  test('ends a program that prints more', async () => {
    const { phase, tries, failure } = await settled(['yes'], { output: '1MiB' });
    expect([phase, tries, failure?.reason]).toEqual(['failed', 1, 'badOutput']);
  });

  test.runIf(process.platform === 'linux')('keeps a program to its processors', async () => {
    const own = /Cpus_allowed_list:\s*(\d+)/.exec(await readFile('/proc/self/status', 'utf8'))?.[1];
    const { output } = await settled(['sh', '-c', 'grep Cpus_allowed_list /proc/self/status'], { cpus: [Number(own)] });
    expect(String(output).split('\t')[1]?.trim()).toBe(own);
  });

  test.runIf(process.platform === 'linux')('holds a program in a namespace of its own', async (context) => {
    if (spawnSync('unshare', ['--pid', '--fork', 'true']).status !== 0) context.skip('no PID namespaces here');
    const { output } = await settled(['readlink', '/proc/self/ns/pid'], { containment: ['pidNamespace', 'tree'] });
    expect(output).toMatch(/^pid:\[\d+\]/);
    expect(String(output).trim()).not.toBe(readlinkSync('/proc/self/ns/pid'));
  });

  test('are those of the defaults where the task has none, one by one', async () => {
    const { failure } = await settled(['yes'], { memory: '1GiB' }, { output: '1MiB', memory: '1KiB' });
    expect(failure?.reason).toBe('badOutput');
  });
});

async function settled(command: readonly string[], limits: LimitsInput, defaults: LimitsInput = {}) {
  const workflow = defineWorkflow(
    {
      name: 'limited',
      agents: { program: { adapter: 'command', command: [...command] } },
      ...(Object.keys(defaults).length > 0 && { defaults: { limits: defaults } }),
      tasks: { one: { agent: 'program', cache: false, limits } },
    },
    { directory },
  );
  const run = await startRun({ workflow, inputs: {}, executor, cache, projectDirectory: join(directory, '.cadre') });
  const state = await run.finished;
  const { phase, tries, failure } = taskState(state, 'one') ?? {};
  return { phase, tries, failure, output: phase === 'succeeded' ? await run.result() : undefined };
}
