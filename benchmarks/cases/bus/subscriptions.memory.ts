import { strictEqual } from 'node:assert/strict';
import { defineMemory, type PreparedMemory } from '@cadre/bench';

export default defineMemory<number>({
  question: 'What does a subscription keep in memory, each to a pattern of its own?',
  unit: 'subscription',
  sizes: [10_000, 20_000, 40_000],
  validate: (delivered, subscriptions) => strictEqual(delivered, subscriptions),
  variants: {
    async cadre() {
      const { createBus } = await import('@cadre/bus');
      const bus = createBus();
      return prepare(
        (pattern, onMessage) => bus.subscribe(pattern, onMessage),
        (subject) => bus.publish(subject, 1),
      );
    },
    async eventemitter2() {
      const { default: emitter2 } = await import('eventemitter2');
      const emitter = new emitter2.EventEmitter2({ wildcard: true, delimiter: '.', maxListeners: 0 });
      return prepare(
        (pattern, onMessage) => emitter.on(pattern, onMessage),
        (subject) => emitter.emit(subject, 1),
      );
    },
    async 'eventemitter3, no patterns'() {
      const { EventEmitter } = await import('eventemitter3');
      const emitter = new EventEmitter();
      return prepare(
        (pattern, onMessage) => emitter.on(pattern.replace('*', 'event'), onMessage),
        (subject) => emitter.emit(subject, 1),
      );
    },
  },
});

function prepare(
  subscribe: (pattern: string, onMessage: () => void) => unknown,
  publish: (subject: string) => unknown,
): PreparedMemory<number> {
  let filled = 0;
  let delivered = 0;
  return {
    fill(subscriptions) {
      filled = subscriptions;
      for (let index = 0; index < subscriptions; index += 1) {
        subscribe(`run.${index % 1_000}.task.${index}.*`, () => {
          delivered += 1;
        });
      }
    },
    summarise() {
      for (let index = 0; index < filled; index += 1) publish(`run.${index % 1_000}.task.${index}.event`);
      return delivered;
    },
  };
}
