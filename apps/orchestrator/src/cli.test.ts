import { chmod, mkdir, readdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { Project, runIdIn } from '../test/cadre-process.ts';

const small = `name: small
inputs:
  word: { default: hello }
agents:
  say: { adapter: jsonl, command: [node, ./programs/say.mjs] }
  double: { adapter: module, module: ./programs/double.mjs }
tasks:
  first: { agent: say, group: begin, prompt: "Say \${{ inputs.word }}", with: { value: 21 } }
  last:
    agent: double
    group: end
    needs: [first]
    prompt: Double it
    with: { value: "\${{ tasks.first.output.value }}" }
`;

const failing = `name: failing
agents:
  say: { adapter: jsonl, command: [node, ./programs/say.mjs] }
  gone: { adapter: command, command: [no-such-program-at-all] }
tasks:
  good: { agent: say, prompt: Fine }
  bad: { agent: gone, prompt: Try }
  after: { agent: say, needs: [bad], prompt: Never }
`;

describe('cadre run', () => {
  test('runs a workflow, prints its result without escape codes, and reuses all of it the next time', async () => {
    const project = await Project.make({ 'workflow.yaml': small });
    const first = await project.run(['run']);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toMatch(/^\d\d:\d\d:\d\d small started: 2 tasks, run /);
    expect(first.stdout).toContain('first succeeded in');
    expect(first.stdout).toContain('All doubled\n\nname   value\ntwice     42\n');
    expect(first.stdout).toMatch(/succeeded in .* · 2 attempts/);
    expect(first.stdout).not.toContain('\u001b');

    const second = await project.run(['run']);
    expect(second.code).toBe(0);
    expect(second.stdout).toMatch(/reused 2 of 2 tasks \(saved /);
    expect(await project.read('ran.txt')).toBe('Say hello\n');
  });

  test('passes inputs, and runs again what they change', async () => {
    const project = await Project.make({ 'workflow.yaml': small });
    await project.run(['run', '--input', 'word=one']);
    await project.run(['run', '--input', 'word=two']);
    expect(await project.read('ran.txt')).toBe('Say one\nSay two\n');
  });

  test('reuses nothing with --no-cache', async () => {
    const project = await Project.make({ 'workflow.yaml': small });
    await project.run(['run', '--no-cache']);
    await project.run(['run', '--no-cache']);
    expect(await project.read('ran.txt')).toBe('Say hello\nSay hello\n');
  });

  test('prints the journal, line by line, with --json', async () => {
    const project = await Project.make({ 'workflow.yaml': small });
    const { stdout, code } = await project.run(['run', '--json']);
    expect(code).toBe(0);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events).toEqual(await project.journal(runIdIn(stdout)));
    expect(events.at(0)?.type).toBe('runStarted');
    expect(events.at(-1)).toMatchObject({ type: 'runEnded', status: 'succeeded' });
  });

  test('prints the plan with --dry-run, and touches nothing', async () => {
    const project = await Project.make({ 'workflow.yaml': small });
    const before = await readdir(project.folder);
    const { stdout, code } = await project.run(['run', '--dry-run', '--concurrency', '7']);
    expect(code).toBe(0);
    expect(stdout).toContain('at most 7 at once');
    expect(stdout).toMatch(/1 {2}first .*\n.*2 {2}last .*first/);
    expect(await readdir(project.folder)).toEqual(before);
    const { tasks } = JSON.parse((await project.run(['run', '--dry-run', '--json'])).stdout);
    expect(tasks).toMatchObject([
      { id: 'first', needs: [], reusable: true },
      { id: 'last', needs: ['first'], reusable: true },
    ]);
  });

  test('says which task failed, why, where to look and what to type, and exits with 1', async () => {
    const project = await Project.make({ 'workflow.yaml': failing });
    const { stdout, code } = await project.run(['run'], { CADRE_COMMAND_NAME: 'my-cadre' });
    expect(code).toBe(1);
    expect(stdout).toContain('✖ bad programNotFound');
    expect(stdout).toContain('no-such-program-at-all');
    expect(stdout).toMatch(/\.cadre\/runs\/.*\/attempts\/bad\/1/);
    expect(stdout).toContain(`my-cadre resume ${runIdIn(stdout)}`);
    expect(stdout).toContain('my-cadre logs bad');
    expect(stdout).toContain('after skipped: a task it needs failed');
  });

  test('shows every problem of a workflow with its place, exits with 2 and starts nothing', async () => {
    const broken = 'agents: {}\ntasks:\n  a: { agent: nobody, prompt: x, needs: [b] }\n  c: { agnt: x }\n';
    const project = await Project.make({ 'workflow.yaml': broken });
    const { stdout, stderr, code } = await project.run(['run']);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/workflow\.yaml:3:\d+: .*\n.*\n *\^/);
    expect(stderr).toContain('(Did you mean "agent"?)');
    expect(stderr).not.toContain('    at ');
    expect(await readdir(project.folder)).not.toContain('.cadre');
  });

  test.for([
    { name: 'a missing file', args: ['run', 'no.yaml'], says: 'no.yaml does not exist' },
    { name: 'an unknown input', args: ['run', '--input', 'wrod=x'], says: 'Did you mean "word"' },
    { name: 'an input without a value', args: ['run', '--input', 'word'], says: 'expected name=value' },
    { name: 'an unknown option', args: ['run', '--dry'], says: "unknown option '--dry'" },
    { name: 'an unknown command', args: ['rum'], says: 'Did you mean run?' },
    { name: 'a concurrency of none', args: ['run', '--concurrency', '0'], says: 'from 1 to 10,000' },
    { name: 'an unknown profile', args: ['run', '--profile', 'balancd'], says: 'did you mean "balanced"' },
  ])('exits with 2 for $name, and says so', async ({ args, says }) => {
    const project = await Project.make({ 'workflow.yaml': small });
    const { stderr, code } = await project.run(args);
    expect(code).toBe(2);
    expect(stderr).toContain(says);
    expect(await readdir(project.folder)).not.toContain('.cadre');
  });

  test('exits with 2 for a wrong setting, and names its place', async () => {
    const project = await Project.make({ 'workflow.yaml': small, 'cadre.config.yaml': 'concurrency: many\n' });
    const { stderr, code } = await project.run(['run']);
    expect(code).toBe(2);
    expect(stderr).toContain('cadre.config.yaml:1:14');
  });

  test('warns of a variable that names no setting', async () => {
    const project = await Project.make({ 'workflow.yaml': small });
    const { stderr, code } = await project.run(['run'], { CADRE_CONCURENCY: '3' });
    expect(code).toBe(0);
    expect(stderr).toContain('did you mean CADRE_CONCURRENCY?');
  });

  test('exits with 3 where the project can not be written, and runs without a cache where only that is so', async () => {
    const project = await Project.make({ 'workflow.yaml': small, file: 'no folder' });
    const unwritable = await project.run(['run', '--no-cache', '--project', 'file']);
    expect(unwritable.code).toBe(3);
    expect(unwritable.stderr).toContain("can't be written");
    const { code, stderr } = await project.run(['run'], { XDG_STATE_HOME: project.path('file') });
    expect(code).toBe(0);
    expect(stderr.match(/Results can't be reused/g)).toHaveLength(1);
  });

  test('shows no stack, unless CADRE_DEBUG=1 asks for it', async () => {
    const project = await Project.make();
    expect((await project.run(['run'])).stderr).not.toContain('    at ');
    expect((await project.run(['run'], { CADRE_DEBUG: '1' })).stderr).toContain('    at ');
  });
});

describe('cadre status and logs', () => {
  test('show the runs, one run by task, and what an agent was asked and said', async () => {
    const project = await Project.make({ 'workflow.yaml': small });
    expect((await project.run(['status'])).stdout).toContain('There are no runs');
    const id = runIdIn((await project.run(['run'])).stdout);

    const list = await project.run(['status']);
    expect(list.stdout).toMatch(new RegExp(`${id} +small +succeeded +2/2`));
    expect(JSON.parse((await project.run(['status', '--json'])).stdout)).toMatchObject({
      runs: [{ id, status: 'succeeded', tasks: 2, settled: 2, attempts: 2 }],
    });
    const one = await project.run(['status', id.slice(-4)]);
    expect(one.stdout).toMatch(/✔ begin {2}1\/1\n│ ✔ first/);

    const events = await project.run(['logs']);
    expect(events.stdout).toContain('last succeeded in');
    expect((await project.run(['logs', '--follow'])).stdout).toBe(events.stdout);
    const task = await project.run(['logs', 'first']);
    expect(task.stdout).toContain('asked\n  Say hello\n');
    expect(task.stdout).toContain('said\n  I was asked: Say hello\n');
    expect(task.stdout).toContain('"value": 21');
    expect((await project.run(['logs', id, 'first', '--raw'])).stdout).toContain('{"type":"text"');
    expect(JSON.parse((await project.run(['logs', 'last', '--json'])).stdout)).toMatchObject({
      task: 'last',
      output: { headline: 'All doubled' },
    });
  });

  test.for([
    { args: ['status', '1999'], says: 'There is no run 1999', code: 4 },
    { args: ['logs'], says: 'There are no runs', code: 4 },
    { args: ['resume'], says: 'There are no runs', code: 4 },
    { args: ['cancel', 'x'], says: 'There is no run x', code: 4 },
  ])('$args exit with 4 when there is no such run', async ({ args, says, code }) => {
    const project = await Project.make();
    const result = await project.run(args);
    expect(result.stderr).toContain(says);
    expect(result.code).toBe(code);
  });

  test('exit with 2 for a task that the run does not have', async () => {
    const project = await Project.make({ 'workflow.yaml': small });
    await project.run(['run']);
    expect(await project.run(['logs', 'frist'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('first, last'),
    });
  });
});

describe('cadre resume', () => {
  test('tries failed tasks again and keeps the others', async () => {
    const project = await Project.make({ 'workflow.yaml': failing });
    const id = runIdIn((await project.run(['run', '--no-cache'])).stdout);
    await project.write('bin/no-such-program-at-all', '#!/bin/sh\ncat\n');
    await chmod(project.path('bin/no-such-program-at-all'), 0o755);
    const resumed = await project.run(['resume', '--no-cache', '--json'], {
      PATH: `${project.path('bin')}:${process.env.PATH ?? ''}`,
    });
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.stdout.slice(0, resumed.stdout.indexOf('\n')))).toMatchObject({ type: 'runResumed' });
    expect(await project.read('ran.txt')).toBe('Fine\nNever\n');
    expect(await project.run(['resume'])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('nothing to resume'),
    });
    expect(await project.run(['resume', id])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('has succeeded'),
    });
  });
});

