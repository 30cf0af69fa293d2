import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isProcessAlive, type ProcessIdentity } from '@cadre/spawner';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AgentDefinition, AgentTask } from './definition.ts';
import type { AgentEvent } from './event.ts';
import { adoptAgent, runAgent } from './run-agent.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'agents-test-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Counts to three, a step for each line of `steps` that somebody else appends, and says so. */
const counting = `
  n=0; read -r task
  while [ $n -lt 3 ]; do
    n=$((n + 1)); until [ "$(cat steps 2>/dev/null | wc -l)" -ge $n ]; do sleep 0.01; done
    echo "{\\"type\\":\\"progress\\",\\"done\\":$n,\\"total\\":3,\\"message\\":\\"$SECRET_TOKEN\\"}"
  done
  echo '{"type":"result","output":{"counted":3}}'`;
const agent: AgentDefinition = {
  adapter: 'jsonl',
  command: ['sh', '-c', counting],
  environment: { SECRET_TOKEN: 'sk-canary-0123456789' },
};

describe.skipIf(process.platform !== 'linux')('adoptAgent', () => {
  const place = () => ({ detachedDirectory: join(directory, 'attempt', 'process') });
  const task = (): AgentTask => ({ prompt: 'count', cwd: directory, attemptDirectory: join(directory, 'attempt') });
  const step = () => appendFile(join(directory, 'steps'), 'go\n');

  /** As an earlier process did, until it was killed in the middle of the attempt. */
  const beginAndDie = async (): Promise<ProcessIdentity> => {
    const program = fileURLToPath(new URL('../test/programs/run-agent.mjs', import.meta.url));
    const args = [program, JSON.stringify(agent), JSON.stringify(task()), place().detachedDirectory];
    const runner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [identity] = await once(createInterface({ input: runner.stdout }), 'line');
    await step();
    runner.kill('SIGKILL');
    await once(runner, 'exit');
    return JSON.parse(identity);
  };

  const adopt = async (signal?: AbortSignal) => {
    const events: AgentEvent[] = [];
    const outcome = await adoptAgent(agent, task(), {
      ...place(),
      secrets: ['sk-canary-0123456789'],
      ...(signal && { signal }),
      onEvent: (event) => {
        events.push(event);
        if (event.type === 'progress' && event.done < 3) void step();
      },
    });
    return { outcome, events };
  };

  test('takes up a program whose runner was killed, with all it has said and will say', async () => {
    const identity = await beginAndDie();
    expect(await isProcessAlive(identity)).toBe(true);
    const { outcome, events } = await adopt();
    expect(outcome).toMatchObject({ status: 'succeeded', output: { counted: 3 }, exitCode: 0 });
    expect(events.flatMap((event) => (event.type === 'progress' ? [event.done] : []))).toEqual([1, 2, 3]);
    expect(events.at(-1)).toMatchObject({ type: 'settled' });
    expect(JSON.stringify(events)).not.toContain('canary');
    expect(await readFile(join(directory, 'attempt', 'stdout.raw'), 'utf8')).not.toContain('canary');
    expect(await isProcessAlive(identity)).toBe(false);
  });

  test('gives the outcome of a program that has ended meanwhile, again and again', async () => {
    const identity = await beginAndDie();
    await step();
    await step();
    while (await isProcessAlive(identity)) await new Promise(setImmediate);
    for (let round = 0; round < 2; round += 1) {
      const { outcome, events } = await adopt();
      expect(outcome).toMatchObject({ status: 'succeeded', output: { counted: 3 } });
      expect(events.filter(({ type }) => type === 'progress')).toHaveLength(3);
    }
  });

  test('ends a program where it may not go on', async () => {
    const identity = await beginAndDie();
    const { outcome } = await adopt(AbortSignal.abort());
    expect(outcome).toMatchObject({ status: 'failed', reason: 'cancelled' });
    expect(await isProcessAlive(identity)).toBe(false);
  });

  test('knows a program that never ran, and one that never will', async () => {
    expect((await adopt()).outcome).toBeUndefined();
    mkdirSync(place().detachedDirectory, { recursive: true });
    expect((await adopt()).outcome).toBeUndefined();
    const module: AgentDefinition = { adapter: 'module', module: '/nowhere.mjs' };
    expect(await adoptAgent(module, task(), place())).toBeUndefined();
  });

  test('leaves what the program printed until its caller has noted the outcome', async () => {
    const command = ['sh', '-c', 'cat >/dev/null; echo done'];
    const outcome = await runAgent({ adapter: 'command', command }, task(), place());
    expect(outcome).toMatchObject({ status: 'succeeded', text: 'done' });
    expect(existsSync(join(place().detachedDirectory, 'stdout'))).toBe(true);
  });
});
