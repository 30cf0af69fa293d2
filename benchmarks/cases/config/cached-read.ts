import { strictEqual } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineCase, type PreparedVariant } from '@cadre/bench';
import { z } from 'zod';

const schema = z.object({ cache: z.object({ diskBytes: z.number() }) });
const settings = { cache: { diskBytes: 50 } };
const reads = 1_000;

export default defineCase<number>({
  question: 'How long does it take to read a setting that has been loaded before?',
  unit: 'read',
  unitsPerIteration: reads,
  validate: (sum) => strictEqual(sum, 50 * reads),
  variants: {
    async cadre({ directory }) {
      const { loadConfig } = await import('@cadre/config');
      writeFileSync(join(directory, 'bench.config.json'), JSON.stringify(settings));
      const loaded = await loadConfig({ schema, name: 'bench', cwd: directory, topDirectory: directory });
      return prepare(() => loaded.value.cache.diskBytes);
    },
    'plain object': () => prepare(() => settings.cache.diskBytes),
    async 'cosmiconfig, cached'({ directory }) {
      const { openCachedSearch } = await import('../../rivals/cosmiconfig.ts');
      writeFileSync(join(directory, 'bench.config.json'), JSON.stringify(settings));
      const search = openCachedSearch('bench.config.json', directory);
      return prepare(() => diskBytesOf(search()));
    },
  },
});

function diskBytesOf(config: unknown): number {
  return (config as typeof settings).cache.diskBytes;
}

function prepare(read: () => number): PreparedVariant<number> {
  return {
    run(iterations) {
      let sum = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        sum = 0;
        for (let index = 0; index < reads; index += 1) sum += read();
      }
      return sum;
    },
  };
}