describe('cadre init', () => {
  test('writes a workflow that runs, with its schema, and overwrites nothing', async () => {
    const project = await Project.make();
    await mkdir(project.path('.git'));
    const { stdout, code } = await project.run(['init'], { CADRE_COMMAND_NAME: 'cadre' });
    expect(code).toBe(0);
    expect(stdout).toContain('Next: cadre run\n');
    expect(await project.read('workflow.yaml')).toMatch(
      /^# yaml-language-server: \$schema=\.cadre\/workflow\.schema\.json\n/,
    );
    expect(JSON.parse(await project.read('.cadre/workflow.schema.json'))).toHaveProperty('properties.tasks');
    expect(await project.read('.gitignore')).toBe('.cadre/\n');
    const run = await project.run(['run']);
    expect(run.stdout).toMatch(/workflow\.yaml has \d+ words in \d+ lines\./);
    expect(run.code).toBe(0);
    const again = await project.run(['init']);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('is there already');
  });
});

describe('cadre doctor', () => {
  test('finds a machine fit to run, and says as JSON what it saw', async () => {
    const project = await Project.make();
    const { code, stdout } = await project.run(['doctor', '--json']);
    const { healthy, checks } = JSON.parse(stdout);
    expect({ code, healthy }).toEqual({ code: 0, healthy: true });
    expect(checks.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['node', 'git', 'project', 'state', 'lock', 'processes', 'claude', 'runs']),
    );
    expect(await readdir(project.folder)).toEqual(['programs']);
  });

  test('exits with 1 and says what to do when the project can not be written', async () => {
    const project = await Project.make({ file: 'no folder' });
    const { code, stdout } = await project.run(['doctor', '--project', 'file']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/✖ project .* can't be written/);
    expect(stdout).toContain('give write access');
  });
});

