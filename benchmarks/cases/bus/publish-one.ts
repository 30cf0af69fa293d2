import { deepStrictEqual } from 'node:assert/strict';
import { defineCase, type PreparedVariant } from '@cadre/bench';

const messages = 1000;
const subject = 'run.7.task.collect.event';

interface Message {
  readonly value: number;
}

interface Summary {
  readonly messages: number;
  readonly sum: number;
}

export default defineCase<Summary>({
  question: 'How long does it take to publish a message to its one subscriber in the same process?',
  unit: 'message',
  unitsPerIteration: messages,
  validate: (summary, iterations) =>
    deepStrictEqual(summary, {
      messages: iterations * messages,
      sum: (iterations * messages * (messages - 1)) / 2,
    }),
  variants: {
    async cadre() {
      const { createBus } = await import('@cadre/bus');
      const bus = createBus();
      return prepare(
        (visit) => bus.subscribe<Message>(subject, ({ data }) => visit(data)),
        (message) => void bus.publish(subject, message),
        () => bus.close(),
      );
    },
    async eventemitter3() {
      const { EventEmitter } = await import('eventemitter3');
      const emitter = new EventEmitter();
      return prepare(
        (visit) => emitter.on(subject, visit),
        (message) => emitter.emit(subject, message),
      );
    },
    async mitt() {
      const { openMitt } = await import('../../rivals/mitt.ts');
      const emitter = openMitt<Message>();
      return prepare(
        (visit) => emitter.on(subject, visit),
        (message) => emitter.emit(subject, message),
      );
    },
    async emittery() {
      const { openEmittery } = await import('../../rivals/emittery.ts');
      let visit: (message: Message) => void = () => undefined;
      const { publish } = openEmittery<Message>(subject, (message) => visit(message));
      return prepare((own) => {
        visit = own;
      }, publish);
    },
    async mqemitter() {
      const { openMqemitter } = await import('../../rivals/mqemitter.ts');
      let visit: (message: Message) => void = () => undefined;
      const { publish, close } = openMqemitter<Message>(subject, (message) => visit(message));
      return prepare(
        (own) => {
          visit = own;
        },
        publish,
        close,
      );
    },
  },
});

function prepare(
  subscribe: (visit: (message: Message) => void) => unknown,
  publish: (message: Message) => unknown,
  close: () => Promise<void> | void = () => undefined,
): PreparedVariant<Summary> {
  let summary = { messages: 0, sum: 0 };
  subscribe((message) => {
    summary.messages += 1;
    summary.sum += message.value;
  });
  return {
    run(iterations) {
      summary = { messages: 0, sum: 0 };
      let last: unknown;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        for (let value = 0; value < messages; value += 1) last = publish({ value });
      }
      // Who delivers later is waited for; the others are not made to wait.
      return last instanceof Promise ? last.then(() => summary) : summary;
    },
    close,
  };
}
