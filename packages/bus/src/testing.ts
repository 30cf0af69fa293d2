/**
 * For those who write a transport: the suite that every transport passes, ours included. It asks nothing of the test
 * runner but a function `test(name, body)`, and waits for arrivals instead of for time.
 */
import assert from 'node:assert/strict';
import { noHeaders, PublishedMessage } from './message.ts';
import type { Receiver, Transport, TransportMessage } from './transport.ts';

export interface TransportContractOptions {
  /** The runner's own: `test` of vitest or of node:test. */
  readonly test: (name: string, body: () => Promise<void>) => unknown;
  /** A new transport, connected to nothing that another test uses. */
  readonly open: () => Promise<Transport> | Transport;
}

/** Registers one test for each thing that a transport promises. */
export function transportContract({ test, open }: TransportContractOptions): void {
  const check = (name: string, body: (transport: Transport) => Promise<void>) =>
    test(name, async () => {
      const transport = await open();
      try {
        await body(transport);
      } finally {
        await transport.close();
      }
    });

  check('has a name and says what it supports', async (transport) => {
    assert.notEqual(transport.name, '');
    assert.equal(typeof transport.supports.references, 'boolean');
    assert.equal(typeof transport.supports.backpressure, 'boolean');
  });

  check('carries subject, data, headers and reply', async (transport) => {
    const inbox = subscribe(transport, 'a.b');
    await transport.publish(new PublishedMessage('a.b', { n: [1, 'x', null] }, { h: '1' }, 'r.1'));
    const { subject, data, headers, reply } = await inbox.arrival(0);
    assert.deepEqual(
      { subject, data, headers: { ...headers }, reply },
      { subject: 'a.b', data: { n: [1, 'x', null] }, headers: { h: '1' }, reply: 'r.1' },
    );
  });

  check('hands over the very object, before publish returns, if it supports references', async (transport) => {
    if (!transport.supports.references) return;
    const inbox = subscribe(transport, 'a');
    const data = {};
    transport.publish(messageTo('a', data));
    assert.equal(inbox.arrived[0]?.data, data);
  });

  check('matches as NATS does', async (transport) => {
    const patterns = ['a.b', 'a.*', '*.b', 'a.>', '>', '*', 'a.*.c', 'b.>'];
    const inboxes = patterns.map((pattern) => subscribe(transport, pattern));
    const end = subscribe(transport, 'end');
    for (const subject of ['a', 'a.b', 'a.b.c', 'b']) await transport.publish(messageTo(subject, subject));
    await transport.publish(messageTo('end', 'end'));
    await end.arrival(0);
    const seen = inboxes.map((inbox) => inbox.arrived.map(({ data }) => data).filter((data) => data !== 'end'));
    assert.deepEqual(seen, [
      ['a.b'],
      ['a.b'],
      ['a.b'],
      ['a.b', 'a.b.c'],
      ['a', 'a.b', 'a.b.c', 'b'],
      ['a', 'b'],
      ['a.b.c'],
      [],
    ]);
  });

  check('keeps the order of one publisher over all subjects', async (transport) => {
    const inbox = subscribe(transport, '>');
    for (let index = 0; index < 500; index++) await transport.publish(messageTo(`s.${index % 7}`, index));
    await inbox.arrival(499);
    assert.deepEqual(
      inbox.arrived.map(({ data }) => data),
      Array.from({ length: 500 }, (_, index) => index),
    );
  });

  check('gives each message to one member of a queue group, and to all who are in none', async (transport) => {
    const members = ['jobs.*', 'jobs.*', 'jobs.>'].map((pattern) => subscribe(transport, pattern, 'workers'));
    const others = ['jobs.*', 'jobs.a'].map((pattern) => subscribe(transport, pattern));
    const end = subscribe(transport, 'end');
    for (let index = 0; index < 60; index++) await transport.publish(messageTo('jobs.a', index));
    await transport.publish(messageTo('end', 0));
    await end.arrival(0);
    const shared = members.flatMap((inbox) => inbox.arrived.map(({ data }) => Number(data)));
    assert.deepEqual(
      shared.sort((a, b) => a - b),
      Array.from({ length: 60 }, (_, index) => index),
    );
    for (const other of others) assert.equal(other.arrived.length, 60);
  });

  check('delivers nothing more to who has unsubscribed, however often it says so', async (transport) => {
    const gone = subscribe(transport, 'a');
    const stays = subscribe(transport, 'a');
    gone.unsubscribe();
    gone.unsubscribe();
    await transport.publish(messageTo('a', 1));
    await stays.arrival(0);
    assert.equal(gone.arrived.length, 0);
  });

  check('tells when nobody was there, and only then', async (transport) => {
    await new Promise<void>((resolve) => {
      transport.publish(messageTo('nobody.here', 1), resolve);
    });
    const inbox = subscribe(transport, 'somebody.*');
    let isTold = false;
    await transport.publish(messageTo('somebody.here', 1), () => {
      isTold = true;
    });
    await inbox.arrival(0);
    assert.equal(isTold, false);
    inbox.unsubscribe();
    await new Promise<void>((resolve) => {
      transport.publish(messageTo('somebody.here', 1), resolve);
    });
  });

  check('waits for a receiver that asks it to, if it supports backpressure', async (transport) => {
    if (!transport.supports.backpressure) return;
    let release: () => void = () => undefined;
    const room = new Promise<void>((resolve) => {
      release = resolve;
    });
    transport.subscribe('a', { hasRoom: true, deliver: () => room }, undefined);
    let isThrough = false;
    const published = Promise.resolve(transport.publish(messageTo('a', 1))).then(() => {
      isThrough = true;
    });
    await Promise.resolve();
    assert.equal(isThrough, false);
    release();
    await published;
  });

  check('refuses subjects and patterns that are none', async (transport) => {
    for (const subject of ['', '.', 'a.', '.a', 'a..b', 'a b', 'a\n', 'a.*', '>', 'a.b>']) {
      assert.throws(() => void transport.publish(messageTo(subject, 1)), { code: 'BUS_INVALID_SUBJECT' });
    }
    for (const pattern of ['', 'a.', 'a..b', 'a b', 'a.>.b', '>.a', 'a*', 'a.b>']) {
      assert.throws(() => transport.subscribe(pattern, receiver(), undefined), { code: 'BUS_INVALID_SUBJECT' });
    }
  });

  check('refuses work once closed, and is closed twice as well as once', async (transport) => {
    await Promise.all([transport.close(), transport.close()]);
    assert.throws(() => void transport.publish(messageTo('a', 1)), { code: 'BUS_CLOSED' });
    assert.throws(() => transport.subscribe('a', receiver(), undefined), { code: 'BUS_CLOSED' });
  });
}

interface Inbox {
  readonly arrived: readonly TransportMessage[];
  readonly unsubscribe: () => void;
  /** The message at `index`, once it is there. */
  arrival(index: number): Promise<TransportMessage>;
}

function subscribe(transport: Transport, pattern: string, queue?: string): Inbox {
  const arrived: TransportMessage[] = [];
  const waiting = new Map<number, (message: TransportMessage) => void>();
  const unsubscribe = transport.subscribe(
    pattern,
    {
      hasRoom: true,
      deliver: (message) => {
        arrived.push(message);
        waiting.get(arrived.length - 1)?.(message);
      },
    },
    queue,
  );
  const arrival = (index: number): Promise<TransportMessage> => {
    const message = arrived[index];
    return message === undefined ? new Promise((resolve) => waiting.set(index, resolve)) : Promise.resolve(message);
  };
  return { arrived, unsubscribe, arrival };
}

function messageTo(subject: string, data: unknown): TransportMessage {
  return new PublishedMessage(subject, data, noHeaders, undefined);
}

function receiver(): Receiver {
  return { hasRoom: true, deliver: () => undefined };
}
