import { describe, expect, test } from 'vitest';
import { gate } from '../test/reading.ts';
import { createBus } from './bus.ts';
import { transportContract } from './testing.ts';
import { openThreadHub, type ThreadHub } from './threads.ts';
import type { Transport } from './transport.ts';

describe('two in the thread of their hub', () => {
  let hub: ThreadHub;
  transportContract({
    test,
    open: () => {
      hub = openThreadHub();
      return hub.connect();
    },
    openPair: async () => {
      hub = openThreadHub();
      return [await hub.connect(), await hub.connect()];
    },
    cleanUp: () => hub.close(),
  });
});

describe('ThreadHub.connect', () => {
  test('hands on what was published, whatever its publisher does with it afterwards', async () => {
    await using hub = openThreadHub();
    const [one, other] = [createBus({ transport: await hub.connect() }), createBus({ transport: await hub.connect() })];
    const seen: unknown[] = [];
    other.subscribe('a', ({ data }) => void seen.push(data));
    const bytes = Uint8Array.of(1, 2, 3);
    const object = { deep: { is: 'so' } };
    one.publish('a', bytes);
    one.publish('a', object);
    bytes.fill(9);
    object.deep.is = 'different';
    expect(seen).toEqual([]);
    await other.flush();
    expect(seen).toEqual(
      [new Uint8Array([1, 2, 3]), { deep: { is: 'so' } }].map((each) => expect.objectContaining(each)),
    );
  });

  // Decoded with the shapes known when the first arrived, all those after it are read as garbage.
  test('reads every shape of object that its publisher comes up with on the way', async () => {
    await using hub = openThreadHub();
    const [one, other] = [createBus({ transport: await hub.connect() }), createBus({ transport: await hub.connect() })];
    const seen: unknown[] = [];
    other.subscribe('a', ({ data }) => void seen.push(data), { maxQueued: Number.POSITIVE_INFINITY });
    const objects = Array.from({ length: 300 }, (_, index) => ({ [`key${index % 50}`]: index, text: 'same' }));
    for (const object of objects) {
      one.publish('a', object);
      await other.flush();
    }
    for (const object of objects) one.publish('a', object);
    await other.flush();
    expect(seen).toEqual([...objects, ...objects]);
  });

  test('drops, and tells of it, what a subscriber has no room for', async () => {
    const messages = 100;
    await using hub = openThreadHub({ maxPeerBytes: 10_000 });
    const [near, far] = [await hub.connect(), await hub.connect()];
    const [one, other] = [createBus({ transport: near }), createBus({ transport: far })];
    const lost = countLost(near);
    const { open, opened } = gate();
    let delivered = 0;
    const takeIn = async () => {
      delivered++;
      await opened;
    };
    other.subscribe('a', takeIn, { maxQueued: 1, onOverflow: 'wait' });
    for (let index = 0; index < messages; index++) one.publish('a', 'x'.repeat(1_000));
    await one.flush();
    expect(lost.slowPeer).toBeGreaterThan(messages / 2);
    open();
    await other.close();
    expect(delivered + lost.slowPeer).toBe(messages);
    expect(await hub.status().next()).toMatchObject({ value: { type: 'peerJoined' } });
  });

  // Without the window the publisher is never held up.
  test('holds its publisher up where slow subscribers are waited for, and loses nothing', async () => {
    const messages = 1_000;
    await using hub = openThreadHub({ maxPeerBytes: 10_000, onSlowPeer: 'wait' });
    const near = await hub.connect({ maxWindowBytes: 20_000 });
    const [one, other] = [createBus({ transport: near }), createBus({ transport: await hub.connect() })];
    const seen: number[] = [];
    const takeIn = async ({ data }: { data: { index: number } }) => {
      await Promise.resolve();
      seen.push(data.index);
    };
    other.subscribe<{ index: number }>('a', takeIn, { maxQueued: 1, onOverflow: 'wait' });
    const waits = Array.from({ length: messages }, (_, index) => one.publish('a', { index, text: 'x'.repeat(1_000) }));
    expect(waits.filter((each) => each !== undefined).length).toBeGreaterThan(messages / 2);
    await Promise.all(waits);
    await other.drain();
    expect(seen).toEqual(Array.from({ length: messages }, (_, index) => index));
  });

  // With the jobs of a member that ends let go of, most of them are done by nobody.
  test('gives the jobs of a member that ends to another', async () => {
    const jobs = 500;
    await using hub = openThreadHub();
    const near = await hub.connect();
    const lost = countLost(near);
    const [publisher, stays] = [createBus({ transport: near }), createBus({ transport: await hub.connect() })];
    const ends = await hub.connect();
    const done: number[] = [];
    const { open, opened } = gate();
    createBus({ transport: ends }).subscribe('jobs', () => opened, { queue: 'workers' });
    stays.subscribe<number>('jobs', ({ data }) => void done.push(data), { queue: 'workers' });
    for (let job = 0; job < jobs; job++) publisher.publish('jobs', job);
    await stays.flush();
    expect(done.length).toBeLessThan(jobs);
    await ends.close();
    await stays.flush();
    expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: jobs }, (_, job) => job));
    expect(lost).toEqual({ closed: 0, slowPeer: 0, peerGone: 0 });
    open();
  });

  test('says what was on its way when the hub closes, and can do nothing more', async () => {
    const hub = openThreadHub();
    const [near, far] = [await hub.connect(), await hub.connect()];
    const lost = countLost(near);
    const types: string[] = [];
    near.observe(({ type }) => types.push(type));
    const { open, opened } = gate();
    const other = createBus({ transport: far });
    other.subscribe('jobs', () => opened, { queue: 'workers' });
    const publisher = createBus({ transport: near });
    for (let job = 0; job < 10; job++) publisher.publish('jobs', job);
    await other.flush();
    await hub.close();
    expect(types[0]).toBe('disconnected');
    expect(lost.closed).toBe(10);
    expect(() => publisher.publish('jobs', 11)).toThrow(expect.objectContaining({ code: 'BUS_CLOSED' }));
    await expect(publisher.flush()).rejects.toMatchObject({ code: 'BUS_CLOSED' });
    await expect(hub.connect()).rejects.toMatchObject({ code: 'BUS_CLOSED' });
    open();
    await near.close();
  });
});

function countLost(transport: Transport) {
  const lost = { peerGone: 0, slowPeer: 0, closed: 0 };
  transport.observe((status) => {
    if (status.type === 'lost') lost[status.reason] += status.count;
  });
  return lost;
}
