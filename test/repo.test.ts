/** The rules of the house: this repository keeps them, and each is seen to notice a small tree that breaks it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { codeFencesCompile } from './rules/code-fences.ts';
import { driversTakeOptionalPeers, importsAreDeclared, rootDoorsNeedNoPeer } from './rules/dependencies.ts';
import { coreImportsNoDriver, importsGoOneWay, roomsAreEnteredByDoors } from './rules/directions.ts';
import { doorsLeadToSources, publishedDoorsAreTheSame } from './rules/doors.ts';
import { codesAreDocumented, errorsHaveCodes } from './rules/error-codes.ts';
import { filesNameNoPrivatePlace, roomsLookAlike, rootHoldsOnlyKnownEntries, scriptsAreFew } from './rules/files.ts';
import { type Rule, readWorkspace } from './rules/workspace.ts';

type Tree = Readonly<Record<string, string | object>>;

const rules = {
  importsGoOneWay,
  roomsAreEnteredByDoors,
  coreImportsNoDriver,
  doorsLeadToSources,
  publishedDoorsAreTheSame,
  importsAreDeclared,
  driversTakeOptionalPeers,
  rootDoorsNeedNoPeer,
  errorsHaveCodes,
  codesAreDocumented,
  rootHoldsOnlyKnownEntries,
  roomsLookAlike,
  scriptsAreFew,
  filesNameNoPrivatePlace,
  codeFencesCompile,
} satisfies Record<string, Rule>;

const optionalRedis = { peerDependencies: { redis: '^6' }, peerDependenciesMeta: { redis: { optional: true } } };
const useRedis = "import { createClient } from 'redis';\nexport const open = createClient;\n";

/** Each tree is `soundTree` with these files changed, and these problems are all that its rule sees in it. */
const broken: readonly { rule: keyof typeof rules; what: string; files: Tree; problems: readonly string[] }[] = [
  {
    rule: 'importsGoOneWay',
    what: 'an import, a type, a dynamic import and a test that go up',
    files: {
      'packages/jsonl/src/read.ts': [
        "import { cacheKey } from '@cadre/cache';",
        "export type Store = import('@cadre/cache').Store;",
        "export const load = () => import('@cadre/cache/disk');",
        "export { run } from 'cadre';",
        'export const key = cacheKey;',
      ].join('\n'),
      'packages/jsonl/src/read.test.ts': "import type { Store } from '@cadre/cache';\nexport type S = Store;\n",
    },
    problems: [
      "packages/jsonl/src/read.test.ts:1: '@cadre/cache' @cadre/jsonl must not import @cadre/cache",
      "packages/jsonl/src/read.ts:1: '@cadre/cache' @cadre/jsonl must not import @cadre/cache",
      "packages/jsonl/src/read.ts:2: '@cadre/cache' @cadre/jsonl must not import @cadre/cache",
      "packages/jsonl/src/read.ts:3: '@cadre/cache/disk' @cadre/jsonl must not import @cadre/cache",
      "packages/jsonl/src/read.ts:4: 'cadre' @cadre/jsonl must not import cadre",
    ],
  },
  {
    rule: 'importsGoOneWay',
    what: 'a declared dependency that goes up, a package nobody placed, and an app that measures',
    files: {
      'packages/cache/package.json': packageOf('cache', ['.', './disk'], { dependencies: { '@cadre/jsonl': '*' } }),
      'packages/extra/package.json': packageOf('extra', []),
      'packages/bench/package.json': packageOf('bench', ['.']),
      'apps/orchestrator/src/main.ts': "import '@cadre/bench';\nimport '@cadre/cache';\n",
      'benchmarks/cases/any.ts': "import '@cadre/bench';\nimport 'cadre';\n",
    },
    problems: [
      "apps/orchestrator/src/main.ts:1: '@cadre/bench' cadre must not import @cadre/bench",
      'packages/cache/package.json: @cadre/cache must not depend on @cadre/jsonl',
      'packages/extra: @cadre/extra has no line in the table of who may import whom',
    ],
  },
  {
    rule: 'roomsAreEnteredByDoors',
    what: 'paths into another package and names that are no doors',
    files: {
      'benchmarks/cases/any.ts': [
        "import '../../packages/jsonl/src/read.ts';",
        "import '@cadre/cache/src/disk.ts';",
        "import '@cadre/cache/disk';",
        "import './any.ts';",
        "await import(import.meta.resolve('@cadre/cache/redis'));",
      ].join('\n'),
    },
    problems: [
      "benchmarks/cases/any.ts:1: '../../packages/jsonl/src/read.ts' leaves benchmarks",
      "benchmarks/cases/any.ts:2: '@cadre/cache/src/disk.ts' is no door of @cadre/cache",
      "benchmarks/cases/any.ts:5: '@cadre/cache/redis' is no door of @cadre/cache",
    ],
  },
  {
    rule: 'coreImportsNoDriver',
    what: 'a core file two steps from the root door that loads a driver',
    files: {
      'packages/cache/src/index.ts': "export { tiered } from './tiered.ts';\n",
      'packages/cache/src/tiered.ts': "export { openDiskStore as tiered } from './disk.ts';\n",
    },
    problems: ["packages/cache/src/tiered.ts:1: core imports './disk.ts', which is behind the door ./disk"],
  },
  {
    rule: 'doorsLeadToSources',
    what: 'doors and programs without a source, and doors that are built to another place',
    files: {
      'packages/cache/package.json': {
        ...packageOf('cache', ['.', './redis']),
        bin: { cachectl: './dist/cli.js' },
      },
      'packages/jsonl/package.json': {
        ...packageOf('jsonl', []),
        exports: {
          '.': { '@cadre/source': './src/index.ts', types: './dist/index.d.ts', default: './dist/main.js' },
          './read': { types: './dist/read.d.ts', default: './dist/read.js' },
        },
      },
    },
    problems: [
      'packages/cache/package.json: door ./redis leads to no file: ./src/redis.ts',
      'packages/cache/package.json: program cachectl has no source ./src/cli.ts',
      "packages/jsonl/package.json: door .: 'default' must be ./dist/index.js, which ./src/index.ts is built to",
      "packages/jsonl/package.json: door ./read has no '@cadre/source'",
    ],
  },
  {
    rule: 'publishedDoorsAreTheSame',
    what: 'a door that is not published',
    files: {
      'packages/cache/package.json': {
        ...packageOf('cache', ['.', './disk']),
        publishConfig: { exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } } },
      },
    },
    problems: [
      'packages/cache/package.json: publishConfig.exports must be {".":{"types":"./dist/index.d.ts","default":"./dist/index.js"},"./disk":{"types":"./dist/disk.d.ts","default":"./dist/disk.js"}}',
    ],
  },
  {
    rule: 'importsAreDeclared',
    what: 'packages that are not declared, and one that only tests may use',
    files: {
      'packages/jsonl/src/read.ts':
        "import type { A } from '@scope/a/sub';\nimport 'fast-check';\nexport type B = A;\n",
      'packages/jsonl/src/read.test.ts': "import 'fast-check';\nimport 'left-pad';\nimport 'node:fs';\n",
    },
    problems: [
      'packages/jsonl/src/read.test.ts:2: left-pad is not declared in packages/jsonl',
      'packages/jsonl/src/read.ts:1: @scope/a is not declared in packages/jsonl',
      'packages/jsonl/src/read.ts:2: fast-check is not declared in packages/jsonl',
    ],
  },
  {
    rule: 'driversTakeOptionalPeers',
    what: 'a client that every user would install for a door that few open',
    files: {
      'packages/cache/package.json': packageOf('cache', ['.', './disk'], { dependencies: { redis: '^6' } }),
      'packages/cache/src/disk.ts': "export { open } from './client.ts';\n",
      'packages/cache/src/client.ts': useRedis,
    },
    problems: ['packages/cache/src/client.ts:1: redis must be an optional peer: only this door needs it'],
  },
  {
    rule: 'driversTakeOptionalPeers',
    what: 'nothing where it is an optional peer',
    files: {
      'packages/cache/package.json': packageOf('cache', ['.', './disk'], optionalRedis),
      'packages/cache/src/disk.ts': useRedis,
    },
    problems: [],
  },
  {
    rule: 'rootDoorsNeedNoPeer',
    what: 'a root door that loads a peer, and a peer that is not optional',
    files: {
      'packages/cache/package.json': packageOf('cache', ['.', './disk'], optionalRedis),
      'packages/cache/src/index.ts': "export type { Client } from './client.ts';\n",
      'packages/cache/src/client.ts': "export type { RedisClientType as Client } from 'redis';\n",
      'packages/jsonl/package.json': packageOf('jsonl', ['.'], { peerDependencies: { redis: '^6' } }),
    },
    problems: [
      'packages/cache/src/client.ts:1: the root door loads the peer redis',
      'packages/jsonl/package.json: the peer redis is not marked optional in peerDependenciesMeta',
    ],
  },
  {
    rule: 'errorsHaveCodes',
    what: 'errors without a known code, whatever they inherit, and one declared elsewhere',
    files: {
      'packages/cache/src/errors.ts': [
        "export class CacheError extends Error { readonly code: 'CACHE_CLOSED' | 'CACHE_FULL' = 'CACHE_CLOSED'; }",
        'export class BareError extends Error {}',
        "export class LooseError extends RangeError { readonly code: string = 'CACHE_LOOSE'; }",
        'export class Innocent {}',
      ].join('\n'),
      'packages/cache/src/index.ts': "export { StrayError as Renamed } from './stray.ts';\n",
      'packages/cache/src/stray.ts':
        "import { CacheError } from './errors.ts';\nexport class StrayError extends CacheError {}\n",
    },
    problems: [
      'packages/cache/src/errors.ts: BareError has no `code` that is a union of string literals',
      'packages/cache/src/errors.ts: LooseError has no `code` that is a union of string literals',
      'packages/cache/src/stray.ts: StrayError is an error class outside packages/cache/src/errors.ts',
    ],
  },
  {
    rule: 'codesAreDocumented',
    what: 'a code that the README leaves out and one that it makes up',
    files: {
      'packages/cache/src/errors.ts':
        "export type Code = 'CACHE_CLOSED' | 'CACHE_FULL';\nexport class CacheError extends Error { declare readonly code: Code; }\n",
      'packages/cache/README.md': '`CACHE_FULL` and `CACHE_GONE`; set `NO_COLOR`, not CACHE_CLOSED\n',
    },
    problems: [
      'packages/cache/README.md: `CACHE_CLOSED` is not explained',
      'packages/cache/README.md: no error has the code `CACHE_GONE`',
    ],
  },
  {
    rule: 'rootHoldsOnlyKnownEntries',
    what: 'a file and a folder that nobody gave a reason for',
    files: { 'jest.config.js': '', 'scripts/do.sh': '', '.gitignore': 'ignored/\n', 'ignored/a': '' },
    problems: [
      'jest.config.js: no entry of the root; a new one needs a reason in docs/decisions.md',
      'scripts: no entry of the root; a new one needs a reason in docs/decisions.md',
    ],
  },
  {
    rule: 'roomsLookAlike',
    what: 'a package with its own configuration, a folder of its own, and no manual',
    files: {
      'packages/jsonl/tsconfig.json': '{}',
      'packages/jsonl/test/fixtures/tsconfig.json': '{}',
      'packages/jsonl/lib/a.ts': '',
      'packages/extra/package.json': packageOf('extra', []),
      'benchmarks/vitest.config.ts': '',
    },
    problems: [
      'benchmarks/vitest.config.ts: tools are configured at the root only',
      'packages/extra: README.md is missing',
      'packages/extra: src is missing',
      'packages/jsonl/lib: a package holds package.json, README.md, CHANGELOG.md, src, test and nothing else',
      'packages/jsonl/tsconfig.json: a package holds package.json, README.md, CHANGELOG.md, src, test and nothing else',
      'packages/jsonl/tsconfig.json: tools are configured at the root only',
    ],
  },
  {
    rule: 'scriptsAreFew',
    what: 'a thirteenth script, and a package that runs its own tests',
    files: {
      'package.json': { scripts: Object.fromEntries(Array.from({ length: 13 }, (_, index) => [`s${index}`, ''])) },
      'packages/jsonl/package.json': packageOf('jsonl', ['.'], { scripts: { build: 'tsup', test: 'vitest' } }),
    },
    problems: [
      'package.json: 13 scripts, at most 12',
      'packages/jsonl/package.json: script test; a package has only build and soak',
    ],
  },
  {
    rule: 'filesNameNoPrivatePlace',
    what: 'registries, homes and addresses, but not in what was recorded',
    files: {
      'README.md': `one\nsee https://${'regis'}${'try'}.example.org/a\n`,
      'docs/a.md': `kept in /${'home'}/ada/work\n`,
      'docs/b.md': `kept in /${'Users'}/ada, not in /home/a, /home/me or a const registry.get('com')\n`,
      'docs/c.md': `run as /${'root'}/x\n`,
      'pnpm-lock.yaml': 'a:\n  tarball: https://example.org/a.tgz\n',
      'packages/jsonl/test/recordings/a.jsonl': `{"cwd":"/${'root'}/work"}\n`,
    },
    problems: [
      `README.md:2: names a package registry: ${'regis'}${'try'}.example.org`,
      `docs/a.md:1: names a folder in someone's home: /${'home'}/ada`,
      `docs/b.md:1: names a folder in someone's home: /${'Users'}/ada`,
      `docs/c.md:1: names a folder in someone's home: /${'root'}/`,
      'pnpm-lock.yaml:2: holds an address: https://',
    ],
  },
  {
    rule: 'codeFencesCompile',
    what: 'examples with a wrong type, a missing name, or bad syntax',
    files: {
      'packages/cache/src/index.ts': 'export const cacheKey = (value: unknown): string => String(value);\n',
      'packages/cache/README.md': [
        '# Cache',
        "```ts\nimport { cacheKey } from '@cadre/cache';\nconst key: number = cacheKey(1);\n```",
        '```sh\nnot typescript\n```',
        '```ts\nimport { gone } from "@cadre/cache";\n```',
        '```ts\nimport { cacheKey } from "@cadre/cache";\nconst unused = cacheKey(2);\n```',
      ].join('\n'),
      'README.md': '```ts\nconst = 1;\n```\n',
    },
    problems: [
      'README.md:2: Variable declaration expected.',
      "packages/cache/README.md:4: Type 'string' is not assignable to type 'number'.",
      "packages/cache/README.md:10: Module '\"@cadre/cache\"' has no exported member 'gone'.",
    ],
  },
];

