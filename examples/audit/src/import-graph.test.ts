import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeTree } from '../test/make-tree.ts';
import { collectSyntax } from './collect.ts';
import { collectManifests } from './collect-manifests.ts';
import { analyseImportGraph } from './import-graph.ts';
import { shortestCycle, stronglyConnected } from './module-graph.ts';

async function graphOf(files: Readonly<Record<string, string>>) {
  await using tree = await makeTree(files);
  return analyseImportGraph({
    syntax: await collectSyntax(tree.root, () => undefined),
    manifests: await collectManifests(tree.root),
  });
}

describe('analyseImportGraph', () => {
  test('finds a circle and names each step of it with its line', async () => {
    const { findings, measures } = await graphOf({
      'src/a.ts': "// first\nimport { b } from './b.js';\nexport const a = () => b();\n",
      'src/b.ts': "import { c } from './c';\nexport const b = () => c();\n",
      'src/c.ts': "import { a } from '../src/a.ts';\nexport const c = () => a();\n",
      'src/d.ts': "import { a } from './a.ts';\na();\n",
    });
    expect(measures).toMatchObject({ files: 4, edges: 4, cycles: 1, filesInCycles: 3 });
    expect(findings).toMatchObject([
      {
        kind: 'import-cycle',
        file: 'src/a.ts',
        line: 2,
        related: [
          { file: 'src/a.ts', line: 2 },
          { file: 'src/b.ts', line: 1 },
          { file: 'src/c.ts', line: 1 },
        ],
      },
    ]);
  });

  test.for([
    ['import type', "import type { A } from './a.ts';\nexport type B = A | 1;\n"],
    ['names used only as types', "import { A } from './a.ts';\nexport interface B extends A { readonly of: A }\n"],
    ['an import while running', "export const b = async () => import('./a.ts');\n"],
  ] as const)('calls %s no circle', async ([, b]) => {
    const { findings } = await graphOf({
      'a.ts': "import { b } from './b.ts';\nexport interface A { readonly x: typeof b }\nexport const a = b;\n",
      'b.ts': b,
    });
    expect(findings).toEqual([]);
  });

  test('finds circles through re-exports and through packages of the workspace', async () => {
    const { measures } = await graphOf({
      'packages/one/package.json':
        '{ "name": "one", "exports": { ".": { "source": "./src/index.ts", "default": "./dist/index.js" } } }',
      'packages/one/src/index.ts': "export { two } from 'two/deep';\n",
      'packages/two/package.json': '{ "name": "two", "exports": { "./*": "./dist/*.js" } }',
      'packages/two/src/deep.ts': "import { two as one } from 'one';\nexport const two = () => one;\n",
    });
    expect(measures).toMatchObject({ cycles: 1, filesInCycles: 2 });
  });

  test('names a script that is imported and not there, and nothing that a build would make', async () => {
    const { findings } = await graphOf({
      'src/a.ts':
        "import './gone.ts';\nimport '../dist/made.js';\nimport './look.css';\nimport './data.json';\nimport './worker?worker';\n",
      'src/worker.ts': '',
    });
    expect(findings.map((finding) => [finding.line, finding.title])).toEqual([
      [1, 'imports "./gone.ts", which is not there'],
    ]);
  });

  test('reports a file that does not parse, at its line', async () => {
    const { findings } = await graphOf({ 'src/a.ts': 'const a = 1;\nfunction (\n' });
    expect(findings).toMatchObject([{ kind: 'syntax-error', severity: 'high', file: 'src/a.ts', line: 2 }]);
  });
});

describe('stronglyConnected', () => {
  const graphs = fc.array(fc.tuple(fc.nat({ max: 11 }), fc.nat({ max: 11 })), { maxLength: 40 }).map((edges) => {
    const targets = new Map<string, string[]>();
    for (const [from, to] of edges) targets.set(`n${from}`, [...(targets.get(`n${from}`) ?? []), `n${to}`]);
    return targets;
  });

  test('groups exactly the nodes that reach each other', () => {
    fc.assert(
      fc.property(graphs, (targets) => {
        const nodes = [...new Set([...targets].flatMap(([from, to]) => [from, ...to]))];
        const reaches = new Map(nodes.map((node) => [node, reachable(node, targets)]));
        const expected = nodes
          .filter((node) => reaches.get(node)?.has(node))
          .map((node) =>
            nodes
              .filter((other) => reaches.get(node)?.has(other) && reaches.get(other)?.has(node))
              .sort()
              .join(),
          );
        const found = stronglyConnected(targets).map((group) => group.join());
        expect([...found].sort()).toEqual([...new Set(expected)].sort());
      }),
    );
  });

  test('gives groups in which the shortest cycle is a walk along edges', () => {
    fc.assert(
      fc.property(graphs, (targets) => {
        for (const group of stronglyConnected(targets)) {
          const cycle = shortestCycle(group, targets);
          expect(cycle.at(0)).toBe(cycle.at(-1));
          for (const [index, node] of cycle.slice(0, -1).entries())
            expect(targets.get(node)).toContain(cycle[index + 1]);
        }
      }),
    );
  });
});

function reachable(start: string, targets: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const seen = new Set<string>();
  const pending = [...(targets.get(start) ?? [])];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (!seen.has(node)) pending.push(...(targets.get(node) ?? []));
    seen.add(node);
  }
  return seen;
}