describe('cadre config explain', () => {
  test('says which layer set a value and what that hid', async () => {
    const project = await Project.make({ 'cadre.config.yaml': 'profile: ci\ncache: { diskMaxBytes: 1000 }\n' });
    const { stdout, code } = await project.run(['config', 'explain', 'cache.diskMaxBytes']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /cache\.diskMaxBytes = 1000\n {2}set by .*cadre\.config\.yaml:2:\d+\n {2}hides .* from profile "ci"/,
    );
    const all = JSON.parse((await project.run(['config', 'explain', '--json'], { CADRE_CONCURRENCY: '9' })).stdout);
    expect(all.entries).toContainEqual(
      expect.objectContaining({ path: 'concurrency', value: 9, variable: 'CADRE_CONCURRENCY' }),
    );
    expect(await project.run(['config', 'explain', 'nothing'])).toMatchObject({ code: 2 });
  });
});

describe('cadre --help', () => {
  test('lists the commands and every exit code', async () => {
    const project = await Project.make();
    const { stdout, code } = await project.run(['--help']);
    expect(code).toBe(0);
    for (const name of ['run', 'resume', 'status', 'logs', 'cancel', 'doctor', 'init', 'config']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    }
    for (const exitCode of [0, 1, 2, 3, 4, 70, 129, 130, 141, 143]) {
      expect(stdout).toMatch(new RegExp(`^ +${exitCode} {2}`, 'm'));
    }
  });
});