describe('this repository', () => {
  const workspace = readWorkspace(fileURLToPath(new URL('..', import.meta.url)));

  test.for(Object.entries(rules))('keeps the rule %s', ([, rule]) => {
    expect(rule(workspace)).toEqual([]);
  });
});

describe('the rules', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cadre-rules-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('see nothing wrong in a sound tree', () => {
    const sound = readWorkspace(makeTree(join(folder, 'sound'), soundTree()));
    expect(Object.values(rules).flatMap((rule) => rule(sound))).toEqual([]);
  });

  test.for(broken.map((tree, index) => [`${tree.rule}: ${tree.what}`, tree, index] as const))(
    'see %s',
    ([, { rule, files, problems }, index]) => {
      const root = makeTree(join(folder, String(index)), { ...soundTree(), ...files });
      expect([...rules[rule](readWorkspace(root))].sort()).toEqual([...problems].sort());
    },
  );

  test('are each seen to notice something', () => {
    const seen = broken.filter(({ problems }) => problems.length > 0).map(({ rule }) => rule);
    expect([...new Set(seen)].sort()).toEqual(Object.keys(rules).sort());
  });
});

function soundTree(): Tree {
  return {
    'package.json': { name: 'root', private: true, devDependencies: { 'fast-check': '*' } },
    'README.md': '# Sound\n',
    'packages/jsonl/package.json': packageOf('jsonl', ['.']),
    'packages/jsonl/README.md': '# Lines\n',
    'packages/jsonl/src/index.ts': "export { read } from './read.ts';\n",
    'packages/jsonl/src/read.ts': 'export const read = 1;\n',
    'packages/cache/package.json': packageOf('cache', ['.', './disk']),
    'packages/cache/README.md': '# Cache\n',
    'packages/cache/src/index.ts': 'export const cache = 1;\n',
    'packages/cache/src/disk.ts': "import { read } from 'node:fs';\nexport const openDiskStore = read;\n",
    'apps/orchestrator/package.json': { name: 'cadre', bin: { cadre: './dist/main.js' } },
    'apps/orchestrator/README.md': '# The app\n',
    'apps/orchestrator/src/main.ts': 'export const run = 1;\n',
    'benchmarks/package.json': { name: 'benchmarks', private: true },
    'benchmarks/README.md': '# Cases\n',
  };
}

function packageOf(name: string, doors: readonly string[], more: object = {}): object {
  const exports = (withSource: boolean) =>
    Object.fromEntries(
      doors.map((door) => {
        const file = door === '.' ? 'index' : door.slice(2);
        const built = { types: `./dist/${file}.d.ts`, default: `./dist/${file}.js` };
        return [door, withSource ? { '@cadre/source': `./src/${file}.ts`, ...built } : built];
      }),
    );
  return {
    name: `@cadre/${name}`,
    type: 'module',
    exports: exports(true),
    publishConfig: { exports: exports(false) },
    ...more,
  };
}

function makeTree(root: string, tree: Tree): string {
  for (const [file, content] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), typeof content === 'string' ? content : JSON.stringify(content));
  }
  execFileSync('git', ['init', '--quiet'], { cwd: root });
  return root;
}
