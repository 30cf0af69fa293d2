import { deepStrictEqual } from 'node:assert/strict';
import { defineCase, type PreparedVariant } from '@cadre/bench';

const runs = 20;
const tasks = 50;
/** 71 patterns, three of which match each subject: its run's, its task's, and the one for all. */
const patterns = [
  ...Array.from({ length: runs }, (_, run) => ['run', String(run), 'task', '*', 'event']),
  ...Array.from({ length: tasks }, (_, task) => ['run', '*', 'task', String(task), 'event']),
];
const subjects = Array.from({ length: runs * tasks }, (_, index) => [
  'run',
  String(index % runs),
  'task',
  String(Math.floor(index / runs)),
  'event',
]).map((tokens) => tokens.join('.'));

interface Message {
  readonly value: number;
}

interface Summary {
  readonly deliveries: number;
  readonly sum: number;
}

export default defineCase<Summary>({
  question: 'How long does it take to publish to 1,000 subjects, each matched by 3 of 71 wildcard patterns?',
  unit: 'message',
  unitsPerIteration: subjects.length,
  validate(summary, iterations) {
    const each = (subjects.length * (subjects.length - 1)) / 2;
    deepStrictEqual(summary, { deliveries: 3 * iterations * subjects.length, sum: 3 * iterations * each });
  },
  variants: {
    async cadre() {
      const { createBus } = await import('@cadre/bus');
      const bus = createBus();
      return prepare(
        [...patterns.map((tokens) => tokens.join('.')), 'run.>'],
        (pattern, visit) => bus.subscribe<Message>(pattern, ({ data }) => visit(data)),
        (subject, message) => void bus.publish(subject, message),
        () => bus.close(),
      );
    },
    async eventemitter2() {
      const { EventEmitter2 } = (await import('eventemitter2')).default;
      const emitter = new EventEmitter2({ wildcard: true, delimiter: '.', maxListeners: 0 });
      return prepare(
        [...patterns.map((tokens) => tokens.join('.')), 'run.**'],
        (pattern, visit) => emitter.on(pattern, visit),
        (subject, message) => emitter.emit(subject, message),
      );
    },
  },
});

function prepare(
  all: readonly string[],
  subscribe: (pattern: string, visit: (message: Message) => void) => unknown,
  publish: (subject: string, message: Message) => unknown,
  close: () => Promise<void> | void = () => undefined,
): PreparedVariant<Summary> {
  let summary = { deliveries: 0, sum: 0 };
  for (const pattern of all) {
    subscribe(pattern, (message) => {
      summary.deliveries += 1;
      summary.sum += message.value;
    });
  }
  return {
    run(iterations) {
      summary = { deliveries: 0, sum: 0 };
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        for (const [value, subject] of subjects.entries()) publish(subject, { value });
      }
      return summary;
    },
    close,
  };
}
