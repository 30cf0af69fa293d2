// A thread with a transport of its own, told what to do by its parent: the far side of tests over threads.
import { parentPort, workerData } from 'node:worker_threads';
import { createBus } from '../../dist/index.js';
import { openThreadTransport } from '../../dist/threads.js';

const transport = await openThreadTransport(workerData.link);
const bus = createBus({ transport });

const roles = {
  /** Answers with what it is asked. */
  echo: () => bus.subscribe('echo', (message) => message.respond?.(message.data)),
  count: () => bus.subscribe('count.>', () => void Atomics.add(workerData.taken, 0, 1)),
  /** A member of a group that takes its time over each job. */
  work: () =>
    bus.subscribe(
      'jobs',
      async ({ data }) => {
        await new Promise((resolve) => setImmediate(resolve));
        bus.publish('done', data);
      },
      { queue: 'workers', maxQueued: 100_000 },
    ),
  /** Dies when half of a large record is in the ring. */
  tear: () => {
    const { set } = Uint8Array.prototype;
    Uint8Array.prototype.set = function (source, offset) {
      if (!(this.buffer instanceof SharedArrayBuffer) || source.length < 50_000) return set.call(this, source, offset);
      set.call(this, source.subarray(0, source.length / 2), offset);
      process.exit();
    };
    bus.subscribe('tear', () => {
      for (let index = 0; index < 3; index++) bus.publish('flood', { index, text: 'x'.repeat(1_000) });
      bus.publish('flood', { index: 3, text: 'x'.repeat(100_000) });
    });
  },
  /** Publishes without end, until it is ended. */
  flood: async () => {
    const text = 'x'.repeat(workerData.bytes);
    for (let index = 0; ; index++) {
      await bus.publish('flood', { index, text });
      if (index % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  },
};

void roles[workerData.role]();
await transport.flush();
parentPort.postMessage('ready');
parentPort.on('message', () => parentPort.postMessage(Atomics.load(workerData.taken, 0)));
