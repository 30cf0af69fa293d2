/**
 * For those who write a transport: the suite that every transport passes, ours included. It asks nothing of the test
 * runner but a function `test(name, body)`, and waits for arrivals instead of for time.
 */
import assert from 'node:assert/strict';
import { createBus } from './bus.ts';
import { messageTo, receiver, subscribe } from './contract-inbox.ts';
import { type Message, PublishedMessage } from './message.ts';
import type { Transport } from './transport.ts';

export interface TransportContractOptions {
  /** The runner's own: `test` of vitest or of node:test. */
  readonly test: (name: string, body: () => Promise<void>) => unknown;
  /** A new transport, connected to nothing that another test uses. */
  readonly open: () => Promise<Transport> | Transport;
  /** Two new transports that reach each other; where it is left out, what goes between two is not tested. */
  readonly openPair?: () => Promise<readonly [Transport, Transport]>;
  /** Called after each test, once its transports are closed. */
  readonly cleanUp?: () => Promise<void>;
}

/** Registers one test for each thing that a transport promises. */
export function transportContract({ test, open, openPair, cleanUp }: TransportContractOptions): void {
  const check = (name: string, body: (transport: Transport) => Promise<void>) =>
    test(name, async () => {
      const transport = await open();
      try {
        await body(transport);
      } finally {
        await transport.close();
        await cleanUp?.();
      }
    });
  const checkPair = (name: string, body: (one: Transport, other: Transport) => Promise<void>) => {
    if (openPair === undefined) return;
    test(name, async () => {
      const [one, other] = await openPair();
      try {
        await body(one, other);
      } finally {
        await Promise.all([one.close(), other.close()]);
        await cleanUp?.();
      }
    });
  };

  check('has a name and says what it supports', async (transport) => {
    assert.notEqual(transport.name, '');
    assert.equal(typeof transport.supports.references, 'boolean');
    assert.equal(typeof transport.supports.backpressure, 'boolean');
    assert.equal(typeof transport.supports.acknowledgement, 'boolean');
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

  check('hands a message once to each of several matching subscriptions', async (transport) => {
    const inboxes = ['a.*', 'a.>', '>', 'a.b', 'a.b'].map((pattern) => subscribe(transport, pattern));
    const end = subscribe(transport, 'end');
    for (let index = 0; index < 20; index++) await transport.publish(messageTo('a.b', index));
    await transport.publish(messageTo('end', 0));
    await end.arrival(0);
    for (const inbox of inboxes) assert.equal(inbox.arrived.filter(({ subject }) => subject === 'a.b').length, 20);
  });

  check('lets receivers subscribe and unsubscribe while they receive', async (transport) => {
    const late: unknown[] = [];
    const first = subscribe(transport, 'a', undefined, () => {
      first.unsubscribe();
      transport.subscribe('a', { hasRoom: true, deliver: ({ data }) => void late.push(data) }, undefined);
    });
    const other = subscribe(transport, 'a');
    await transport.publish(messageTo('a', 1));
    await other.arrival(0);
    await first.arrival(0);
    await transport.flush();
    await transport.publish(messageTo('a', 2));
    await other.arrival(1);
    await transport.flush();
    assert.equal(first.arrived.length, 1);
    assert.deepEqual(late, [2]);
  });

  check('carries bytes, large messages and shapes of any kind', async (transport) => {
    const inbox = subscribe(transport, 'a');
    const values = [
      new Uint8Array([1, 2, 255]),
      'ü'.repeat(100_000),
      Array.from({ length: 200 }, (_, index) => ({ [`key${index}`]: index, shared: { x: index } })),
      null,
      0,
      '',
      false,
    ];
    for (const value of values) await transport.publish(messageTo('a', value));
    await inbox.arrival(values.length - 1);
    const [bytes, ...others] = inbox.arrived.map(({ data }) => data);
    assert.ok(bytes instanceof Uint8Array);
    assert.deepEqual([...bytes], [1, 2, 255]);
    assert.deepEqual(others, values.slice(1));
  });

  check('flushes, and is heard of', async (transport) => {
    const stop = transport.observe(() => undefined);
    await transport.flush();
    stop();
    stop();
  });

  checkPair('carries messages from one to the other, in order, each once', async (one, other) => {
    const inbox = subscribe(other, 'from.*');
    await other.flush();
    for (let index = 0; index < 2_000; index++) {
      await one.publish(messageTo(`from.${index % 3}`, { index, text: `message ${index}` }));
    }
    await inbox.arrival(1_999);
    assert.deepEqual(
      inbox.arrived.map(({ data }) => data),
      Array.from({ length: 2_000 }, (_, index) => ({ index, text: `message ${index}` })),
    );
  });

  // Two dictionaries of shapes that were filled on their own read each other's objects as garbage.
  checkPair('understands objects whose shapes the two met in different order', async (one, other) => {
    const shapes = Array.from({ length: 40 }, (_, index) => ({ [`a${index}`]: 1, [`b${index}`]: { c: index } }));
    const [atOne, atOther] = [subscribe(one, 'to.one'), subscribe(other, 'to.other')];
    await Promise.all([one.flush(), other.flush()]);
    for (const shape of shapes) await one.publish(messageTo('to.other', shape));
    for (const shape of shapes.toReversed()) await other.publish(messageTo('to.one', shape));
    await Promise.all([atOne.arrival(39), atOther.arrival(39)]);
    assert.deepEqual(
      atOther.arrived.map(({ data }) => data),
      shapes,
    );
    assert.deepEqual(
      atOne.arrived.map(({ data }) => data),
      shapes.toReversed(),
    );
  });

  checkPair('shares a queue group between them', async (one, other) => {
    const members = [subscribe(one, 'jobs.*', 'workers'), subscribe(other, 'jobs.*', 'workers')];
    const end = [subscribe(one, 'end'), subscribe(other, 'end')];
    await Promise.all([one.flush(), other.flush()]);
    for (let index = 0; index < 100; index++) await one.publish(messageTo('jobs.a', index));
    await one.publish(messageTo('end', 0));
    await Promise.all(end.map((inbox) => inbox.arrival(0)));
    const shared = members.flatMap((inbox) => inbox.arrived.map(({ data }) => Number(data)));
    assert.deepEqual(
      shared.sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, index) => index),
    );
    for (const { arrived } of members) assert.ok(arrived.length > 0);
  });

  checkPair('tells one that nobody is there once the other has gone', async (one, other) => {
    const inbox = subscribe(other, 'there');
    await other.flush();
    await one.publish(messageTo('there', 1), () => assert.fail('somebody was there'));
    await inbox.arrival(0);
    await other.close();
    await one.flush();
    await new Promise<void>((resolve) => {
      one.publish(messageTo('there', 1), resolve);
    });
  });

  // Closed at once, the subscription drops what is on its way.
  check('drains a subscription: what was published before is handled, and then it ends', async (transport) => {
    const bus = createBus({ transport });
    const handled: number[] = [];
    const subscription = bus.subscribe<number>('a.*', async ({ data }) => {
      await Promise.resolve();
      handled.push(data);
    });
    await bus.flush();
    for (let index = 0; index < 200; index++) await bus.publish('a.b', index);
    await Promise.all([subscription.drain(), subscription.drain()]);
    assert.deepEqual(
      handled,
      Array.from({ length: 200 }, (_, index) => index),
    );
    assert.deepEqual([subscription.dropped, subscription.queued], [0, 0]);
    await new Promise<void>((resolve) => {
      transport.publish(messageTo('a.b', 200), resolve);
    });
    await bus.close();
  });

  check('drains a subscription that is read: what was published before can still be read', async (transport) => {
    const bus = createBus({ transport });
    const subscription = bus.subscribe<number>('a');
    await bus.flush();
    for (let index = 0; index < 50; index++) await bus.publish('a', index);
    await subscription.drain();
    const read: number[] = [];
    for await (const { data } of subscription) read.push(data);
    assert.deepEqual(
      read,
      Array.from({ length: 50 }, (_, index) => index),
    );
    await bus.close();
  });

  // Closed at once, the bus drops what is on its way, and its handlers can't publish what they make of it.
  checkPair('drains a bus: what the other sent is handled, and what handlers publish arrives', async (one, other) => {
    const results = subscribe(one, 'result');
    const bus = createBus({ transport: other });
    bus.subscribe<number>('work', async ({ data }) => {
      await bus.publish('result', data);
    });
    await Promise.all([bus.flush(), one.flush()]);
    for (let index = 0; index < 200; index++) await one.publish(messageTo('work', index));
    await one.flush();
    await bus.drain();
    assert.throws(() => void bus.publish('result', -1), { code: 'BUS_CLOSED' });
    await results.arrival(199);
    assert.deepEqual(
      results.arrived.map(({ data }) => data),
      Array.from({ length: 200 }, (_, index) => index),
    );
  });

  // With the member's unsubscribing told first and what comes after that thrown away, what was on its way to it is done by nobody.
  checkPair('loses no job of a queue group when a member drains in the middle', async (one, other) => {
    const jobs = 2_000;
    const seen: number[] = [];
    let finish: () => void = () => undefined;
    const all = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const handle = ({ data }: Message) => {
      seen.push(Number(data));
      if (seen.length === jobs) finish();
    };
    const [stays, leaves] = [createBus({ transport: one }), createBus({ transport: other })];
    const options = { queue: 'workers', maxQueued: jobs };
    stays.subscribe('jobs', handle, options);
    const leaving = leaves.subscribe('jobs', handle, options);
    await Promise.all([stays.flush(), leaves.flush()]);
    let drained: Promise<void> | undefined;
    for (let index = 0; index < jobs; index++) {
      if (index === jobs / 2) drained = leaving.drain();
      await one.publish(messageTo('jobs', index));
      if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await drained;
    await all;
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      Array.from({ length: jobs }, (_, index) => index),
    );
    assert.ok(leaving.delivered > 0 && leaving.delivered < jobs);
    await Promise.all([stays.close(), leaves.close()]);
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
    await assert.rejects(transport.flush(), { code: 'BUS_CLOSED' });
  });
}
