/** The cases of durable appends ask one thing for several numbers of callers. */
import { deepStrictEqual } from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchmarkCase, defineCase, type PreparedVariant, type Variant } from '@cadre/bench';

const record = {
  type: 'taskSettled',
  task: 'collect-imports',
  attempt: 1,
  at: 1_760_000_000_000,
  text: 'x'.repeat(128),
};
const recordBytes = JSON.stringify(record).length + 1;

export interface AppendSummary {
  readonly appended: number;
  readonly bytes: number;
}

/** Appends one record for each of the callers at the same time; resolves when all are on disk. */
interface DurableLog {
  appendBurst(value: unknown, count: number): Promise<void> | void;
  close(): Promise<void> | void;
}

export function durableAppends(callers: number): BenchmarkCase<AppendSummary> {
  return defineCase<AppendSummary>({
    question: `How long does it take to make records of 217 bytes durable, when ${callers === 1 ? 'one caller appends and waits' : `${callers} callers append at once`}?`,
    unit: 'append',
    unitsPerIteration: callers,
    control: 'disk',
    durable: true,
    validate: (summary, iterations) =>
      deepStrictEqual(summary, { appended: iterations * callers, bytes: iterations * callers * recordBytes }),
    variants: {
      cadre: async ({ directory }) => {
        const { openJsonlLog } = await import('@cadre/jsonl');
        return logging(directory, openJsonlLog);
      },
      ...(callers < 64 ? { 'cadre that syncs on the loop': syncingOnTheLoop } : {}),
      async 'write + fdatasync'({ directory }) {
        const { openSerialLog } = await import('./rivals/node-fs.ts');
        const path = join(directory, 'log.jsonl');
        return prepare(path, openSerialLog(path));
      },
      async 'sonic-boom'({ directory }) {
        const { openBoomLog } = await import('./rivals/sonic-boom.ts');
        const path = join(directory, 'log.jsonl');
        return prepare(path, await openBoomLog(path));
      },
    },
  });

  async function logging(directory: string, open: typeof import('@cadre/jsonl').openJsonlLog, options = {}) {
    const path = join(directory, 'log.jsonl');
    const log = await open(path, options);
    return prepare(path, {
      async appendBurst(value, count) {
        await Promise.all(Array.from({ length: count }, () => log.append(value)));
      },
      close: () => log.close(),
    });
  }

  /** As its README offers to those who rather wait than hand a sync to another thread. */
  async function syncingOnTheLoop({ directory }: Parameters<Variant<AppendSummary>>[0]) {
    const { fdatasyncSync } = await import('node:fs');
    const { nodeFileOperations, openJsonlLog } = await import('@cadre/jsonl');
    return logging(directory, openJsonlLog, { fileOperations: { ...nodeFileOperations, datasync: fdatasyncSync } });
  }

  function prepare(path: string, log: DurableLog): PreparedVariant<AppendSummary> {
    return {
      async run(iterations) {
        const before = statSync(path).size;
        for (let iteration = 0; iteration < iterations; iteration += 1) await log.appendBurst(record, callers);
        return { appended: iterations * callers, bytes: statSync(path).size - before };
      },
      close: () => log.close(),
    };
  }
}
