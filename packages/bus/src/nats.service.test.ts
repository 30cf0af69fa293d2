import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, hasNatsServer, type NatsServer, startNatsServer } from '../test/nats-server.ts';
import { createBus } from './bus.ts';
import { openNatsTransport } from './nats.ts';
import { transportContract } from './testing.ts';
import type { TransportStatus } from './transport.ts';

if (!hasNatsServer && process.env.CADRE_REQUIRE_SERVICES === '1') throw new Error('nats-server is not installed');
if (!hasNatsServer) console.warn('nats-server is not installed: the tests of the nats transport are skipped');

const soak = process.env.CADRE_SOAK === '1';

describe.skipIf(!hasNatsServer)('natsTransport', () => {
  let server: NatsServer;
  let count = 0;
  const open = (payload: 'json' | 'msgpack' = 'json') => openNatsTransport({ servers: [server.address], payload });
  const newStream = () => {
    const stream = `S${count++}`;
    return { stream, subjects: [`${stream}.>`], retryMs: 1, ackWaitMs: 2_000, maxDeliveries: 3 };
  };

  beforeAll(async () => {
    server = await startNatsServer();
  });

  afterAll(() => server.stop());

  describe('with JSON', () => {
    transportContract({ test, open, openPair: async () => [await open(), await open()] });
  });

  describe('with MessagePack', () => {
    transportContract({ test, open: () => open('msgpack') });
  });

  test('is read and answered by any NATS client', async () => {
    await using bus = createBus({ transport: await open() });
    const client = await connect({ servers: [server.address] });
    const subscription = client.subscribe('run.*.finished', { max: 1 });
    await client.flush();
    void bus.publish('run.7.finished', { ok: true, cost: 0.5 }, { headers: { trace: 'abc' } });
    for await (const message of subscription) {
      expect(message.json()).toEqual({ ok: true, cost: 0.5 });
      expect(message.headers?.get('trace')).toBe('abc');
    }
    client.subscribe('square', {
      callback: (_, message) => void message.respond(JSON.stringify(message.json<number>() ** 2)),
    });
    await client.flush();
    expect((await bus.request<number>('square', 7)).data).toBe(49);
    const heard = bus.subscribe('from.stranger');
    const iterator = heard[Symbol.asyncIterator]();
    await bus.flush();
    client.publish('from.stranger', '{"n":1}');
    client.publish('from.stranger', 'no json');
    expect((await iterator.next()).value?.data).toEqual({ n: 1 });
    expect(String((await iterator.next()).value?.data)).toBe('no json');
    await client.close();
  });

  test('leaves a connection open that was passed in', async () => {
    const connection = await connect({ servers: [server.address] });
    const transport = await openNatsTransport({ connection });
    await transport.close();
    expect(connection.isClosed()).toBe(false);
    await connection.close();
  });

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
  test('keeps a message in hand for longer than the acknowledgement wait while its handler works', async () => {
    const durable = [{ ...newStream(), ackWaitMs: 300 }];
    const subject = `${durable[0]?.stream}.slow`;
    await using bus = createBus({ transport: await openNatsTransport({ servers: [server.address], durable }) });
    let calls = 0;
    const through = new Promise<void>((resolve) => {
      bus.subscribe(
        subject,
        async () => {
          calls++;
          // Three times the wait: this is the time that the promise is about.
          await new Promise((done) => setTimeout(done, 900));
          resolve();
        },
        { queue: 'w' },
      );
    });
    await bus.publish(subject, 1);
    await through;
    expect(calls).toBe(1);
  });

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
      const transport = await openWhenReady(() => openNatsTransport({ servers: addresses, durable }));
      const bus = createBus({ transport });
      const seen = new Set<number>();
      const total = 200;
      const all = new Promise<void>((resolve) => {
        bus.subscribe<number>(`${stream}.*`, ({ data }) => void (seen.add(data).size === total && resolve()), {
          queue: 'w',
        });
      });
      const { jetstreamManager } = await import('@nats-io/jetstream');
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

  test.for<[object, string]>([
    [{}, '`connection`'],
    [{ servers: ['127.0.0.1:1'], durable: [{ stream: 'a b', subjects: [] }] }, '`stream`'],
    [{ servers: ['127.0.0.1:1'], durable: [{ stream: 'a', subjects: ['a'], replicas: 0 }] }, '`replicas`'],
  ])('refuses the options %j', async ([options, message]) => {
    await expect(openNatsTransport(options)).rejects.toThrow(message);
  });
});

/** A cluster needs a moment to choose who leads it. */
async function openWhenReady<T>(open: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await open();
    } catch (error) {
      if (tries === 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}
