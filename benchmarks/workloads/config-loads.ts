import { deepStrictEqual } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineWorkload, type PreparedVariant } from '@cadre/bench';
import { z } from 'zod';

const schema = z.object({
  concurrency: z.number().int().min(1),
  cache: z.object({ directory: z.string(), diskBytes: z.number() }),
  labels: z.record(z.string(), z.string()),
});
type Settings = z.infer<typeof schema>;

const defaults = { concurrency: 4, cache: { directory: 'cache', diskBytes: 10_000_000 }, labels: {} };
const projectFile = { concurrency: 8, cache: { diskBytes: 50_000_000 }, labels: { team: 'tools' } };
const flags = { concurrency: 2 };
const expected = { concurrency: 2, cache: { directory: 'cache', diskBytes: 50_000_000 }, labels: { team: 'tools' } };

export default defineWorkload<Settings>({
  question: 'Load defaults, a JSON file and flags into one validated value, 100 times, each time from the disk.',
  claims: [
    {
      what: '100 loads',
      unit: 'nanoseconds',
      source: 'the original reports list the work without a figure',
      read: ({ time }) => time(),
      explain: ({ figures }) =>
        `Nothing was claimed; the nearest rival of the two takes ${Math.min(
          figures.times('c12').estimate,
          figures.times('cosmiconfig').estimate,
        ).toFixed(2)}× our time.`,
    },
  ],
  sizes: { full: 100, small: 3 },
  make: (size) => ({
    unit: '100 loads',
    unitsPerIteration: size / 100,
    validate: (settings) => deepStrictEqual(settings, expected),
    variants: {
      async cadre({ directory }) {
        const { loadConfig } = await import('@cadre/config');
        const options = { schema, name: 'bench', cwd: directory, topDirectory: directory, defaults, flags };
        return repeated(size, directory, async () => (await loadConfig(options)).value);
      },
      async c12({ directory }) {
        const { openLoader } = await import('../rivals/c12.ts');
        const load = openLoader('bench.config', defaults, flags);
        return repeated(size, directory, async () => schema.parse(await load(directory)));
      },
      async cosmiconfig({ directory }) {
        const { openLoader } = await import('../rivals/cosmiconfig.ts');
        const load = openLoader('bench.config.json', defaults, flags);
        return repeated(size, directory, async () => schema.parse(await load(directory)));
      },
    },
  }),
});

function repeated(size: number, directory: string, load: () => Promise<Settings>): PreparedVariant<Settings> {
  writeFileSync(join(directory, 'bench.config.json'), JSON.stringify(projectFile));
  return {
    async run(iterations) {
      let settings = await load();
      for (let done = 1; done < iterations * size; done += 1) settings = await load();
      return settings;
    },
  };
}
