import { execFile } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { makeTree } from '../test/make-tree.ts';
import { runAudit } from '../test/run-audit.ts';
import { listSourceTree } from './source-tree.ts';

const run = promisify(execFile);
const git = (root: string, ...args: readonly string[]) =>
  run('git', [
    '-C',
    root,
    '-c',
    'user.name=A',
    '-c',
    'user.email=a@example.test',
    '-c',
    'commit.gpgsign=false',
    ...args,
  ]);

const knotted = `export function knotted(a, b) {
${Array.from({ length: 6 }, (_, index) => `  if (a > ${index}) { for (const x of b) { if (x && a || b) { a += x; } } }`).join('\n')}
  return a;
}
`;

const project = {
  'package.json': '{\n  "name": "it",\n  "main": "src/index.js",\n  "dependencies": { "idle": "1" }\n}\n',
  'README.md':
    '# It\n\nSee [the guide](docs/guide.md#start) and [nothing](docs/none.md), [no heading](#absent).\n\n```js\nimport { told } from "it";\n```\n',
  'docs/guide.md': '# Guide\n\n## Start\n',
  'src/index.js': "import 'absent';\nexport { told, untold } from './names.js';\nexport { a } from './a.js';\n",
  'src/names.js': 'export function told() {}\nexport function untold() {}\nexport function dead() {}\n',
  'src/a.js': "import { b } from './b.js';\nexport const a = () => b; // TODO: untie\n",
  'src/b.js': "import { a } from './a.js';\nexport const b = () => a; // FIXME: this is wrong\n",
  'src/knotted.js': knotted,
  'src/names.test.js':
    "import { told } from './names.js';\ndescribe.skip('told', () => {\n  test.only('is told', () => told());\n});\n",
};

