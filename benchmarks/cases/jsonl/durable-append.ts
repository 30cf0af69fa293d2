import { deepStrictEqual } from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { defineCase, type PreparedVariant } from '@cadre/bench';

const callers = 512;
const record = {
  type: 'taskSettled',
  task: 'collect-imports',
  attempt: 1,
  at: 1_760_000_000_000,
  text: 'x'.repeat(128),
};
const recordBytes = JSON.stringify(record).length + 1;

interface Summary {
  readonly appended: number;
  readonly bytes: number;
}

/** Appends one record for each of the callers at the same time; resolves when all are on disk. */
interface DurableLog {
  appendBurst(value: unknown, count: number): Promise<void> | void;
  close(): Promise<void> | void;
}

export default defineCase<Summary>({
  question: 'How long does it take to make records of 217 bytes durable, when 512 callers append at once?',
  unit: 'append',
  unitsPerIteration: callers,
  control: 'disk',
  durable: true,
  validate: (summary, iterations) =>
    deepStrictEqual(summary, { appended: iterations * callers, bytes: iterations * callers * recordBytes }),
  variants: {
    async cadre({ directory }) {
      const { openJsonlLog } = await import('@cadre/jsonl');
      const path = join(directory, 'log.jsonl');
      const log = await openJsonlLog(path);
      return prepare(path, {
        async appendBurst(value, count) {
          await Promise.all(Array.from({ length: count }, () => log.append(value)));
        },
        close: () => log.close(),
      });
    },
    async 'write + fdatasync'({ directory }) {
      const { openSerialLog } = await import('../../rivals/node-fs.ts');
      const path = join(directory, 'log.jsonl');
      return prepare(path, openSerialLog(path));
    },
    async 'sonic-boom'({ directory }) {
      const { openBoomLog } = await import('../../rivals/sonic-boom.ts');
      const path = join(directory, 'log.jsonl');
      return prepare(path, await openBoomLog(path));
    },
  },
});

function prepare(path: string, log: DurableLog): PreparedVariant<Summary> {
  return {
    async run(iterations) {
      const before = statSync(path).size;
      for (let iteration = 0; iteration < iterations; iteration += 1) await log.appendBurst(record, callers);
      return { appended: iterations * callers, bytes: statSync(path).size - before };
    },
    close: () => log.close(),
  };
}
