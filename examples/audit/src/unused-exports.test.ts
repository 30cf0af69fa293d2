import { describe, expect, test } from 'vitest';
import { makeTree } from '../test/make-tree.ts';
import { collectSyntax } from './collect.ts';
import { collectManifests } from './collect-manifests.ts';
import { analyseUnusedExports } from './unused-exports.ts';

async function unusedIn(files: Readonly<Record<string, string>>) {
  await using tree = await makeTree(files);
  const { findings } = analyseUnusedExports({
    syntax: await collectSyntax(tree.root, () => undefined),
    manifests: await collectManifests(tree.root),
  });
  return findings.map((finding) => `${finding.severity} ${finding.file}:${finding.line ?? ''} ${finding.title}`);
}

const manifest = '{ "name": "it", "exports": { ".": { "types": "./dist/index.d.ts", "default": "./dist/index.js" } } }';
const target = 'export const used = 1;\nexport const other = 2;\n';

describe('analyseUnusedExports', () => {
  test('finds an export that nothing uses, and one used only inside its file', async () => {
    const files = {
      'package.json': manifest,
      'src/index.ts': "export { a } from './a.ts';\n",
      'src/a.ts':
        'export const a = () => inner();\nexport function inner() {}\nexport function dead() {}\nexport interface Left {}\n',
    };
    expect(await unusedIn(files)).toEqual([
      'medium src/a.ts:3 2 exports that nothing uses: dead, Left',
      'low src/a.ts:2 1 export used only inside the file: inner',
    ]);
  });

  test.for([
    [
      'a chain of re-exports',
      {
        'src/index.ts': "export * from './barrel';\n",
        'src/barrel.ts': "export { used, other as renamed } from './t';\n",
      },
    ],
    [
      'an import handed on as an export',
      { 'src/index.ts': "import { used, other } from './t.js';\nexport { used, other };\n" },
    ],
    ['a namespace', { 'src/index.ts': "import * as t from './t.js';\nt.used; t['other'];\n" }],
    ['a namespace handed on', { 'src/index.ts': "import * as t from './t.js';\nconsole.log(t);\n" }],
    ['export * as', { 'src/index.ts': "export * as t from './t.ts';\n" }],
    ['a dynamic import', { 'src/index.ts': "export const load = () => import('./t.js');\n" }],
    [
      'a dynamic import of a template',
      { 'src/index.ts': `export const load = (name) => import(\`./\${name}.js\`);\n` },
    ],
    ['a dynamic import taken apart', { 'src/index.ts': "const { used, other } = await import('./t.js');\n" }],
    ['require', { 'src/old.cjs': "const { used, other } = require('./t');\n" }],
    ['a type', { 'src/index.ts': "export type T = typeof import('./t').used;\n" }],
    ['a JSDoc type', { 'src/old.js': "/** @type {import('./t.js').used} */\nconst x = 1;\n" }],
    ['a worker', { 'src/index.ts': "new Worker(new URL('./t.js', import.meta.url));\n" }],
    ['a path built into a string', { 'src/index.ts': "spawn('node', ['dist/t.js']);\n" }],
    [
      'a script of the manifest',
      { 'package.json': '{ "name": "it", "scripts": { "go": "node --enable-source-maps src/t.ts" } }' },
    ],
    ['a program', { 'package.json': '{ "name": "it", "bin": { "it": "./dist/t.js" } }' }],
    [
      'a door with a star',
      { 'package.json': '{ "name": "it", "exports": { "./agents/*": { "source": "./src/**.ts" } } }' },
    ],
    ['a workflow file', { 'flow.yaml': 'command: [node, ./dist/t.js]\n' }],
    ['a page', { 'page.html': '<script type="module" src="/src/t.ts"></script>' }],
    ['a component', { 'src/App.vue': '<script setup>\nimport { used, other } from "./t";\n</script>' }],
    ['a test', { 'test/t.test.ts': "import { used, other } from '../src/t.ts';\n" }],
    [
      'an alias of tsconfig',
      {
        'tsconfig.json': '{ // note\n "compilerOptions": { "paths": { "~lib/*": ["./src/*"] } } }',
        'src/index.ts': "import { used, other } from '~lib/t';\n",
      },
    ],
    [
      'an import of #names',
      {
        'package.json': '{ "name": "it", "main": "src/index.ts", "imports": { "#t": "./src/t.ts" } }',
        'src/index.ts': "import { used, other } from '#t';\n",
      },
    ],
    [
      'a framework that finds it by its place',
      {
        'package.json': '{ "name": "it", "dependencies": { "next": "15" } }',
        'src/t.ts': '',
        'src/pages/t.ts': target,
      },
    ],
    [
      'a comment that says public',
      { 'src/t.ts': '/** @public */\nexport const used = 1;\n/** @public */\nexport const other = 2;\n' },
    ],
  ] as const)('takes %s for a use', async ([, files]) => {
    expect(await unusedIn({ 'package.json': manifest, 'src/index.ts': '', 'src/t.ts': target, ...files })).toEqual([]);
  });

  test('sees through a namespace and a pattern to the names really taken', async () => {
    const files = { 'package.json': manifest, 'src/t.ts': target };
    expect(await unusedIn({ ...files, 'src/index.ts': "import * as t from './t.js';\nt.used;\n" })).toEqual([
      'medium src/t.ts:2 1 export that nothing uses: other',
    ]);
    expect(await unusedIn({ ...files, 'src/index.ts': "const { used } = await import('./t.js');\n" })).toEqual([
      'medium src/t.ts:2 1 export that nothing uses: other',
    ]);
  });

  test('names a file that nothing imports once, and no program that exports nothing', async () => {
    const files = {
      'package.json': manifest,
      'src/index.ts': '',
      'src/alone.ts': target,
      'src/program.ts': 'run();\n',
    };
    expect(await unusedIn(files)).toEqual(['medium src/alone.ts: no file imports it (2 exports: used, other)']);
  });

  test('keeps silent about files that may be the entry it could not find', async () => {
    const files = { 'package.json': '{ "name": "it", "main": "./bundle/main.js" }', 'src/alone.ts': target };
    expect(await unusedIn(files)).toEqual([]);
  });

  test('judges no fixture, test, declaration or CommonJS export', async () => {
    const files = {
      'package.json': manifest,
      'src/index.ts': '',
      'test/fixtures/a.ts': target,
      'test/tool.ts': target,
      'src/env.d.ts': target,
      'src/old.js': 'exports.used = 1;\n',
    };
    expect(await unusedIn(files)).toEqual([]);
  });
});
