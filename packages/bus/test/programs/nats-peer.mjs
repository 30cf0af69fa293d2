// A member of a queue group on NATS, in a process of its own, to be stopped: says what it begins, what it is through with and what it is told.
import { createBus } from '../../dist/index.js';
import { openNatsTransport } from '../../dist/nats.js';

const { servers, durable } = JSON.parse(process.argv[2]);
const transport = await openNatsTransport({ servers, durable });
const bus = createBus({ transport });
let go;
const mayFinish = new Promise((resolve) => {
  go = resolve;
});
const subscription = bus.subscribe(
  `${durable[0].stream}.*`,
  async ({ data }) => {
    process.send({ type: 'begun', job: data });
    await mayFinish;
    process.send({ type: 'done', job: data });
  },
  { queue: 'w' },
);
transport.observe((status) => process.send(status));
process.on('message', async (order) => {
  if (order === 'go') go();
  if (order !== 'drain') return;
  await subscription.drain();
  process.send({ type: 'drained', delivered: subscription.delivered, dropped: subscription.dropped });
});
await bus.flush();
process.send({ type: 'ready' });
