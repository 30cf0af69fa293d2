import { deepStrictEqual } from 'node:assert/strict';
import { defineCase, type PreparedVariant } from '@cadre/bench';
import type { FarSide, Report } from '../../rivals/far-side.ts';

const messages = 2_000;

export default defineCase<Report>({
  question: 'How long does an object take to another thread, 2,000 at a time?',
  unit: 'message',
  unitsPerIteration: messages,
  validate: (report, iterations) =>
    deepStrictEqual(report, { count: iterations * messages, sum: (iterations * messages * (messages - 1)) / 2 }),
  variants: {
    async cadre({ directory }) {
      const { openThread } = await import('../../rivals/far-side.ts');
      return prepare(await openThread(directory));
    },
    async MessagePort({ directory }) {
      const { openMessagePort } = await import('../../rivals/message-port.ts');
      return prepare(await openMessagePort(directory));
    },
    async BroadcastChannel({ directory }) {
      const { openBroadcastChannel } = await import('../../rivals/broadcast-channel.ts');
      return prepare(await openBroadcastChannel(directory));
    },
  },
});

function prepare(far: FarSide): PreparedVariant<Report> {
  return {
    async run(iterations) {
      let [count, sum] = [0, 0];
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        for (let index = 0; index < messages; index += 1) far.send(messageOf(index));
        const report = await far.report();
        count += report.count;
        sum += report.sum;
      }
      return { count, sum };
    },
    close: () => far.close(),
  };
}

function messageOf(value: number) {
  return {
    value,
    run: '7',
    task: 'collect',
    type: 'toolStarted',
    tool: { name: 'read', path: 'src/index.ts' },
    at: 1_700_000_000_000,
  };
}
