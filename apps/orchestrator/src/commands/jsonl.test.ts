import { appendFile, readdir, rename, truncate, writeFile } from 'node:fs/promises';
import { openJsonlLog } from '@cadre/jsonl';
import { describe, expect, test } from 'vitest';
import { Project } from '../../test/cadre-process.ts';

const damaged = '{"id":1}\n{"id":\n{"id":2}\n\u001b[31mred\n{"torn"';

describe('cadre jsonl check', () => {
  test('finds files sound or damaged, and says so by its exit code', async () => {
    const project = await Project.make({ 'sound.jsonl': '{"id":1}\n{"id":2}\n', 'bad.jsonl': damaged });
    const sound = await project.run(['jsonl', 'check', 'sound.jsonl']);
    expect(sound).toMatchObject({ code: 0, stdout: '✔ sound.jsonl is sound: 2 of 2 lines valid, 18 bytes\n' });
    const both = await project.run(['jsonl', 'check', 'sound.jsonl', 'bad.jsonl', '--list', '2']);
    expect(both.code).toBe(1);
    expect(both.stdout.split('\n').slice(1)).toEqual([
      '✖ bad.jsonl:2 (byte 9) syntax: {"id":',
      '✖ bad.jsonl:4 (byte 25) syntax: \\x1b[31mred',
      '  … 1 more damaged line',
      '✖ bad.jsonl is damaged: 2 of 5 lines valid, 3 damaged, torn tail of 7 bytes, 41 bytes',
      '',
    ]);
    const { code, stdout } = await project.run(['jsonl', 'check', '--json', 'sound.jsonl', 'bad.jsonl']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      files: [
        { isSound: true, valid: 2 },
        { isSound: false, damaged: 3, tornTail: { byteOffset: 34, byteLength: 7 } },
      ],
    });
  });

  test('takes a last line without newline on request, and holds lines against checksums', async () => {
    const project = await Project.make({ 'hand.jsonl': '1\n2' });
    expect(await project.run(['jsonl', 'check', 'hand.jsonl'])).toMatchObject({ code: 1 });
    expect(await project.run(['jsonl', 'check', '--accept-tail', 'hand.jsonl'])).toMatchObject({ code: 0 });
    expect(await project.run(['jsonl', 'check', '--accept-tail', '--checksum', 'require', 'hand.jsonl'])).toMatchObject(
      {
        code: 1,
        stdout: expect.stringContaining('checksum: 1'),
      },
    );
    expect(await project.run(['jsonl', 'check', 'no-such-file'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('no-such-file'),
    });
  });
});

