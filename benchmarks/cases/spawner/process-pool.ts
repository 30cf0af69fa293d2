import { strictEqual } from 'node:assert/strict';
import { defineCase } from '@cadre/bench';
import { doubleIn, prepareDoubling } from '../../rivals/doubling-pool.ts';

const tasks = 1000;
const size = 2;

export default defineCase<number>({
  question: 'How long does a trivial task take through a pool of 2 processes, when 1,000 are asked for at once?',
  unit: 'task',
  unitsPerIteration: tasks,
  validate: (sum) => strictEqual(sum, tasks * (tasks - 1)),
  variants: {
    async cadre({ directory }) {
      const { createProcessPool } = await import('@cadre/spawner');
      return prepareDoubling(await doubleIn(createProcessPool({ size }), directory), tasks);
    },
    async tinypool({ directory }) {
      const { openTinypool } = await import('../../rivals/tinypool.ts');
      return prepareDoubling(openTinypool('child_process', directory, size), tasks);
    },
    async workerpool({ directory }) {
      const { openWorkerpool } = await import('../../rivals/workerpool.ts');
      return prepareDoubling(openWorkerpool('process', directory, size), tasks);
    },
  },
});
