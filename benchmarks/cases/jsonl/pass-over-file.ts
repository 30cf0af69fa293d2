import { strictEqual } from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type CaseContext, defineCase, type PreparedVariant } from '@cadre/bench';
import { writeRecords } from '../../data.ts';

const count = 8000;
const type = 'nobody';

export default defineCase<{ readonly ofAllBytes: number }>({
  question: 'How long does it take to go through a file of 8,000 JSON lines of 1 KB in which no line is wanted?',
  unit: 'record passed',
  unitsPerIteration: count,
  validate: ({ ofAllBytes }) => strictEqual(ofAllBytes, 1),
  variants: {
    async cadre(context) {
      const { readJsonl } = await import('@cadre/jsonl');
      return prepare(context, async (path) => {
        const reading = readJsonl(path, { where: { type } });
        for await (const batch of reading) throw new Error(`${batch.length} records were found`);
        return reading.nextOffset;
      });
    },
    async 'split2 that looks before it parses'(context) {
      const { passOverRecords } = await import('../../rivals/split2.ts');
      return prepare(context, (path) => passOverRecords(path, `"${type}"`));
    },
    async 'reading and finding newlines, the limit'(context) {
      const { passOverFile } = await import('../../rivals/node-json.ts');
      return prepare(context, (path) => passOverFile(path, 'forNewlines'));
    },
    async 'reading alone, the limit'(context) {
      const { passOverFile } = await import('../../rivals/node-json.ts');
      return prepare(context, (path) => passOverFile(path));
    },
  },
});

function prepare(
  { directory }: CaseContext,
  pass: (path: string) => Promise<number> | number,
): PreparedVariant<{ readonly ofAllBytes: number }> {
  const path = join(directory, 'records.jsonl');
  writeRecords(path, count);
  const { size } = statSync(path);
  return {
    async run(iterations) {
      let bytes = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) bytes += await pass(path);
      return { ofAllBytes: bytes / (size * iterations) };
    },
  };
}
