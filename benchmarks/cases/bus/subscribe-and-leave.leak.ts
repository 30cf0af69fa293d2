import { strictEqual } from 'node:assert/strict';
import { defineLeak, type PreparedLeak } from '@cadre/bench';

export default defineLeak<number>({
  question: 'What does a subscription leave behind that got one message and was closed, each on a subject of its own?',
  unit: 'subscription',
  cyclesPerSample: 2000,
  samples: 20,
  warmupSamples: 8,
  validate: (delivered, cycles) => strictEqual(delivered, cycles),
  variants: {
    async cadre() {
      const { createBus } = await import('@cadre/bus');
      const bus = createBus();
      return prepare(
        async (subject, onMessage) => {
          const subscription = bus.subscribe(subject, onMessage);
          await bus.publish(subject, 1);
          await subscription.close();
        },
        () => bus.close(),
      );
    },
    async eventemitter3() {
      const { EventEmitter } = await import('eventemitter3');
      const emitter = new EventEmitter();
      return prepare(async (subject, onMessage) => {
        emitter.on(subject, onMessage);
        emitter.emit(subject, 1);
        emitter.off(subject, onMessage);
      });
    },
  },
});

function prepare(
  subscribeOnce: (subject: string, onMessage: () => void) => Promise<void>,
  close: () => Promise<void> | void = () => undefined,
): PreparedLeak<number> {
  let [cycles, delivered] = [0, 0];
  return {
    async cycle() {
      cycles += 1;
      await subscribeOnce(`run.${cycles}.event`, () => {
        delivered += 1;
      });
    },
    summarise: () => delivered,
    close,
  };
}
