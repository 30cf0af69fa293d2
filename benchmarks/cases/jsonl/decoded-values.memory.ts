import { deepStrictEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { defineMemory, type PreparedMemory } from '@cadre/bench';
import { writeRecords } from '../../data.ts';

interface Summary {
  readonly values: number;
  readonly last: unknown;
}

export default defineMemory<Summary>({
  question: 'How much memory does a decoded record of about 1 KB keep: does it hold on to the chunk it was cut from?',
  unit: 'record',
  sizes: [2000, 4000, 8000],
  validate: (summary, items) => deepStrictEqual(summary, { values: items, last: items - 1 }),
  variants: {
    async cadre({ directory }) {
      const { readJsonl } = await import('@cadre/jsonl');
      return prepare(directory, async (path, keep) => {
        for await (const batch of readJsonl<Sequenced>(path)) for (const value of batch) keep(value);
      });
    },
    async split2({ directory }) {
      const { readRecords } = await import('../../rivals/split2.ts');
      return prepare(directory, readRecords);
    },
  },
});

interface Sequenced {
  readonly sequence: number;
}

function prepare(
  directory: string,
  read: (path: string, keep: (value: Sequenced) => void) => Promise<void>,
): PreparedMemory<Summary> {
  const kept: Sequenced[] = [];
  const path = join(directory, 'records.jsonl');
  return {
    async fill(items) {
      writeRecords(path, items);
      await read(path, (value) => kept.push(value));
    },
    summarise: () => ({ values: kept.length, last: kept.at(-1)?.sequence }),
  };
}
