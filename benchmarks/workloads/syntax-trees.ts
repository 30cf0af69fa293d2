import { strictEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineWorkload, type PreparedVariant } from '@cadre/bench';
import { writeSourceFiles } from '../source-files.ts';
import { countNodes, parseSource, type SyntaxTree } from '../syntax-tree.ts';

interface Summary {
  readonly files: number;
  readonly nodes: number;
}

interface TreeCache {
  key(text: string): string;
  getOrSet(key: string, parse: () => SyntaxTree): Promise<SyntaxTree>;
  close(): Promise<void> | void;
}

export default defineWorkload<Summary>({
  question:
    'Get the syntax trees of 1,000 TypeScript files: parsed anew, and from a cache on disk, keyed by their content.',
  claims: [
    {
      what: 'cold over cached',
      unit: 'times',
      claimed: 8,
      source: 'the original reports: "syntax trees of 1,000 files, 8× faster when cached"',
      read: ({ times }) => times('parsing anew'),
      explain: ({ verdict, figures }) =>
        verdict === 'missed'
          ? `TypeScript parses a file of 3 KB in ${microseconds(figures.time('parsing anew').estimate)} here, and a cached tree still has to be read, checked and unpacked node by node; the factor grows with what is done beyond parsing.`
          : `A cached tree is read, checked and unpacked in less time than parsing takes: ${microseconds(figures.time('parsing anew').estimate)} for a file of 3 KB.`,
    },
  ],
  sizes: { full: 1000, small: 40 },
  make: (size) => ({
    unit: 'file',
    unitsPerIteration: size,
    validate({ files, nodes }) {
      strictEqual(files, size);
      if (nodes < size * 500) throw new RangeError(`${nodes} nodes are too few for ${size} files.`);
    },
    variants: {
      async cadre({ directory }) {
        const [{ cacheKey, createCache }, { openDiskStore }] = await Promise.all([
          import('@cadre/cache'),
          import('@cadre/cache/disk'),
        ]);
        const store = await openDiskStore({ directory: join(directory, 'cache') });
        const cache = createCache({ namespace: 'trees', stores: [store], secrets: [randomBytes(32)] });
        return reading(directory, size, {
          key: (text) => cacheKey(text),
          getOrSet: (key, parse) => cache.getOrSet<SyntaxTree>(key, parse),
          close: () => cache.close(),
        });
      },
      async cacache({ directory }) {
        const [{ createHash }, { openCacache }] = await Promise.all([
          import('node:crypto'),
          import('../rivals/cacache.ts'),
        ]);
        const cache = openCacache(join(directory, 'cache'));
        const kept = new Set<string>();
        return reading(directory, size, {
          key: (text) => createHash('sha256').update(text).digest('hex'),
          async getOrSet(key, parse) {
            if (kept.has(key)) return (await cache.get(key)) as SyntaxTree;
            const tree = parse();
            await cache.set(key, tree);
            kept.add(key);
            return tree;
          },
          close: () => undefined,
        });
      },
      'parsing anew': ({ directory }) =>
        reading(directory, size, {
          key: () => '',
          getOrSet: async (_key, parse) => parse(),
          close: () => undefined,
        }),
    },
  }),
});

async function reading(directory: string, size: number, cache: TreeCache): Promise<PreparedVariant<Summary>> {
  const paths = writeSourceFiles(directory, size);
  const readAll = async (): Promise<Summary> => {
    const summary = { files: 0, nodes: 0 };
    for (const path of paths) {
      const text = readFileSync(path, 'utf8');
      const tree = await cache.getOrSet(cache.key(text), () => parseSource(path, text));
      summary.files += 1;
      summary.nodes += countNodes(tree);
    }
    return summary;
  };
  await readAll();
  return {
    async run(iterations) {
      let summary = await readAll();
      for (let iteration = 1; iteration < iterations; iteration += 1) summary = await readAll();
      return summary;
    },
    close: () => cache.close(),
  };
}

function microseconds(nanoseconds: number): string {
  return `${(nanoseconds / 1000).toFixed(0)} µs`;
}
