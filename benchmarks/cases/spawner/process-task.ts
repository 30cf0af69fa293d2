import { strictEqual } from 'node:assert/strict';
import { defineCase, type PreparedVariant } from '@cadre/bench';
import { type DoublingPool, doubleIn } from '../../rivals/doubling-pool.ts';

export default defineCase<number>({
  question: 'How long does a trivial task take on a warm process that has nothing else to do?',
  unit: 'task',
  validate: (sum) => strictEqual(sum, 2),
  variants: {
    async cadre({ directory }) {
      const { createProcessPool } = await import('@cadre/spawner');
      return oneByOne(await doubleIn(createProcessPool({ size: 1 }), directory));
    },
    async tinypool({ directory }) {
      const { openTinypool } = await import('../../rivals/tinypool.ts');
      return oneByOne(openTinypool('child_process', directory, 1));
    },
    async workerpool({ directory }) {
      const { openWorkerpool } = await import('../../rivals/workerpool.ts');
      return oneByOne(openWorkerpool('process', directory, 1));
    },
    async 'child_process.fork, bare'({ directory }) {
      const { openDoublingChild } = await import('../../rivals/child-process.ts');
      return oneByOne(await openDoublingChild(directory));
    },
  },
});

function oneByOne({ run, close }: DoublingPool): PreparedVariant<number> {
  return {
    async run(iterations) {
      let doubled = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) doubled = await run(1);
      return doubled;
    },
    async close() {
      await close();
    },
  };
}
