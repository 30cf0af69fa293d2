import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePort, hasNatsServer, type NatsServer, startNatsServer } from '../test/nats-server.ts';
import { gate } from '../test/reading.ts';
import { createBus } from './bus.ts';
import { openNatsTransport } from './nats.ts';
import type { TransportStatus } from './transport.ts';

if (!hasNatsServer && process.env.CADRE_REQUIRE_SERVICES === '1') throw new Error('nats-server is not installed');
if (!hasNatsServer) console.warn('nats-server is not installed: the tests of durable subjects are skipped');

const soak = process.env.CADRE_SOAK === '1';
const members = new Set<ChildProcess>();

describe.skipIf(!hasNatsServer)('durable subjects', () => {
  let server: NatsServer;
  let count = 0;
  const newStream = () => {
    const stream = `S${count++}`;
    return { stream, subjects: [`${stream}.>`], retryMs: 1, ackWaitMs: 2_000, maxDeliveries: 3 };
  };

  beforeAll(async () => {
    server = await startNatsServer();
  });

  afterEach(async () => {
    await Promise.all([...members].map(endMember));
  });

  afterAll(() => server.stop());

  test('hands over what was stored before the subscriber came, in order, and to one of a group', async () => {
    const durable = [newStream()];
    const subject = `${durable[0]?.stream}.a`;
    await using one = createBus({ transport: await openNatsTransport({ servers: [server.address], durable }) });
    for (let index = 0; index < 50; index++) await one.publish(subject, index);
    const seen: number[] = [];
    await new Promise<void>((resolve) => {
      for (let member = 0; member < 2; member++) {
        one.subscribe<number>(subject, ({ data }) => void (seen.push(data) === 50 && resolve()), { queue: 'w' });
      }
    });
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  test('keeps one of two messages with the same message-id', async () => {
    const durable = [newStream()];
    const subject = `${durable[0]?.stream}.a`;
    await using bus = createBus({ transport: await openNatsTransport({ servers: [server.address], durable }) });
    for (let index = 0; index < 3; index++) await bus.publish(subject, index, { headers: { 'message-id': 'same' } });
    await bus.publish(subject, 'end');
    const seen: unknown[] = [];
    await new Promise<void>((resolve) => {
      bus.subscribe(subject, ({ data }) => void (seen.push(data) && data === 'end' && resolve()), { queue: 'w' });
    });
    expect(seen).toEqual([0, 'end']);
  });

  test('delivers again what a handler failed at, and lays it to rest after maxDeliveries', async () => {
    const durable = [newStream()];
    const { stream } = durable[0] ?? { stream: '' };
    const transport = await openNatsTransport({ servers: [server.address], durable });
    await using bus = createBus({ transport });
    const dead = bus.subscribe(`dead.${stream}.>`);
    const iterator = dead[Symbol.asyncIterator]();
    await bus.flush();
    const buried = new Promise<TransportStatus>((resolve) => {
      transport.observe((status) => {
        if (status.type === 'deadLettered') resolve(status);
      });
    });
    let tries = 0;
    bus.subscribe(
      `${stream}.*`,
      ({ data }) => {
        if (data === 'poison') tries++;
        if (data === 'poison') throw new Error('no');
      },
      { queue: 'w' },
    );
    await bus.publish(`${stream}.bad`, 'poison');
    await bus.publish(`${stream}.good`, 'fine');
    expect((await iterator.next()).value).toMatchObject({ subject: `dead.${stream}.${stream}.bad`, data: 'poison' });
    expect(await buried).toMatchObject({ subject: `${stream}.bad`, deliveries: 3 });
    expect(tries).toBe(3);
  });

  // Without signs of life the server hands the message out a second time while the first handler is at it.
  test('keeps a message in hand for twice the acknowledgement wait while its handler works', async () => {
    const durable = [{ ...newStream(), ackWaitMs: 300 }];
    const stream = durable[0]?.stream;
    const client = await connect({ servers: [server.address] });
    await using bus = createBus({ transport: await openNatsTransport({ servers: [server.address], durable }) });
    let [calls, signs] = [0, 0];
    await new Promise<void>((resolve) => {
      client.subscribe(`$JS.ACK.${stream}.>`, {
        // Five of them are sent in each wait.
        callback: (_, message) => void (message.string() === '+WPI' && ++signs === 10 && resolve()),
      });
      const through = new Promise<void>((end) => {
        client.subscribe('through', { callback: () => end() });
      });
      bus.subscribe(
        `${stream}.slow`,
        async () => {
          if (++calls === 2) resolve();
          await through;
        },
        { queue: 'w' },
      );
      void client.flush().then(() => bus.publish(`${stream}.slow`, 1));
    });
    client.publish('through');
    await client.flush();
    expect([calls, signs]).toEqual([1, 10]);
    await client.close();
  });

  // A reader that asks for messages whatever it has in hand, as the client's own `consume` does, soon has more than 10.
  // One that has two requests open at once hands them over out of order.
  test('has no more in hand than maxInHand, however slow its handler is', async () => {
    const durable = [{ ...newStream(), maxInHand: 10 }];
    const subject = `${durable[0]?.stream}.a`;
    await using bus = createBus({ transport: await openNatsTransport({ servers: [server.address], durable }) });
    for (let index = 0; index < 200; index++) await bus.publish(subject, index);
    let most = 0;
    const seen: number[] = [];
    await new Promise<void>((resolve) => {
      const subscription = bus.subscribe<number>(
        subject,
        async ({ data }) => {
          // A round trip to the server, and whatever it has on its way is here.
          await bus.flush();
          most = Math.max(most, subscription.queued + 1);
          if (seen.push(data) === 200) resolve();
        },
        { queue: 'w' },
      );
    });
    expect(seen).toEqual(Array.from({ length: 200 }, (_, index) => index));
    expect(most).toBeGreaterThan(5);
    expect(most).toBeLessThanOrEqual(10);
  });

  // With what was handled remembered by pattern alone, the second subscription's message is acknowledged unhandled.
  test('does not take what one subscription has handled for handled by another of the same pattern', async () => {
    const durable = [newStream()];
    const subject = `${durable[0]?.stream}.a`;
    await using bus = createBus({ transport: await openNatsTransport({ servers: [server.address], durable }) });
    const handled = bus.subscribe(subject)[Symbol.asyncIterator]();
    let tries = 0;
    const retried = new Promise<void>((resolve) => {
      bus.subscribe(subject, () => {
        if (++tries === 1) throw new Error('once');
        resolve();
      });
    });
    await bus.flush();
    await bus.publish(subject, 1);
    await handled.next();
    // Asking for the next says that this one is handled.
    void handled.next();
    await retried;
    expect(tries).toBe(2);
  });

  // A consumer made anew from what comes next misses what was stored while there was none.
  test('goes on where it was when the server has forgotten a subscription of its own', async () => {
    const durable = [{ ...newStream(), maxInHand: 4 }];
    const { stream } = durable[0] ?? { stream: '' };
    const client = await connect({ servers: [server.address] });
    const { consumers } = await jetstreamManager(client);
    await using bus = createBus({ transport: await openNatsTransport({ servers: [server.address], durable }) });
    const seen: number[] = [];
    const { opened: all, open: resolve } = gate();
    bus.subscribe<number>(`${stream}.a`, ({ data }) => void (seen.push(data) === 40 && resolve()));
    await bus.flush();
    for (let index = 0; index < 40; index++) {
      if (index === 20) {
        const names: string[] = [];
        for await (const { name } of consumers.list(stream)) names.push(name);
        expect(names).toHaveLength(1);
        expect(await consumers.delete(stream, names[0] ?? '')).toBe(true);
      }
      await bus.publish(`${stream}.a`, index);
    }
    await all;
    expect(seen).toEqual(Array.from({ length: 40 }, (_, index) => index));
    await client.close();
  });

  // A member that goes on with all it had when it was stopped does its whole share a second time.
  test('gives the jobs of a member that is stopped to another, and repeats only what it had begun', async () => {
    const rounds = soak ? 20 : 1;
    const totals = { jobs: 0, done: 0, twice: 0, overdue: 0, givenUp: 0 };
    for (let round = 0; round < rounds; round++) {
      const durable = [{ ...newStream(), ackWaitMs: 1_000, maxInHand: 8, maxDeliveries: 100 }];
      const { stream } = durable[0] ?? { stream: '' };
      const done = new Map<number, number>();
      const noteDone = (job: number) => done.set(job, (done.get(job) ?? 0) + 1);
      const member = startMember({ servers: [server.address], durable });
      member.on('message', (told: MemberMessage) => {
        if (told.type === 'done') noteDone(told.job);
        if (told.type === 'overdue') totals.overdue++;
      });
      await heard(member, 'ready');
      await using bus = createBus({ transport: await openNatsTransport({ servers: [server.address], durable }) });
      const begun = heard(member, 'begun');
      for (let job = 0; job < 40; job++) await bus.publish(`${stream}.a`, job);
      await begun;
      member.kill('SIGSTOP');
      const { opened: all, open: resolve } = gate();
      bus.subscribe<number>(`${stream}.*`, ({ data }) => void (noteDone(data).size === 40 && resolve()), {
        queue: 'w',
      });
      await all;
      member.kill('SIGCONT');
      const drained = heard(member, 'drained');
      member.send('go');
      member.send('drain');
      totals.givenUp += (await drained).dropped;
      await endMember(member);
      totals.jobs += 40;
      totals.done += done.size;
      totals.twice += [...done.values()].filter((times) => times > 1).length;
    }
    console.info(
      `a member stopped ${rounds} times: ${totals.jobs} jobs, ${totals.done} done, ${totals.twice} twice, ${totals.overdue} told as overdue, ${totals.givenUp} given up`,
    );
    expect(totals).toEqual({
      jobs: 40 * rounds,
      done: 40 * rounds,
      twice: rounds,
      overdue: rounds,
      givenUp: 7 * rounds,
    });
  }, 120_000);

  test('loses nothing that was stored when the server is killed, and goes on by itself', async () => {
    const own = await startNatsServer();
    try {
      const durable = [newStream()];
      const { stream } = durable[0] ?? { stream: '' };
      const transport = await openNatsTransport({ servers: [own.address], durable });
      const bus = createBus({ transport });
      const seen = new Map<number, number>();
      const total = 300;
      const all = new Promise<void>((resolve) => {
        bus.subscribe<number>(
          `${stream}.*`,
          ({ data }) => {
            seen.set(data, (seen.get(data) ?? 0) + 1);
            if (seen.size === total) resolve();
          },
          { queue: 'w' },
        );
      });
      let kills = 0;
      for (let index = 0; index < total; index++) {
        const published = bus.publish(`${stream}.a`, index);
        if (index % (soak ? 30 : 300) === 20) {
          await own.kill('SIGKILL');
          kills++;
          await own.restart();
        }
        await published;
      }
      await all;
      const twice = [...seen.values()].filter((times) => times > 1).length;
      console.info(`nats-server killed ${kills} times: ${total} stored, ${seen.size} delivered, ${twice} twice`);
      expect(kills).toBe(soak ? 10 : 1);
      await bus.close();
      await transport.close();
    } finally {
      await own.stop();
    }
  }, 300_000);

  test('goes on when the leader of a three-node cluster is killed', async () => {
    const routes = [await freePort(), await freePort(), await freePort()];
    const servers = await Promise.all(
      routes.map((route, index) =>
        startNatsServer(() => [
          ...['-n', `n${index}`, '--cluster_name', 'c', '--cluster', `nats://127.0.0.1:${route}`],
          ...['--routes', routes.map((each) => `nats://127.0.0.1:${each}`).join(',')],
        ]),
      ),
    );
    try {
      const durable = [{ ...newStream(), replicas: 3 }];
      const { stream } = durable[0] ?? { stream: '' };
      const addresses = servers.map(({ address }) => address);
      await Promise.any(servers.map((each) => each.logged(/metadata leader/)));
      const transport = await openNatsTransport({ servers: addresses, durable });
      const bus = createBus({ transport });
      const seen = new Set<number>();
      const total = 200;
      const all = new Promise<void>((resolve) => {
        bus.subscribe<number>(`${stream}.*`, ({ data }) => void (seen.add(data).size === total && resolve()), {
          queue: 'w',
        });
      });
      const client = await connect({ servers: addresses });
      let killed: string | undefined;
      for (let index = 0; index < total; index++) {
        if (index === 100) {
          const info = await (await jetstreamManager(client)).streams.info(stream);
          killed = info.cluster?.leader;
          await servers[Number(killed?.slice(1))]?.kill('SIGKILL');
        }
        await bus.publish(`${stream}.a`, index);
      }
      await all;
      console.info(`leader ${killed} of 3 killed: ${total} stored, ${seen.size} delivered`);
      expect(killed).toMatch(/^n[012]$/);
      await client.close();
      await bus.close();
      await transport.close();
    } finally {
      await Promise.all(servers.map((each) => each.stop()));
    }
  }, 120_000);
});

interface MemberMessage {
  readonly type: string;
  readonly job: number;
  readonly dropped: number;
}

function startMember(options: object): ChildProcess {
  const member = fork(new URL('../test/programs/nats-peer.mjs', import.meta.url), [JSON.stringify(options)], {
    execArgv: [],
  });
  members.add(member);
  return member;
}

async function heard(member: ChildProcess, type: string): Promise<MemberMessage> {
  return new Promise((resolve) => {
    const listen = (told: MemberMessage) => {
      if (told.type !== type) return;
      member.off('message', listen);
      resolve(told);
    };
    member.on('message', listen);
  });
}

async function endMember(member: ChildProcess): Promise<void> {
  members.delete(member);
  if (member.exitCode !== null || member.signalCode !== null) return;
  member.kill('SIGKILL');
  await once(member, 'exit');
}
