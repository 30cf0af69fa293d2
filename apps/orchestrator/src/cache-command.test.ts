import { readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { Project } from '../test/cadre-process.ts';

const small = `name: small
agents:
  say: { adapter: jsonl, command: [node, ./programs/say.mjs] }
tasks:
  first: { agent: say, prompt: One, with: { value: 21 } }
  second: { agent: say, prompt: Two, with: { value: 22 } }
`;

async function json(project: Project, ...args: string[]) {
  const { code, stdout, stderr } = await project.run([...args, '--json']);
  expect(stderr).toBe('');
  return { code, ...JSON.parse(stdout) };
}

describe('cadre cache', () => {
  test('says what is kept, and that nothing is, without making a folder', async () => {
    const project = await Project.make({ 'workflow.yaml': small });
    const before = await readdir(project.folder);
    expect(await project.run(['cache', 'stats'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Nothing is kept in'),
    });
    expect(await readdir(project.folder)).toEqual(before);
    await project.run(['run']);
    expect(await json(project, 'cache', 'stats')).toMatchObject({ code: 0, entries: 2, maxBytes: 1024 ** 3 });
    const { stdout } = await project.run(['cache', 'stats']);
    expect(stdout).toMatch(/^2 results in .*\.cadre\/cache: .* of 1\.0 GiB\.\n$/);
  });

  test('clears, after which the next run does everything again', async () => {
    const project = await Project.make({ 'workflow.yaml': small });
    await project.run(['run']);
    expect(await json(project, 'cache', 'clear')).toMatchObject({ code: 0, entries: 2 });
    expect(await json(project, 'cache', 'stats')).toMatchObject({ entries: 0, bytes: 0 });
    await project.run(['run']);
    expect((await project.read('ran.txt')).split('\n').sort()).toEqual(['', 'One', 'One', 'Two', 'Two']);
  });

  test('finds and removes a result that was altered, and says so by its exit code', async () => {
    const project = await Project.make({ 'workflow.yaml': small });
    await project.run(['run']);
    expect(await json(project, 'cache', 'verify')).toMatchObject({ code: 0, genuine: 2 });
    const names = await readdir(project.path('.cadre', 'cache'), { recursive: true });
    const file = project.path('.cadre', 'cache', names.find((name) => /[0-9a-f]{64}/.test(name)) ?? '');
    const bytes = await readFile(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.byteLength - 1) ^ 1, bytes.byteLength - 1);
    await writeFile(file, bytes);
    // The time of change is the entry's deadline, and 0 none.
    await utimes(file, 0, 0);
    const { code, stdout } = await project.run(['cache', 'verify']);
    expect(code).toBe(1);
    expect(stdout).toContain('1 result not believed (seal 1)');
    expect(await json(project, 'cache', 'verify')).toMatchObject({ code: 0, genuine: 1 });
  });

  test('brings results back that were exported, for a user with the same secret and no other', async () => {
    const one = await Project.make({ 'workflow.yaml': small });
    await one.run(['run']);
    expect(await json(one, 'cache', 'export', 'results.cache')).toMatchObject({ code: 0, entries: 2 });

    const stranger = await Project.make({ 'workflow.yaml': small });
    const refused = await stranger.run(['cache', 'warm', one.path('results.cache')]);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('both machines need the same cache-secret');

    await rm(one.path('.cadre'), { recursive: true });
    await rm(one.path('ran.txt'));
    expect(await json(one, 'cache', 'warm', 'results.cache')).toMatchObject({ code: 0, imported: 2 });
    expect((await one.run(['run'])).stdout).toContain('reused 2 of 2 tasks');
    await expect(one.read('ran.txt')).rejects.toThrow('ENOENT');
  });

  test('names the setting that keeps nothing, and the file that is not there', async () => {
    const project = await Project.make({ 'workflow.yaml': small });
    const nothing = await project.run(['cache', 'stats'], { CADRE_CACHE_DISK_MAX_BYTES: '0' });
    expect(nothing).toMatchObject({ code: 2, stderr: expect.stringContaining('cache.diskMaxBytes') });
    const missing = await project.run(['cache', 'warm', 'no-such-file']);
    expect(missing).toMatchObject({ code: 3, stderr: expect.stringContaining('no-such-file') });
  });
});
