import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasNatsServer, type NatsServer, startNatsServer } from '../test/nats-server.ts';
import { createBus } from './bus.ts';
import { openNatsTransport } from './nats.ts';
import { subjectMatches } from './subject.ts';
import { transportContract } from './testing.ts';

if (!hasNatsServer && process.env.CADRE_REQUIRE_SERVICES === '1') throw new Error('nats-server is not installed');
if (!hasNatsServer) console.warn('nats-server is not installed: the tests of the nats transport are skipped');

describe.skipIf(!hasNatsServer)('natsTransport', () => {
  let server: NatsServer;
  const open = (payload: 'json' | 'msgpack' = 'json') => openNatsTransport({ servers: [server.address], payload });

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
    client.publish('from.stranger', '"a sign that stands for none: \uFFFD"');
    client.publish('from.stranger', Uint8Array.of(0x22, 0xff, 0x22));
    expect((await iterator.next()).value?.data).toEqual({ n: 1 });
    expect(Buffer.from((await iterator.next()).value?.data as Uint8Array).toString()).toBe('no json');
    expect((await iterator.next()).value?.data).toBe('a sign that stands for none: \uFFFD');
    expect(Buffer.from((await iterator.next()).value?.data as Uint8Array).toString('hex')).toBe('22ff22');
    await client.close();
  });

  // A matcher for which `>` stands for no token as well differs from the server at the first `a.>`.
  test('matches every subject as the server itself does', async () => {
    const client = await connect({ servers: [server.address] });
    const tokens = ['a', 'b', 'ü'];
    const join = (lists: readonly (readonly string[])[]) => lists.flatMap((list) => list.join('.'));
    const upTo = (length: number, of: readonly string[]): readonly (readonly string[])[] =>
      length === 0
        ? [[]]
        : upTo(length - 1, of).flatMap((list) =>
            list.length === length - 1 ? [list, ...of.map((each) => [...list, each])] : [list],
          );
    const subjects = join(upTo(3, tokens)).filter((each) => each !== '');
    const patterns = [...join(upTo(3, ['a', 'b', '*'])).filter((each) => each !== '')];
    patterns.push(...patterns.map((each) => `${each}.>`), '>');
    const arrived = new Map(patterns.map((pattern) => [pattern, [] as string[]]));
    for (const [pattern, into] of arrived) {
      client.subscribe(pattern, { callback: (_, { subject }) => void into.push(subject) });
    }
    for (const subject of subjects) client.publish(subject);
    await client.flush();
    expect([patterns.length, subjects.length]).toEqual([79, 39]);
    for (const [pattern, into] of arrived) {
      expect([pattern, into]).toEqual([pattern, subjects.filter((subject) => subjectMatches(pattern, subject))]);
    }
    await client.close();
  });

  test('leaves a connection open that was passed in', async () => {
    const connection = await connect({ servers: [server.address] });
    // Nothing of ours stays with it either: each iterator of statuses that is left open is one more that it feeds for ever.
    const statuses: AsyncIterable<unknown>[] = [];
    const { status } = connection;
    connection.status = () => {
      const iterator = status.call(connection);
      statuses.push(iterator);
      return iterator;
    };
    const transport = await openNatsTransport({ connection });
    await transport.close();
    expect(statuses.map((each) => 'done' in each && each.done)).toEqual([true]);
    expect(connection.isClosed()).toBe(false);
    await connection.close();
  });

  test.for<[object, string]>([
    [{}, '`connection`'],
    [{ servers: ['127.0.0.1:1'], durable: [{ stream: 'a b', subjects: [] }] }, '`stream`'],
    [{ servers: ['127.0.0.1:1'], durable: [{ stream: 'a', subjects: ['a'], replicas: 0 }] }, '`replicas`'],
  ])('refuses the options %j', async ([options, message]) => {
    await expect(openNatsTransport(options)).rejects.toThrow(message);
  });
});
