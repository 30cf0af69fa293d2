import { deepStrictEqual } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineCase, type PreparedVariant } from '@cadre/bench';
import { z } from 'zod';

const schema = z.object({
  concurrency: z.number().int().min(1),
  directory: z.string(),
  cache: z.object({ memoryBytes: z.number(), diskBytes: z.number(), directory: z.string() }),
  retry: z.object({ attempts: z.number(), baseMs: z.number() }),
  labels: z.record(z.string(), z.string()),
});
type Settings = z.infer<typeof schema>;

const defaults = {
  concurrency: 4,
  directory: '.cadre',
  cache: { memoryBytes: 1_000_000, diskBytes: 10_000_000, directory: 'cache' },
  retry: { attempts: 3, baseMs: 250 },
  labels: {},
};
const projectFile = { concurrency: 8, cache: { diskBytes: 50_000_000 }, labels: { team: 'tools', stage: 'test' } };
const flags = { concurrency: 2, retry: { attempts: 5 } };
const expected: Settings = {
  concurrency: 2,
  directory: '.cadre',
  cache: { memoryBytes: 1_000_000, diskBytes: 50_000_000, directory: 'cache' },
  retry: { attempts: 5, baseMs: 250 },
  labels: { team: 'tools', stage: 'test' },
};

/** Finds the JSON file in the folder, and merges defaults, file and flags. */
type LoadLayers = (directory: string) => Promise<unknown>;

export default defineCase<Settings>({
  question: 'How long does it take to load defaults, a JSON file and flags into one validated value?',
  unit: 'load',
  validate: (settings) => deepStrictEqual(settings, expected),
  variants: {
    async cadre({ directory }) {
      const { loadConfig } = await import('@cadre/config');
      return prepare(directory, async () => {
        const options = { schema, name: 'bench', cwd: directory, topDirectory: directory, defaults, flags };
        return (await loadConfig(options)).value;
      });
    },
    async c12({ directory }) {
      const { openLoader } = await import('../../rivals/c12.ts');
      return prepare(directory, validated(openLoader('bench.config', defaults, flags)));
    },
    async cosmiconfig({ directory }) {
      const { openLoader } = await import('../../rivals/cosmiconfig.ts');
      return prepare(directory, validated(openLoader('bench.config.json', defaults, flags)));
    },
  },
});

/** The rivals leave validation to their users. */
function validated(load: LoadLayers): (directory: string) => Promise<Settings> {
  return async (directory) => schema.parse(await load(directory));
}

function prepare(directory: string, load: (directory: string) => Promise<Settings>): PreparedVariant<Settings> {
  writeFileSync(join(directory, 'bench.config.json'), JSON.stringify(projectFile, undefined, 2));
  return {
    async run(iterations) {
      let settings = await load(directory);
      for (let iteration = 1; iteration < iterations; iteration += 1) settings = await load(directory);
      return settings;
    },
  };
}
