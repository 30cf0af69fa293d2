import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import { defineWorkload, type PreparedVariant, quantile } from '@cadre/bench';

const subject = 'run.7.task.collect.event';
const source = 'the original reports: "1.59 M messages per second, p95 2 µs"';

interface Event {
  readonly value: number;
}

interface Summary {
  readonly messages: number;
  readonly sum: number;
}

export default defineWorkload<Summary>({
  question: 'Publish messages to one subscriber in the same process.',
  claims: [
    {
      what: 'messages, one publisher and one subscriber',
      unit: 'perSecond',
      claimed: 1.59e6,
      source,
      read: ({ rate }) => rate(),
      explain: ({ verdict, figures }) =>
        `${
          verdict === 'missed' ? 'Something else used the core' : 'Dispatch is a call of the handler'
        }; eventemitter3, which does nothing but call, takes ${figures.times('eventemitter3').estimate.toFixed(2)}× our time.`,
    },
    {
      what: 'p95 from publish to handler',
      unit: 'nanoseconds',
      claimed: 2000,
      source,
      read: ({ probe }) => probe('p95'),
      explain: ({ verdict }) =>
        verdict === 'missed'
          ? 'The subscriber is called before publish returns, so that only a pause of the machine can take so long.'
          : 'The subscriber is called before publish returns; most of the figure is reading the clock twice.',
    },
  ],
  probes: {
    async p95() {
      const { createBus } = await import('@cadre/bus');
      const bus = createBus();
      const latencies: number[] = [];
      bus.subscribe<{ at: bigint }>(subject, ({ data }) => {
        latencies.push(Number(process.hrtime.bigint() - data.at));
      });
      // The first half is for the compiler.
      for (let sent = 0; sent < 200_000; sent += 1) bus.publish(subject, { at: process.hrtime.bigint() });
      strictEqual(latencies.length, 200_000);
      await bus.close();
      return quantile(latencies.slice(100_000), 0.95);
    },
  },
  sizes: { full: 10_000, small: 100 },
  make: (size) => ({
    unit: 'message',
    unitsPerIteration: size,
    validate: (summary, iterations) =>
      deepStrictEqual(summary, { messages: iterations * size, sum: (iterations * size * (size - 1)) / 2 }),
    variants: {
      async cadre() {
        const { createBus } = await import('@cadre/bus');
        const bus = createBus();
        return sending(size, (visit) => {
          bus.subscribe<Event>(subject, ({ data }) => visit(data));
          return (event) => void bus.publish(subject, event);
        });
      },
      async eventemitter3() {
        const { EventEmitter } = await import('eventemitter3');
        const emitter = new EventEmitter();
        return sending(size, (visit) => {
          emitter.on(subject, visit);
          return (event) => void emitter.emit(subject, event);
        });
      },
      async mitt() {
        const { openMitt } = await import('../rivals/mitt.ts');
        const emitter = openMitt<Event>();
        return sending(size, (visit) => {
          emitter.on(subject, visit);
          return (event) => emitter.emit(subject, event);
        });
      },
    },
  }),
});

function sending(
  size: number,
  subscribe: (visit: (event: Event) => void) => (event: Event) => void,
): PreparedVariant<Summary> {
  let summary = { messages: 0, sum: 0 };
  const publish = subscribe(({ value }) => {
    summary.messages += 1;
    summary.sum += value;
  });
  return {
    run(iterations) {
      summary = { messages: 0, sum: 0 };
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        for (let value = 0; value < size; value += 1) publish({ value });
      }
      return summary;
    },
  };
}
