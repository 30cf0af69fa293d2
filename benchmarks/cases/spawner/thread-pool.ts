import { strictEqual } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CaseContext, defineCase, type PreparedVariant } from '@cadre/bench';

const tasks = 1000;
const size = 2;

export default defineCase<number>({
  question: 'How long does a trivial task take through a pool of 2 threads, when 1,000 are asked for at once?',
  unit: 'task',
  unitsPerIteration: tasks,
  validate: (sum) => strictEqual(sum, tasks * (tasks - 1)),
  variants: {
    async cadre(context) {
      const { createThreadPool } = await import('@cadre/spawner');
      const module = writeTask(context);
      const pool = createThreadPool({ size });
      return prepare(
        (argument) => pool.run<number>({ module, argument }),
        () => pool.close(),
      );
    },
    async piscina(context) {
      const { openPiscina } = await import('../../rivals/piscina.ts');
      const pool = openPiscina(writeTask(context), size, 1);
      return prepare(pool.run, pool.close);
    },
    async 'piscina, 16 tasks a thread'(context) {
      const { openPiscina } = await import('../../rivals/piscina.ts');
      const pool = openPiscina(writeTask(context), size, 16);
      return prepare(pool.run, pool.close);
    },
  },
});

function writeTask({ directory }: CaseContext): string {
  const path = join(directory, 'double.mjs');
  writeFileSync(path, 'export default (number) => number * 2;\n');
  return path;
}

function prepare(run: (argument: number) => Promise<number>, close: () => Promise<void>): PreparedVariant<number> {
  const all = Array.from({ length: tasks }, (_, index) => index);
  return {
    async run(iterations) {
      let sum = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        const doubled = await Promise.all(all.map(run));
        sum = doubled.reduce((total, number) => total + number, 0);
      }
      return sum;
    },
    close,
  };
}
