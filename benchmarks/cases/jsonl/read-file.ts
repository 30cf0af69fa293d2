import { deepStrictEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { type CaseContext, defineCase, type PreparedVariant } from '@cadre/bench';
import { type AgentRecord, writeRecords } from '../../data.ts';

const count = 8000;

interface Summary {
  readonly records: number;
  readonly sequences: number;
}

export default defineCase<Summary>({
  question: 'How long does it take from a file of 8,000 JSON lines of 1 KB to their values?',
  unit: 'record',
  unitsPerIteration: count,
  validate: (summary) => deepStrictEqual(summary, { records: count, sequences: (count * (count - 1)) / 2 }),
  variants: {
    async cadre(context) {
      const { readJsonl } = await import('@cadre/jsonl');
      return prepare(context, async (path, visit) => {
        for await (const batch of readJsonl<AgentRecord>(path)) for (const record of batch) visit(record);
      });
    },
    split2: async (context) => prepare(context, (await import('../../rivals/split2.ts')).readRecords),
    ndjson: async (context) => prepare(context, (await import('../../rivals/ndjson.ts')).readRecords),
    'stream-json': async (context) => prepare(context, (await import('../../rivals/stream-json.ts')).readRecords),
    readline: async (context) => prepare(context, (await import('../../rivals/readline.ts')).readRecords),
    async 'JSON.parse of ready strings, the limit'(context) {
      const { readyLines } = await import('../../rivals/node-json.ts');
      const path = writeFor(context);
      return counting(path, readyLines(path));
    },
  },
});

function prepare(
  context: CaseContext,
  read: (path: string, visit: (record: AgentRecord) => void) => Promise<void>,
): PreparedVariant<Summary> {
  return counting(writeFor(context), read);
}

function writeFor({ directory }: CaseContext): string {
  const path = join(directory, 'records.jsonl');
  writeRecords(path, count);
  return path;
}

function counting(
  path: string,
  read: (path: string, visit: (record: AgentRecord) => void) => Promise<void>,
): PreparedVariant<Summary> {
  return {
    async run(iterations) {
      let summary = { records: 0, sequences: 0 };
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        summary = { records: 0, sequences: 0 };
        await read(path, (record) => {
          summary.records += 1;
          summary.sequences += record.sequence;
        });
      }
      return summary;
    },
  };
}
