import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileDigests } from './file-digests.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cadre (reads) [x] '));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('FileDigests.ofPatterns', () => {
  const files = (patterns: readonly string[], directory = root) => new FileDigests().ofPatterns(patterns, directory);

  test('covers paths and contents, and nothing else', async () => {
    write({ 'a.ts': 'one', 'b.ts': 'two' });
    const before = await files(['*.ts']);
    write({ 'a.ts': 'one', 'c.md': 'no script' });
    expect(await files(['*.ts'])).toEqual(before);
    write({ 'a.ts': 'changed' });
    const changed = await files(['*.ts']);
    write({ 'a.ts': 'one', 'z.ts': 'two' });
    rmSync(join(root, 'b.ts'));
    const renamed = await files(['*.ts']);
    expect(new Set([before, changed, renamed].map(({ digest }) => digest)).size).toBe(3);
  });

  test('reads folders whose names hold glob characters, by absolute patterns too', async () => {
    write({ 'src/a.ts': '', 'src/b.ts': '' });
    expect((await files([`${root}/src/**`])).files).toBe(2);
    expect((await files([`${root}/**`])).files).toBe(2);
    expect((await files(['**', '!**/b.ts'])).files).toBe(1);
    expect((await files(['src'])).files).toBe(2);
  });

  test('leaves out what git ignores and what is never source, unless a pattern names it', async () => {
    execFileSync('git', ['init', '-q', root]);
    write({ '.gitignore': 'dist/\n', 'dist/a.js': '', 'node_modules/b/b.js': '', '.cadre/c': '', 'd.ts': '' });
    expect((await files(['**'])).files).toBe(2);
    expect((await files(['.git/HEAD', '.cadre/*', 'node_modules/**'])).files).toBe(3);
  });

  test('follows the history of a linked worktree, whose `.git` is a file', async () => {
    const git = (folder: string, ...args: string[]) =>
      execFileSync('git', ['-C', folder, '-c', 'user.name=n', '-c', 'user.email=e', ...args], { stdio: 'pipe' });
    const main = join(root, 'main');
    const linked = join(root, 'linked');
    execFileSync('git', ['init', '-q', main]);
    git(main, 'commit', '-q', '--allow-empty', '-m', 'first');
    git(main, 'worktree', 'add', '-q', linked);
    const history = () => files([`${linked}/.git/{HEAD,logs/HEAD}`]);
    const before = await history();
    expect(before.files).toBe(2);
    git(linked, 'commit', '-q', '--allow-empty', '-m', 'second');
    expect((await history()).digest).not.toBe(before.digest);
  });

  test('reads a tree that itself lies in such a folder', async () => {
    write({ 'node_modules/package/a.js': '', 'node_modules/package/node_modules/b.js': '' });
    expect((await files([`${root}/node_modules/package/**`])).files).toBe(1);
  });

  test('knows nothing of files that are not there', async () => {
    expect((await files(['none/**', 'missing.ts'])).files).toBe(0);
  });
});

function write(contents: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(contents)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
}
