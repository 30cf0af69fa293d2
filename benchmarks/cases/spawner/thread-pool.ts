import { strictEqual } from 'node:assert/strict';
import { defineCase } from '@cadre/bench';
import { doubleIn, prepareDoubling } from '../../rivals/doubling-pool.ts';

const tasks = 1000;
const size = 2;

export default defineCase<number>({
  question: 'How long does a trivial task take through a pool of 2 threads, when 1,000 are asked for at once?',
  unit: 'task',
  unitsPerIteration: tasks,
  validate: (sum) => strictEqual(sum, tasks * (tasks - 1)),
  variants: {
    async cadre({ directory }) {
      const { createThreadPool } = await import('@cadre/spawner');
      return prepareDoubling(await doubleIn(createThreadPool({ size }), directory), tasks);
    },
    async piscina({ directory }) {
      const { openPiscina } = await import('../../rivals/piscina.ts');
      return prepareDoubling(openPiscina(directory, size, 1), tasks);
    },
    async 'piscina, 16 tasks a thread'({ directory }) {
      const { openPiscina } = await import('../../rivals/piscina.ts');
      return prepareDoubling(openPiscina(directory, size, 16), tasks);
    },
    async tinypool({ directory }) {
      const { openTinypool } = await import('../../rivals/tinypool.ts');
      return prepareDoubling(openTinypool('worker_threads', directory, size), tasks);
    },
    async workerpool({ directory }) {
      const { openWorkerpool } = await import('../../rivals/workerpool.ts');
      return prepareDoubling(openWorkerpool('thread', directory, size), tasks);
    },
  },
});
