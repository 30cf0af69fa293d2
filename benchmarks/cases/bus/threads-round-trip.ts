import { strictEqual } from 'node:assert/strict';
import { defineCase, type PreparedVariant } from '@cadre/bench';
import type { FarSide } from '../../rivals/far-side.ts';

const requests = 100;

export default defineCase<number>({
  question: 'How long does an answer from another thread take, one request after the other?',
  unit: 'request',
  unitsPerIteration: requests,
  validate: (sum, iterations) => strictEqual(sum, (iterations * requests * (requests - 1)) / 2),
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

function prepare(far: FarSide): PreparedVariant<number> {
  return {
    async run(iterations) {
      let sum = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        for (let index = 0; index < requests; index += 1) sum += Number(await far.ask(index));
      }
      return sum;
    },
    close: () => far.close(),
  };
}
