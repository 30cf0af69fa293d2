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
    readline: async (context) => prepare(context, (await import('../../rivals/readline.ts')).readRecords),
  },
});

function prepare(
  { directory }: CaseContext,
  read: (path: string, visit: (record: AgentRecord) => void) => Promise<void>,
): PreparedVariant<Summary> {
  const path = join(directory, 'records.jsonl');
  writeRecords(path, count);
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
