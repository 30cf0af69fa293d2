/**
 * One test run for the whole workspace. Each package is a project of its own name, `--project jsonl` runs one of them;
 * `repo` holds the rules of the house and `packaging` what a stranger's install sees (`pnpm check` runs that one).
 * Packages resolve to each other's sources through the `@cadre/source` condition, so no test reads a stale build.
 */
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defaultServerConditions } from 'vite';
import { defineConfig } from 'vitest/config';

const workspaces = ['packages', 'apps', 'examples'].flatMap((group) =>
  readdirSync(new URL(group, import.meta.url), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => ({ name: entry.name, folder: `${group}/${entry.name}` })),
);

export default defineConfig({
  test: {
    reporters: ['default', './test/closing-line.ts'],
    // Much of the suite waits for processes, so that even two cores have room for a second file.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      ...[...workspaces, { name: 'benchmarks', folder: 'benchmarks' }].map(({ name, folder }) =>
        project(name, [`${folder}/**/*.test.ts`]),
      ),
      project('repo', ['test/repo.test.ts', 'test/closing-line.test.ts']),
      project('packaging', ['test/packaging.test.ts']),
    ],
  },
});

function project(name: string, include: string[]) {
  return {
    ssr: { resolve: { conditions: ['@cadre/source', ...defaultServerConditions] } },
    resolve: { conditions: ['@cadre/source', ...defaultServerConditions] },
    test: {
      name,
      include,
      exclude: ['**/node_modules/**', '**/dist/**', '**/results/**'],
      testTimeout: 30_000,
      hookTimeout: 60_000,
    },
  };
}
