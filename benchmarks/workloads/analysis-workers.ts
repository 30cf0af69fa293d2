import { strictEqual } from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { defineWorkload, type PreparedVariant } from '@cadre/bench';
import { writeSourceFiles } from '../source-files.ts';
import type { FileFacts } from './analyse-file-entry.ts';

const cores = availableParallelism();
const module = new URL(
  import.meta.url.endsWith('.ts') ? '../dist/workloads/analyse-file-entry.js' : './analyse-file-entry.js',
  import.meta.url,
);

interface Summary {
  readonly files: number;
  readonly functions: number;
  readonly branches: number;
}

export default defineWorkload<Summary>({
  question: 'Analyse 1,000 TypeScript files across worker threads, as many as there are cores.',
  claims: [
    {
      what: 'one thread over all workers',
      unit: 'times',
      claimed: 7.5,
      source: 'the original reports: "analysis of 1,000 files across workers, 7.5×"; they don\'t say on how many cores',
      read: ({ times }) => times('one thread'),
      explain: ({ verdict, measured }) =>
        verdict === 'missed'
          ? `This machine has ${cores} cores, so ${cores}× is the most that threads can give; ${((measured.estimate / cores) * 100).toFixed(0)} % of it was reached, and 7.5× needs at least 8 cores.`
          : `This machine has ${cores} cores, of which ${((measured.estimate / cores) * 100).toFixed(0)} % were put to use.`,
    },
  ],
  sizes: { full: 1000, small: 40 },
  make: (size) => ({
    unit: 'file',
    unitsPerIteration: size,
    validate({ files, functions }) {
      strictEqual(files, size);
      strictEqual(functions, size * 9);
    },
    variants: {
      async cadre({ directory }) {
        const { createThreadPool } = await import('@cadre/spawner');
        const pool = createThreadPool({ size: cores });
        return analysing(
          directory,
          size,
          (path) => pool.run<FileFacts>({ module, argument: path }),
          () => pool.close(),
        );
      },
      async piscina({ directory }) {
        const { Piscina } = await import('piscina');
        const pool = new Piscina({
          filename: module.href,
          minThreads: cores,
          maxThreads: cores,
          maxQueue: Number.POSITIVE_INFINITY,
        });
        return analysing(
          directory,
          size,
          (path) => pool.run(path),
          () => pool.destroy(),
        );
      },
      async 'one thread'({ directory }) {
        const { default: analyseFile } = await import('./analyse-file-entry.ts');
        return analysing(
          directory,
          size,
          async (path) => analyseFile(path),
          async () => undefined,
        );
      },
    },
  }),
});

function analysing(
  directory: string,
  size: number,
  analyse: (path: string) => Promise<FileFacts>,
  close: () => Promise<void>,
): PreparedVariant<Summary> {
  const paths = writeSourceFiles(directory, size);
  return {
    async run(iterations) {
      let summary = { files: 0, functions: 0, branches: 0 };
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        const facts = await Promise.all(paths.map(analyse));
        summary = { files: facts.length, functions: 0, branches: 0 };
        for (const { functions, branches } of facts) {
          summary.functions += functions;
          summary.branches += branches;
        }
      }
      return summary;
    },
    close,
  };
}