describe('the whole audit', () => {
  test('finds what is known to be wrong, each at its place', async () => {
    await using tree = await makeTree(project);
    const { rank } = await runAudit(tree.root);
    const found = rank.findings.map((finding) => `${finding.kind} ${finding.file}:${finding.line ?? ''}`);
    expect(found.sort()).toEqual([
      'broken-link README.md:3',
      'broken-link README.md:3',
      'complex-function src/knotted.js:1',
      'focused-test src/names.test.js:3',
      'import-cycle src/a.js:1',
      'marker src/a.js:2',
      'marker src/b.js:2',
      'skipped-test src/names.test.js:2',
      'undeclared-dependency src/index.js:1',
      'undocumented-export src/a.js:2',
      'undocumented-export src/names.js:2',
      'untested-file src/knotted.js:',
      'unused-dependency package.json:4',
      'unused-export src/names.js:3',
      'unused-file src/knotted.js:',
    ]);
  });

  test('says the same twice, and nothing of where the tree lies', async () => {
    await using one = await makeTree(project);
    await using two = await makeTree(Object.fromEntries(Object.entries(project).reverse()));
    const first = await runAudit(one.root);
    expect(await runAudit(two.root)).toEqual(first);
    expect(JSON.stringify(first)).not.toContain(one.root);
  });

  test('answers nothing anew when a comment that is no note is reworded, but for the sizes of files', async () => {
    await using tree = await makeTree({ ...project, 'src/c.js': '// Some words.\nexport const c = 1;\n' });
    const { files: filesBefore, ...before } = await runAudit(tree.root);
    await tree.write('src/c.js', '// Some other words, and longer.\nexport const c = 1;\n');
    const { files: filesAfter, ...after } = await runAudit(tree.root);
    expect(after).toEqual(before);
    expect(filesAfter).not.toEqual(filesBefore);
  });

  test('leaves the syntax facts as they are when a comment is reworded', async () => {
    await using tree = await makeTree(project);
    const before = await runAudit(tree.root);
    await tree.write('src/a.js', project['src/a.js'].replace('untie', 'untie these two, one day'));
    const noted = await runAudit(tree.root);
    expect(noted.syntax).toEqual(before.syntax);
    expect(noted.tokens).toEqual(before.tokens);
    expect(noted.leftovers).not.toEqual(before.leftovers);
  });

  test.for([
    ['an empty folder', {}],
    ['no script at all', { 'main.py': 'def f():\n    pass  # TODO: later\n', 'notes.md': '# Notes\n' }],
    [
      'files that do not parse',
      {
        'a.ts': 'const {{{ = ;',
        'package.json': '{ not json',
        'tsconfig.json': '{',
        'b.jsx': '<a><b></a>',
        'pnpm-lock.yaml': '\t- {',
      },
    ],
    [
      'nesting beyond any stack',
      { 'deep.js': `x = ${'['.repeat(50_000)}${']'.repeat(50_000)};`, 'sum.js': `x = 1${' + 1'.repeat(50_000)};` },
    ],
  ] as const)('ends well on %s', async ([, files]) => {
    await using tree = await makeTree(files);
    const { html, markdown, scorecard } = await runAudit(tree.root);
    expect(html).toContain('</html>');
    expect(markdown).toContain('# Audit of tree');
    expect(scorecard.scores).toHaveLength(8);
  });

  test('says which files were not parsed and why', async () => {
    await using tree = await makeTree({
      'main.py': 'x = 1\n',
      'deep.js': `x = ${'['.repeat(50_000)}${']'.repeat(50_000)};`,
      'large.js': `x = "${'y'.repeat(2 * 1024 * 1024)}";`,
    });
    await tree.write('binary.js', Uint8Array.of(120, 0, 1, 2));
    const { rank } = await runAudit(tree.root);
    expect(rank.notes).toEqual(
      expect.arrayContaining([
        '1 file not parsed, being in languages other than JavaScript and TypeScript: Python 1.',
        '1 file not read, being larger than 2 MiB: "large.js".',
        '1 file not read, being binary: "binary.js".',
        'The folder is not in a git repository, so nothing is said about its history.',
      ]),
    );
    expect(rank.notes.filter((note) => note.includes('"deep.js"'))).not.toEqual([]);
  });

  test('lets no name or comment become markup', async () => {
    const evil = '<img src=x onerror=alert(1)>"\'`|*_[x](y)';
    await using tree = await makeTree({
      [`src/${evil.replaceAll('/', '')}.js`]: `// TODO: ${evil}\n// FIXME: </td><script>alert(1)</script> | \`\`\` **bold**\n`,
      'src/new\nline.js': '// TODO: # heading\n',
      'src/\u202Eright.js': '// HACK: \u001b[31mred\n',
    });
    const { html, markdown, scorecard } = await runAudit(tree.root);
    expect(html).not.toMatch(/<img|<script|onerror=alert\(1\)>|\u202E|\u001b/);
    expect(markdown).not.toMatch(/<img|<script|\n# heading|\u202E|\u001b/);
    for (const row of scorecard.table.rows) expect(row.join('')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});

describe('listSourceTree', () => {
  const files = {
    '.gitignore': '*.log\n/build/\n!keep.log\n',
    'a b.js': '',
    'quote".js': '',
    "apostrophe'.js": '',
    'über/ñ.js': '',
    'new\nline.js': '',
    'keep.log': '',
    'gone.log': '',
    'build/x.js': '',
    'src/build/y.js': '',
    'src/.gitignore': 'z.*\n',
    'src/z.js': '',
    'node_modules/dep/index.js': '',
    '.cadre/runs/x.js': '',
  };
  const expected = [
    '.gitignore',
    'a b.js',
    "apostrophe'.js",
    'keep.log',
    'new\nline.js',
    'quote".js',
    'src/.gitignore',
    'src/build/y.js',
    'über/ñ.js',
  ];

  test('lists the same files with git and without, whatever their names', async () => {
    await using tree = await makeTree(files);
    await symlink('..', join(tree.root, 'src/loop'));
    await symlink('nowhere', join(tree.root, 'dangling.js'));
    const walked = await listSourceTree(tree.root);
    expect(walked).toMatchObject({ listedBy: 'walk', notes: ['2 symbolic links were not followed.'] });
    expect(walked.files.map((file) => file.path)).toEqual(expected);
    await git(tree.root, 'init', '-q');
    const listed = await listSourceTree(tree.root);
    expect({ ...listed, listedBy: 'walk' }).toEqual(walked);
    expect(listed.listedBy).toBe('git');
  });

  test('leaves out what git still knows and the folder has no more, and bounds the list', async () => {
    await using tree = await makeTree({ 'a.js': '', 'b.js': '', 'c.js': '' });
    await git(tree.root, 'init', '-q');
    await git(tree.root, 'add', '.');
    await run('rm', [join(tree.root, 'b.js')]);
    expect((await listSourceTree(tree.root)).files.map((file) => file.path)).toEqual(['a.js', 'c.js']);
    expect(await listSourceTree(tree.root, { maxFiles: 1 })).toMatchObject({
      files: [{ path: 'a.js' }],
      notes: [expect.stringContaining('3 files')],
    });
  });

  test('walks a folder that its repository ignores', async () => {
    await using tree = await makeTree({ '.gitignore': 'vendor\n', 'vendor/a.js': '' });
    await git(tree.root, 'init', '-q');
    expect(await listSourceTree(join(tree.root, 'vendor'))).toMatchObject({
      listedBy: 'walk',
      files: [{ path: 'a.js' }],
    });
  });

  test('rejects for a folder that is not there', async () => {
    await expect(listSourceTree('/nowhere/at/all')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('starts no program that the repository names', async () => {
    await using tree = await makeTree({ 'a.js': '', 'hook.sh': '#!/bin/sh\ntouch "$0.ran"\n' });
    await git(tree.root, 'init', '-q');
    await git(tree.root, 'config', 'core.fsmonitor', join(tree.root, 'hook.sh'));
    await run('chmod', ['+x', join(tree.root, 'hook.sh')]);
    expect((await listSourceTree(tree.root)).files.map((file) => file.path)).toEqual(['a.js', 'hook.sh']);
  });
});

describe('historyOf', () => {
  test('counts commits through renames, and files that change together', async () => {
    await using tree = await makeTree();
    const { root } = tree;
    await git(root, 'init', '-q');
    for (let round = 0; round < 4; round += 1) {
      await tree.write(
        'old name.js',
        Array.from({ length: 20 }, (_, line) => `x${line}${line === 0 ? round : ''}\n`).join(''),
      );
      await tree.write('b.js', `y${round}\n`);
      await git(root, 'add', '.');
      await git(root, 'commit', '-qm', `round ${round}`);
    }
    await run('git', ['-C', root, 'mv', 'old name.js', 'new\tname.js']);
    await git(root, 'commit', '-qm', 'rename');
    const { history } = await runAudit(root);
    expect(history).toMatchObject({
      available: true,
      commits: 5,
      authors: 1,
      files: [
        { path: 'b.js', commits: 4, authors: 1, added: 4, deleted: 3 },
        { path: 'new\tname.js', commits: 5, added: 23, deleted: 3 },
      ],
      pairs: [{ a: 'b.js', b: 'new\tname.js', together: 4 }],
      notes: [],
    });
  });

  test('says why it has nothing to say', async () => {
    await using tree = await makeTree({ 'a.js': '' });
    await git(tree.root, 'init', '-q');
    const { history } = await runAudit(tree.root);
    expect(history).toMatchObject({
      available: false,
      notes: ['The repository has no commit yet, so nothing is said about its history.'],
    });
  });
});
