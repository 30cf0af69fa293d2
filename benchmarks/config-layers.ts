/** What the cases of loading settings share: the same layers, the same work, another format of the file. */
import { deepStrictEqual } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaseContext, PreparedVariant } from '@cadre/bench';
import { z } from 'zod';

export const schema = z.object({
  concurrency: z.number().int().min(1),
  directory: z.string(),
  cache: z.object({ memoryBytes: z.number(), diskBytes: z.number(), directory: z.string() }),
  retry: z.object({ attempts: z.number(), baseMs: z.number() }),
  labels: z.record(z.string(), z.string()),
});
export type Settings = z.infer<typeof schema>;

const defaults = {
  concurrency: 4,
  directory: '.cadre',
  cache: { memoryBytes: 1_000_000, diskBytes: 10_000_000, directory: 'cache' },
  retry: { attempts: 3, baseMs: 250 },
  labels: {},
};
const flags = { concurrency: 2, retry: { attempts: 5 } };

type Format = 'json' | 'yaml' | 'toml';

export function loadVariants(format: Format, labelCount = 2) {
  const labels = Object.fromEntries(
    Array.from({ length: labelCount }, (_, index) => [`label${index}`, `the ${index}th of them`]),
  );
  const fileName = `bench.config.${format}`;
  const prepare = (directory: string, load: (directory: string) => Promise<Settings>): PreparedVariant<Settings> => {
    writeFileSync(join(directory, fileName), written(format, labels));
    return {
      async run(iterations) {
        let settings = await load(directory);
        for (let iteration = 1; iteration < iterations; iteration += 1) settings = await load(directory);
        return settings;
      },
    };
  };
  const expected: Settings = {
    concurrency: 2,
    directory: '.cadre',
    cache: { memoryBytes: 1_000_000, diskBytes: 50_000_000, directory: 'cache' },
    retry: { attempts: 5, baseMs: 250 },
    labels,
  };
  return {
    validate: (settings: Settings) => deepStrictEqual(settings, expected),
    variants: {
      async cadre({ directory }: CaseContext) {
        const { loadConfig } = await import('@cadre/config');
        return prepare(directory, async () => {
          const options = { schema, name: 'bench', cwd: directory, topDirectory: directory, defaults, flags };
          return (await loadConfig(options)).value;
        });
      },
      async c12({ directory }: CaseContext) {
        const { openLoader } = await import('./rivals/c12.ts');
        return prepare(directory, validated(openLoader('bench.config', defaults, flags)));
      },
      async cosmiconfig({ directory }: CaseContext) {
        const { openLoader } = await import('./rivals/cosmiconfig.ts');
        return prepare(directory, validated(openLoader(fileName, defaults, flags)));
      },
    },
  };
}

/** The rivals leave validation to their users. */
function validated(load: (directory: string) => Promise<unknown>): (directory: string) => Promise<Settings> {
  return async (directory) => schema.parse(await load(directory));
}

function written(format: Format, labels: Readonly<Record<string, string>>): string {
  const entries = Object.entries(labels);
  if (format === 'json') {
    return JSON.stringify({ concurrency: 8, cache: { diskBytes: 50_000_000 }, labels }, undefined, 2);
  }
  if (format === 'toml') {
    const lines = entries.map(([key, value]) => `${key} = "${value}"`);
    return ['concurrency = 8', '', '[cache]', 'diskBytes = 50000000', '', '[labels]', ...lines, ''].join('\n');
  }
  const lines = entries.map(([key, value]) => `  ${key}: ${value}`);
  return ['# settings', 'concurrency: 8', 'cache:', '  diskBytes: 50000000', 'labels:', ...lines, ''].join('\n');
}
