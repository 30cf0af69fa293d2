import { deepStrictEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { type CaseContext, defineMemory, type PreparedMemory } from '@cadre/bench';
import { writeRecords } from '../../data.ts';

interface Summary {
  readonly records: number;
  readonly sequences: number;
}

interface Sequenced {
  readonly sequence: number;
}

export default defineMemory<Summary>({
  question: 'How much memory does a record of about 1 KB leave behind that was read and let go?',
  unit: 'record',
  sizes: [5_000, 10_000, 20_000],
  validate: (summary, items) => deepStrictEqual(summary, { records: items, sequences: (items * (items - 1)) / 2 }),
  variants: {
    async cadre(context) {
      const { readJsonl } = await import('@cadre/jsonl');
      return prepare(context, async (path, visit) => {
        for await (const batch of readJsonl<Sequenced>(path)) for (const record of batch) visit(record);
      });
    },
    split2: async (context) => prepare(context, (await import('../../rivals/split2.ts')).readRecords),
    readline: async (context) => prepare(context, (await import('../../rivals/readline.ts')).readRecords),
  },
});

function prepare(
  { directory }: CaseContext,
  read: (path: string, visit: (record: Sequenced) => void) => Promise<void>,
): PreparedMemory<Summary> {
  const path = join(directory, 'records.jsonl');
  const summary = { records: 0, sequences: 0 };
  return {
    async fill(items) {
      writeRecords(path, items);
      await read(path, ({ sequence }) => {
        summary.records += 1;
        summary.sequences += sequence;
      });
    },
    summarise: () => summary,
  };
}
