// A peer in a process of its own: the far side of tests over the socket. `[path, role]` say what it does.
import { writeSync } from 'node:fs';
import { createBus } from '../../dist/index.js';
import { openSocketTransport } from '../../dist/socket.js';

const [path, role] = process.argv.slice(2);
const transport = await openSocketTransport({ path, peerName: role });
const bus = createBus({ transport });

const roles = {
  /** Notes each message on its standard output before it says that it has it. */
  note: () => bus.subscribe('note', ({ data }) => writeSync(1, `${data.index}\n`), { onOverflow: 'wait' }),
  /** A member of a group: notes a job when it is done. */
  work: () =>
    bus.subscribe(
      'jobs',
      async ({ data }) => {
        await new Promise((resolve) => setImmediate(resolve));
        writeSync(1, `${data}\n`);
      },
      { queue: 'workers', maxQueued: 100_000 },
    ),
  echo: () => bus.subscribe('echo', (message) => message.respond?.(message.data)),
};

roles[role]();
await bus.flush();
process.send('ready');
