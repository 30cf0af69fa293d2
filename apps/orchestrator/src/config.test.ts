import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Project } from '../test/cadre-process.ts';

const untrusted = 'concurrency: 3\nenvironment: { ANTHROPIC_BASE_URL: "https://elsewhere" }\n';
const notesItsVariable = `name: variables
agents:
  show: { adapter: command, command: &note [sh, -c, 'cat; echo "[$ANTHROPIC_BASE_URL]" >> seen.txt'] }
  own: { adapter: command, command: *note, environment: { ANTHROPIC_BASE_URL: mine } }
tasks:
  first: { agent: show, prompt: Show }
  second: { agent: own, needs: [first], prompt: Show }
`;

describe('cadre config trust', () => {
  test('shows what a project would set, trusts exactly that, and takes it back', async () => {
    const project = await Project.make({ 'app/cadre.config.yaml': untrusted });
    const digest = createHash('sha256').update(untrusted).digest('hex');
    const file = project.path('app', 'cadre.config.yaml');

    const shown = await project.run(['config', 'trust', 'app']);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toContain('2:14  environment = {"ANTHROPIC_BASE_URL":"https://elsewhere"}');
    expect(shown.stdout).toContain(`config trust app --accept ${digest}`);
    const before = await project.run(['config', 'explain', 'environment', '--project', 'app', '--show-secrets']);
    expect(before.stdout).toContain('environment = {}');
    expect(before.stdout).toMatch(/refuses .*elsewhere.* from .*cadre\.config\.yaml:2:\d+: only you may set this/);
    expect(before.stderr).toContain('config trust`');

    expect(await project.run(['config', 'trust', 'app', '--accept', 'f'.repeat(64)])).toMatchObject({ code: 2 });
    expect((await project.run(['config', 'trust', 'app', '--accept', digest])).stdout).toContain('Trusted: ');
    const masked = await project.run(['config', 'explain', 'environment', '--project', 'app']);
    expect(masked.stdout).toMatch(/environment\.ANTHROPIC_BASE_URL = "\*\*\*"\n {2}set by .*cadre\.config\.yaml:2:\d+/);
    const after = await project.run(['config', 'explain', 'environment', '--project', 'app', '--show-secrets']);
    expect(after).toMatchObject({ code: 0, stderr: '' });
    expect(after.stdout).toMatch(/"https:\/\/elsewhere"\n {2}set by .*cadre\.config\.yaml:2:\d+/);
    expect(JSON.parse((await project.run(['config', 'trust', '--list', '--json'])).stdout)).toMatchObject([
      { file, state: 'trusted' },
    ]);

    await project.write('app/cadre.config.yaml', `${untrusted}# changed\n`);
    expect((await project.run(['config', 'explain', 'environment', '--project', 'app'])).stdout).toContain(
      'has changed since',
    );
    expect((await project.run(['config', 'untrust', 'app'])).stdout).toContain(`No longer trusted: ${file}`);
    expect((await project.run(['config', 'trust', '--list'])).stdout).toBe('No settings file is trusted.\n');
  });

  test('is needed before a run gives agents the variables of a project', async () => {
    const project = await Project.make({ 'app/cadre.config.yaml': untrusted, 'app/workflow.yaml': notesItsVariable });
    const before = await project.run(['run', 'app/workflow.yaml', '--no-cache', '--project', 'app']);
    expect(before.stderr).toContain('environment was ignored');
    expect(await project.read('app/seen.txt')).toBe('[]\n[mine]\n');
    const digest = createHash('sha256').update(untrusted).digest('hex');
    await project.run(['config', 'trust', 'app', '--accept', digest]);
    const after = await project.run(['run', 'app/workflow.yaml', '--no-cache', '--project', 'app']);
    expect(after).toMatchObject({ code: 0, stderr: '' });
    expect(await project.read('app/seen.txt')).toBe('[]\n[mine]\n[https://elsewhere]\n[mine]\n');
  });

  test('says when there is nothing to trust', async () => {
    const project = await Project.make();
    expect(await project.run(['config', 'trust'])).toMatchObject({ code: 2 });
    await project.write('cadre.config.yaml', 'concurrency: 3\n');
    expect((await project.run(['config', 'trust'])).stdout).toContain('sets nothing that needs trust');
  });
});

describe('cadre config profiles', () => {
  test('gives every value of every profile with its reason, and marks the chosen one', async () => {
    const project = await Project.make({ 'cadre.config.yaml': 'profile: low-cost\n' });
    const { stdout, code } = await project.run(['config', 'profiles']);
    expect(code).toBe(0);
    for (const name of ['high-performance', 'balanced', 'memory-constrained', 'cpu-constrained', 'ci']) {
      expect(stdout).toMatch(new RegExp(`^${name}: `, 'm'));
    }
    expect(stdout).toContain('low-cost (chosen): ');
    expect(stdout).toMatch(/cache\.diskMaxBytes +20 GiB {2}disk costs less than tokens/);
    const [ci] = JSON.parse((await project.run(['config', 'profiles', 'ci', '--json'])).stdout);
    expect(ci).toMatchObject({ name: 'ci', chosen: false, settings: { graceMs: 2_000 } });
    expect(Object.keys(ci.reasons)).toHaveLength(5);
    expect(await project.run(['config', 'profiles', 'fast'])).toMatchObject({ code: 2 });
  });
});

describe('cadre config explain', () => {
  test('gives the reason for what a profile set, and what was read', async () => {
    const project = await Project.make({ 'cadre.config.toml': 'profile = "ci"\n' });
    const { stdout } = await project.run(['config', 'explain']);
    expect(stdout).toContain('set by profile "ci": hosted runners have two to four cores');
    expect(stdout).toMatch(/^ {2}project +\/.*cadre\.config\.toml$/m);
    const { stdout: json } = await project.run(['config', 'explain', 'profile', '--json']);
    expect(JSON.parse(json)).toMatchObject({
      value: 'ci',
      origin: { layer: 'project', file: project.path('cadre.config.toml'), line: 1, column: 11 },
    });
  });
});
