/** What happens to a run that is stopped from outside, and to its agents. */
import { identifyProcess, isProcessAlive, type ProcessIdentity } from '@cadre/spawner';
import { describe, expect, test } from 'vitest';
import { Project, runIdIn, type Started } from '../test/cadre-process.ts';

const workflow = (argument: string) => `name: held
agents:
  say: { adapter: jsonl, command: [node, ./programs/say.mjs] }
  wait: { adapter: jsonl, command: [node, ./programs/wait.mjs, ${argument}] }
tasks:
  first: { agent: say, prompt: Fine }
  held: { agent: wait, needs: [first], prompt: Wait }
`;

interface Held {
  readonly project: Project;
  readonly run: Started;
  readonly agent: ProcessIdentity;
}

/** A run whose second task is under way and never ends by itself. */
async function startHeld(argument = 'meek'): Promise<Held> {
  const project = await Project.make({ 'workflow.yaml': workflow(argument) });
  const run = project.start(['run', '--no-cache']);
  await run.printed('held started');
  await project.appeared('waiting.pid');
  const agent = await identifyProcess(Number(await project.read('waiting.pid')));
  if (agent === undefined) throw new Error('The agent is gone before its time.');
  return { project, run, agent };
}

async function expectResumable(project: Project, id: string): Promise<void> {
  await project.write('release', '');
  const resumed = await project.run(['resume', '--no-cache']);
  expect(resumed).toMatchObject({ code: 0, stdout: expect.stringContaining('released') });
  const starts = (await project.journal(id)).filter(({ type, task }) => type === 'attemptStarted' && task === 'first');
  expect(starts).toHaveLength(1);
}

describe('a run that is interrupted', () => {
  test('ends its agents at the first ctrl-C, says how to resume, and goes on from there', async () => {
    const { project, run, agent } = await startHeld();
    run.child.kill('SIGINT');
    const { code, stdout } = await run.finished;
    expect(code).toBe(130);
    const id = runIdIn(stdout);
    expect(stdout).toContain(`resume ${id}`);
    expect(await isProcessAlive(agent)).toBe(false);
    expect((await project.journal(id)).at(-1)).toMatchObject({ type: 'runEnded', status: 'interrupted' });
    await expectResumable(project, id);
  });

  test('kills agents that take their time at the second ctrl-C', async () => {
    const { project, run, agent } = await startHeld('stubborn');
    run.child.kill('SIGINT');
    await run.printed('Stopping');
    // One that comes at once is taken for an echo of the first; a person presses again.
    const press = setInterval(() => run.child.kill('SIGINT'), 50);
    await run.printed('Killing').finally(() => clearInterval(press));
    const { code, stdout } = await run.finished;
    expect(code).toBe(130);
    expect(await isProcessAlive(agent)).toBe(false);
    await expectResumable(project, runIdIn(stdout));
  });

  test.for([
    { signal: 'SIGTERM', code: 143, status: 'cancelled' },
    { signal: 'SIGHUP', code: 129, status: 'interrupted' },
  ] as const)('is $status by $signal', async ({ signal, code, status }) => {
    const { project, run, agent } = await startHeld();
    run.child.kill(signal);
    const finished = await run.finished;
    expect(finished.code).toBe(code);
    expect(await isProcessAlive(agent)).toBe(false);
    expect((await project.journal(runIdIn(finished.stdout))).at(-1)).toMatchObject({ type: 'runEnded', status });
  });

  test('stops quietly when nobody reads its output any more', async () => {
    const { project, run, agent } = await startHeld();
    const id = runIdIn((await project.run(['status'])).stdout);
    run.child.stdout.destroy();
    // It notices at its next line: the agent's end.
    process.kill(agent.pid, 'SIGKILL');
    const { code, stderr } = await run.finished;
    expect({ code, stderr }).toEqual({ code: 141, stderr: '' });
    expect((await project.journal(id)).at(-1)).toMatchObject({ type: 'runEnded', status: 'interrupted' });
  });
});

describe('cadre cancel', () => {
  test('ends a run that another process works on', async () => {
    const { project, run, agent } = await startHeld();
    const cancelled = await project.run(['cancel']);
    expect(cancelled).toMatchObject({ code: 0, stdout: expect.stringContaining('is cancelled') });
    expect((await run.finished).code).toBe(143);
    expect(await isProcessAlive(agent)).toBe(false);
    expect((await project.run(['cancel'])).stdout).toContain('is over already (cancelled)');
  });

  test('ends what a crashed run left behind; until then status and doctor tell of it', async () => {
    const { project, run, agent } = await startHeld();
    const active = await project.run(['resume']);
    expect(active).toMatchObject({ code: 4, stderr: expect.stringContaining('another process') });
    expect((await project.run(['status'])).stdout).toMatch(/held +running +1\/2/);

    run.child.kill('SIGKILL');
    await run.finished;
    expect(await isProcessAlive(agent)).toBe(true);
    expect((await project.run(['status'])).stdout).toMatch(/held +crashed +1\/2/);
    const sick = await project.run(['doctor']);
    expect(sick).toMatchObject({ code: 1, stdout: expect.stringContaining('crashed: go on with') });
    const { stdout, code } = await project.run(['cancel', '--json']);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, was: 'crashed', ended: 1 });
    expect(await isProcessAlive(agent)).toBe(false);
    expect((await project.run(['doctor'])).code).toBe(0);
  });
});
