import { describe, expect, test } from 'vitest';
import { Project } from '../../test/cadre-process.ts';

const program = (...lines: readonly string[]) => [
  'node',
  '-e',
  lines.map((line) => `console.log(${JSON.stringify(line)})`).join(';'),
];

describe('cadre agent check', () => {
  test('says that a program speaks the line protocol', async () => {
    const project = await Project.make({});
    const command = program('{"type":"text","text":"hi"}', '{"type":"result","output":1}');
    const { stdout, code } = await project.run(['agent', 'check', '--', ...command]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^✔ speaks the line protocol \(2 lines in .*, exit code 0\)\n$/);
  });

  test('names every line that is not as the protocol says', async () => {
    const project = await Project.make({});
    const command = program('starting', '{"type":"progress","done":"x"}', '{"type":"text","text":"bye"}');
    const { stdout, code } = await project.run(['agent', 'check', '--', ...command]);
    expect(code).toBe(1);
    expect(stdout).toContain('! line 1: no JSON object: "starting"; log to stderr');
    expect(stdout).toContain('! line 2: it would be ignored: `done` must be a number of at least 0');
    expect(stdout).toContain('✖ no `result` or `error` line came');
    expect(stdout).toContain('✖ does not speak the line protocol');
  });

  test('gives its report as JSON', async () => {
    const project = await Project.make({});
    const command = program('{"type":"error","message":"no","reason":"budget"}');
    const { stdout, code } = await project.run(['agent', 'check', '--json', '--', ...command]);
    expect(JSON.parse(stdout)).toMatchObject({ conforms: true, problems: [], counts: { error: 1 }, verdict: 'error' });
    expect(code).toBe(0);
  });

  test('says that there is no such program', async () => {
    const project = await Project.make({});
    expect(await project.run(['agent', 'check', '--', 'no-such-program-at-all'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no-such-program-at-all'),
    });
  });
});