describe('cadre jsonl repair', () => {
  test('repairs in place, and names what it kept', async () => {
    const project = await Project.make({ 'bad.jsonl': damaged });
    const { code, stdout } = await project.run(['jsonl', 'repair', 'bad.jsonl']);
    expect(code).toBe(0);
    expect(stdout).toContain('✔ 2 valid lines kept in ');
    expect(stdout).toContain('3 damaged lines cut.');
    expect(await project.read('bad.jsonl')).toBe('{"id":1}\n{"id":2}\n');
    expect(await project.read('bad.jsonl.before-repair-1')).toBe(damaged);
    expect(await project.run(['jsonl', 'check', 'bad.jsonl', 'bad.jsonl.cuts-1.jsonl'])).toMatchObject({ code: 0 });
    expect(await project.run(['jsonl', 'repair', 'bad.jsonl'])).toMatchObject({
      code: 0,
      stdout: '✔ bad.jsonl is sound and was left alone.\n',
    });
  });

  test('writes elsewhere, never over a file, and not from a log in use', async () => {
    const project = await Project.make({ 'bad.jsonl': damaged });
    const { stdout } = await project.run(['jsonl', 'repair', '--json', 'bad.jsonl', '--output', 'new.jsonl']);
    expect(JSON.parse(stdout)).toMatchObject({ kept: 2, cut: 3, backup: null, isChanged: true });
    expect(await project.read('new.jsonl')).toBe('{"id":1}\n{"id":2}\n');
    expect(await project.read('bad.jsonl')).toBe(damaged);
    expect(await project.run(['jsonl', 'repair', 'bad.jsonl', '--output', 'new.jsonl'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('new.jsonl is there already'),
    });
    await using log = await openJsonlLog(project.path('live.jsonl'));
    await log.append(1);
    expect(await project.run(['jsonl', 'repair', 'live.jsonl'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`process ${process.pid}`),
    });
  });
});

describe('cadre jsonl tail', () => {
  test('prints the last records of all parts, and damaged lines on stderr', async () => {
    const project = await Project.make({ 'bad.jsonl': damaged });
    const tail = await project.run(['jsonl', 'tail', 'bad.jsonl', '-n', '4']);
    expect(tail).toMatchObject({ code: 0, stdout: '{"id":2}\n' });
    expect(tail.stderr.split('\n')).toEqual([
      '✖ byte 9: syntax, 6 bytes: {"id":',
      '✖ byte 25: syntax, 8 bytes: \\x1b[31mred',
      '✖ byte 34: cut-off, 7 bytes: {"torn"',
      '',
    ]);
    await using log = await openJsonlLog(project.path('parts.jsonl'), { maxPartBytes: 60 });
    for (let id = 10; id < 40; id++) await log.append({ id });
    await log.close();
    const expected = (from: number) =>
      Array.from({ length: 40 - from }, (_, index) => `{"id":${from + index}}\n`).join('');
    for (const [count, from] of [
      ['0', 40],
      ['1', 39],
      ['17', 23],
      ['1000', 10],
    ] as const) {
      expect(await project.run(['jsonl', 'tail', 'parts.jsonl', '-n', count])).toMatchObject({
        code: 0,
        stdout: expected(from),
        stderr: '',
      });
    }
    expect((await project.run(['jsonl', 'tail', 'parts.jsonl'])).stdout).toBe(expected(30));
    expect((await readdir(project.folder)).length).toBeGreaterThan(5);
  });

  test('finds the last records of a huge file without reading it all', async () => {
    const project = await Project.make({});
    const path = project.path('huge.jsonl');
    // A hole of 1 TB: who reads it all does not come back.
    await writeFile(path, '');
    await truncate(path, 2 ** 40);
    await appendFile(path, '\n{"id":1}\n\n\n{"id":2}\n');
    expect(await project.run(['jsonl', 'tail', '-n', '2', 'huge.jsonl'])).toMatchObject({
      code: 0,
      stdout: '{"id":1}\n{"id":2}\n',
      stderr: '',
    });
  });

  test('follows through appends, truncation, replacement and rotation until ctrl-C', async () => {
    const project = await Project.make({});
    const path = project.path('live.jsonl');
    const tail = project.start(['jsonl', 'tail', '-f', '-n', '2', 'live.jsonl']);
    await writeFile(path, '"first"\n');
    await tail.printed('"first"\n');
    await appendFile(path, 'damaged\n"second"\n');
    await tail.printed('"second"\n');
    await tail.printed('✖ byte 8: syntax, 7 bytes: damaged');
    await truncate(path, 0);
    await tail.printed('live.jsonl was truncated');
    await appendFile(path, '"third"\n');
    await tail.printed('"third"\n');
    await writeFile(project.path('next'), '"fourth"\n');
    await rename(project.path('next'), path);
    await tail.printed('"fourth"\n');
    await using log = await openJsonlLog(path, { maxPartBytes: 60 });
    for (let id = 10; id < 30; id++) await log.append({ id });
    await tail.printed('{"id":29}\n');
    tail.child.kill('SIGINT');
    const { code, stdout } = await tail.finished;
    expect(code).toBe(0);
    const ids = Array.from({ length: 20 }, (_, index) => `{"id":${10 + index}}`);
    expect(stdout.trimEnd().split('\n')).toEqual(['"first"', '"second"', '"third"', '"fourth"', ...ids]);
  });
});
