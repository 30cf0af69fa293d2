import { deepStrictEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { type CaseContext, defineCase, type PreparedVariant } from '@cadre/bench';
import { type AgentRecord, writeRecords } from '../../data.ts';

const count = 8000;
const type = 'result';

interface Summary {
  readonly records: number;
  readonly sequences: number;
}

export default defineCase<Summary>({
  question: 'How long does it take to find the 1 record in 50 of a type, in a file of 8,000 JSON lines of 1 KB?',
  unit: 'record read',
  unitsPerIteration: count,
  validate: (summary) => deepStrictEqual(summary, { records: count / 50, sequences: (count / 50) * (count / 2 + 24) }),
  variants: {
    async cadre(context) {
      const { readJsonl } = await import('@cadre/jsonl');
      return prepare(context, async (path, visit) => {
        for await (const batch of readJsonl<AgentRecord>(path, { where: { type } })) {
          for (const record of batch) visit(record);
        }
      });
    },
    async split2(context) {
      const { readRecords } = await import('../../rivals/split2.ts');
      return prepare(context, (path, visit) => readRecords(path, (record) => record.type === type && visit(record)));
    },
    async 'split2 that looks before it parses'(context) {
      const { readRecordsHolding } = await import('../../rivals/split2.ts');
      return prepare(context, (path, visit) =>
        readRecordsHolding(path, `"${type}"`, (record) => record.type === type && visit(record)),
      );
    },
  },
});

function prepare(
  { directory }: CaseContext,
  select: (path: string, visit: (record: AgentRecord) => void) => Promise<void>,
): PreparedVariant<Summary> {
  const path = join(directory, 'records.jsonl');
  writeRecords(path, count);
  return {
    async run(iterations) {
      let summary = { records: 0, sequences: 0 };
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        summary = { records: 0, sequences: 0 };
        await select(path, (record) => {
          summary.records += 1;
          summary.sequences += record.sequence;
        });
      }
      return summary;
    },
  };
}
