import { describe, expect, test } from 'vitest';
import { makeTree } from '../test/make-tree.ts';
import { collectSyntax } from './collect.ts';
import { collectManifests } from './collect-manifests.ts';
import { analyseDependencies } from './dependencies.ts';

async function wrongIn(files: Readonly<Record<string, string>>) {
  await using tree = await makeTree(files);
  const { findings } = analyseDependencies({
    syntax: await collectSyntax(tree.root, () => undefined),
    manifests: await collectManifests(tree.root),
  });
  return findings.map((finding) => `${finding.severity} ${finding.file}:${finding.line ?? ''} ${finding.title}`);
}

describe('analyseDependencies', () => {
  test('finds what is declared and unused, and what is used and undeclared', async () => {
    const files = {
      'package.json': '{\n  "name": "it",\n  "dependencies": {\n    "idle": "1",\n    "busy": "1"\n  }\n}\n',
      'src/index.ts':
        "import 'busy/deep';\nimport { x } from '@scope/absent/x';\nimport fs from 'fs/promises';\nimport 'node:test';\nx(fs);\n",
    };
    expect(await wrongIn(files)).toEqual([
      'high src/index.ts:2 imports @scope/absent, which package.json does not declare',
      'medium package.json:4 declares and never uses idle',
    ]);
  });

  test.for([
    ['an import', { 'src/a.ts': "import 'dep';" }],
    ['a type', { 'src/a.ts': "import type { T } from 'dep';\nexport type U = T;" }],
    ['require.resolve', { 'src/a.js': "require.resolve('dep/package.json');" }],
    ['a string', { 'vite.config.ts': "export default { plugins: ['dep'] };" }],
    [
      'a script',
      {
        'package.json': '{ "name": "it", "dependencies": { "dep": "1" }, "scripts": { "x": "NODE_ENV=x dep --flag" } }',
      },
    ],
    [
      'a setting of the manifest',
      { 'package.json': '{ "name": "it", "dependencies": { "dep": "1" }, "prettier": "dep/config" }' },
    ],
    ['a configuration file', { '.eslintrc.yml': 'extends:\n  - dep\n' }],
    ['a style sheet', { 'src/a.css': '@import "dep/style.css";' }],
    ['a component', { 'src/a.svelte': "<script>\nimport { x } from 'dep';\n</script>" }],
    [
      'its types',
      {
        'package.json': '{ "name": "it", "devDependencies": { "dep": "1", "@types/dep": "1" } }',
        'src/a.ts': "import 'dep';",
      },
    ],
  ] as const)('takes %s for a use', async ([, files]) => {
    expect(
      await wrongIn({
        'package.json': '{ "name": "it", "dependencies": { "dep": "1" } }',
        'src/index.ts': '',
        ...files,
      }),
    ).toEqual([]);
  });

  test.for([
    ['the package itself', "import 'it';"],
    ['an alias', "import '@/a'; import '~/a'; import 'virtual:x'; import '#x';"],
    ['a type', "import type { T } from 'estree';\nexport type U = T;"],
    ['a peer', "import 'peer';"],
    ['a module the tree declares', "import 'made-up';"],
    ['a URL', "import 'https://example.test/x.js';"],
    ['a replacement in a test', "vi.mock('absent');"],
    ['another package of the workspace it declares', "import 'near';"],
  ] as const)('does not call %s undeclared', async ([, source]) => {
    const files = {
      'package.json': '{ "name": "it", "peerDependencies": { "peer": "1" }, "dependencies": { "near": "*" } }',
      'src/index.ts': source,
      'src/near.ts': "import 'near';",
      'src/env.d.ts': "declare module 'made-up';",
      'near/package.json': '{ "name": "near", "private": true }',
      'near/index.ts': '',
    };
    expect(await wrongIn(files)).toEqual([]);
  });

  test('says that only the root of the workspace declares what a published package needs', async () => {
    const files = {
      'package.json': '{ "name": "root", "private": true, "devDependencies": { "tool": "1", "lib": "1" } }',
      'packages/a/package.json': '{ "name": "a" }',
      'packages/a/src/index.ts': "import 'lib';",
      'packages/a/src/index.test.ts': "import 'tool';",
      'packages/b/package.json': '{ "name": "b", "private": true }',
      'packages/b/src/index.ts': "import 'lib';",
    };
    expect(await wrongIn(files)).toEqual([
      'medium packages/a/src/index.ts:1 imports lib, which packages/a/package.json does not declare',
    ]);
  });

  test('counts what lock files pin and finds two managers at once', async () => {
    await using tree = await makeTree({
      'package.json': '{ "name": "it" }',
      'index.js': '',
      'package-lock.json': JSON.stringify({
        packages: {
          '': {},
          'node_modules/a': { version: '1.2.0' },
          'node_modules/b/node_modules/a': { version: '2.0.0' },
        },
      }),
      'yarn.lock': 'a@^1:\n  version "1.2.0"\n\n"@s/b@^2", "@s/b@^2.1":\n  version "2.1.0"\n',
    });
    const manifests = await collectManifests(tree.root);
    const { findings, measures } = analyseDependencies({
      syntax: await collectSyntax(tree.root, () => undefined),
      manifests,
    });
    expect(findings).toMatchObject([{ kind: 'lockfile', file: 'package-lock.json' }]);
    expect(measures).toMatchObject({ locked: 4, repeated: [{ name: 'a', versions: ['1.2.0', '2.0.0'] }] });
  });
});
