import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const vitest = fileURLToPath(new URL('../node_modules/.bin/vitest', import.meta.url));
const reporter = fileURLToPath(new URL('./closing-line.ts', import.meta.url));

describe('ClosingLine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cadre-closing-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.for([
    [
      'tests that pass, fail and are left out',
      'bad(); test.skip("s", () => {}); test.todo("t");',
      '1 passed, 1 failed, 2 skipped',
    ],
    [
      'a hook that fails before its tests',
      'describe("d", () => { beforeAll(fail); test("a", () => {}); });',
      '1 passed, 1 failed, 1 skipped',
    ],
    [
      'a hook that fails after its tests',
      'describe("d", () => { afterAll(fail); test("a", () => {}); });',
      '2 passed, 1 failed, 0 skipped',
    ],
    [
      'a rejection that nobody waits for',
      'test("a", () => { Promise.reject(new Error("unseen")); });',
      '2 passed, 1 failed, 0 skipped',
    ],
    ['a file that throws', 'fail();', '0 passed, 1 failed, 0 skipped'],
    ['a file that is no program', 'const x: = 1;', '0 passed, 1 failed, 0 skipped'],
    ['a sound run', '', '1 passed, 0 failed, 0 skipped'],
  ] as const)('is the last line and counts %s', ([what, source, expected]) => {
    const name = what.replaceAll(' ', '-');
    const setUp =
      'const fail = () => { throw new Error("no"); }; const bad = () => test("bad", fail); test("good", () => {});';
    writeFileSync(join(folder, `${name}.test.ts`), `${setUp}\n${source}\n`);
    expect(closingLine(name)).toBe(expected);
  });

  test('does not call a run without a single test sound', () => {
    expect(closingLine('no-such-file')).toBe('0 passed, 1 failed, 0 skipped');
  });

  function closingLine(filter: string): string | undefined {
    const args = ['run', '--root', folder, '--globals', '--reporter=default', `--reporter=${reporter}`, filter];
    const { stdout } = spawnSync(vitest, args, { cwd: folder, encoding: 'utf8', env: { PATH: process.env.PATH } });
    return stdout.trimEnd().split('\n').at(-1);
  }
});
