// Asks for keys that other processes ask for too; says what it computed itself. Arguments: store, where, leaseMs.
// Commands: `all <count>` asks for count keys; `slow <key>` says when it computes and goes on at `finish`; `quick <key>`;
// `renewals <count>` says when leases were renewed so many times.
import { createInterface } from 'node:readline';
import { createClient } from 'redis';
import { openDiskStore } from '../dist/disk.js';
import { createCache } from '../dist/index.js';
import { redisStore } from '../dist/redis.js';

const [kind, where, leaseMs] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
let client;
if (kind === 'redis') {
  client = createClient({ url: where });
  client.on('error', (error) => say({ error: error.message }));
  await client.connect();
}
const store = client === undefined ? await openDiskStore({ directory: where }) : redisStore({ client });
const renewed = countRenewals(store.leases);
const cache = createCache({
  stores: [store],
  secrets: [Buffer.alloc(32, 7)],
  leaseMs: Number(leaseMs),
  remoteTimeoutMs: 10_000,
});
let finish;
say({ ready: process.pid });
for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = line.split(' ');
  if (command === 'all') void askAll(Number(argument));
  if (command === 'slow') void slow(argument);
  if (command === 'quick') {
    const value = await cache.getOrSet(argument, () => `by ${process.pid}`);
    say({ value, ...countsOf() });
  }
  if (command === 'renewals') void renewed(Number(argument));
  if (command === 'finish') finish();
}
await cache.close();
await client?.close();

async function askAll(count) {
  const computed = [];
  const values = [];
  for (let index = 0; index < count; index += 1) {
    const compute = async () => {
      computed.push(index);
      await new Promise((resolve) => setTimeout(resolve, 2));
      return { index, by: process.pid };
    };
    values.push((await cache.getOrSet(`key ${index}`, compute, { tags: ['all', `tag ${index % 5}`] })).by);
  }
  say({ computed, values, ...countsOf() });
}

async function slow(key) {
  const value = await cache.getOrSet(key, async () => {
    say({ computing: process.pid });
    await new Promise((resolve) => {
      finish = resolve;
    });
    return `by ${process.pid}`;
  });
  say({ value, ...countsOf() });
}

function countsOf() {
  const { computedElsewhere, tiers } = cache.stats();
  return { computedElsewhere, refused: tiers[0].refused };
}

/** Gives what says that there were so many renewals, once there were. */
function countRenewals(leases) {
  const { acquire } = leases;
  let renewals = 0;
  let ask = () => undefined;
  leases.acquire = async (...request) => {
    const lease = await acquire(...request);
    if (lease === undefined) return undefined;
    const renew = async () => {
      const isOurs = await lease.renew();
      renewals += 1;
      ask();
      return isOurs;
    };
    return { ...lease, renew };
  };
  return (count) => {
    ask = () => {
      if (renewals < count) return;
      ask = () => undefined;
      say({ renewals });
    };
    ask();
  };
}
