import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openProxy } from '../test/proxy.ts';
import { type Bus, createBus } from './bus.ts';
import type { HubLimits } from './limits.ts';
import { openSocketHub, openSocketTransport } from './socket.ts';
import type { Transport } from './transport.ts';

const news = new EventEmitter();
const many = 50_000;
let folder: string;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cadre-bus-'));
});

afterAll(() => rm(folder, { recursive: true }));

// A hub that passes on at once what a sender brings with it drops all that is over the bound of one peer.
describe('a sender that comes back with more than one peer may have on its way', () => {
  test('loses nothing at a hub that has taken the place of another, and whose listeners were back before it', async () => {
    await using fleet = await openFleet({});
    await fleet.restartHub();
    await fleet.receiver.flush();
    fleet.publishMany();
    fleet.holdReceiver();
    await fleet.letSenderBack();
    fleet.letReceiverGoOn();
    await untilTrue(() => fleet.seen.length + fleet.lost() >= many);
    expect(fleet.lost()).toBe(0);
    expectInOrder(fleet.seen, many);
  });

  test('loses nothing at the hub that it was cut from, and holds up nobody else', async () => {
    await using fleet = await openFleet({});
    await fleet.cutAndBringMany();
    const near = await fleet.hub().connect();
    await using bus = createBus({ transport: near });
    const heard: unknown[] = [];
    bus.subscribe('b', ({ data }) => void heard.push(data));
    bus.publish('b', 'past what is held');
    await bus.flush();
    expect(heard).toEqual(['past what is held']);
    // Behind what it brought, and by now on its way like any other.
    fleet.sender.publish('a', many);
    await fleet.sender.flush();
    fleet.letReceiverGoOn();
    await untilTrue(() => fleet.seen.length + fleet.lost() > many);
    expect(fleet.lost()).toBe(0);
    expectInOrder(fleet.seen, many + 1);
    await near.close();
  });

  test('loses nothing when it is cut once more while the hub holds what it brought', async () => {
    await using fleet = await openFleet({});
    await fleet.cutAndBringMany();
    fleet.cutSender();
    await fleet.letSenderBack();
    fleet.letReceiverGoOn();
    await untilTrue(() => fleet.seen.length + fleet.lost() >= many);
    expect(fleet.lost()).toBe(0);
    expectInOrder(fleet.seen, many);
  });

  test('has it delivered though it leaves', async () => {
    await using fleet = await openFleet({});
    await fleet.cutAndBringMany();
    await fleet.senderTransport.close();
    fleet.letReceiverGoOn();
    await untilTrue(() => fleet.seen.length >= many);
    expectInOrder(fleet.seen, many);
  });

  test('is told what was dropped, when its receiver takes nothing in for as long as a cut may last', async () => {
    await using fleet = await openFleet({ resumeMs: 100 });
    await fleet.cutAndBringMany();
    await untilTrue(() => fleet.lost() > 0);
    fleet.letReceiverGoOn();
    await untilTrue(() => fleet.seen.length + fleet.lost() >= many);
    expect(fleet.seen.length).toBeGreaterThanOrEqual(32_768);
    expect(fleet.seen.length + fleet.lost()).toBe(many);
  });
});

describe('a hub', () => {
  // With only what is on its way to a peer counted as open, the sender lets go of what the hub still holds, and it dies with the hub.
  test('may die while it holds what it gathered for a peer that is still away, and its sender was cut meanwhile', async () => {
    const path = newPath();
    const [toSender, toReceiver] = [newPath(), newPath()];
    const [senderProxy, receiverProxy] = [await openProxy(toSender, path), await openProxy(toReceiver, path)];
    const first = await openSocketHub({ path, token: 't' });
    const one = await openSocketTransport({ path: toSender, token: 't', retryMs: 20 });
    const other = await openSocketTransport({ path: toReceiver, token: 't', retryMs: 20 });
    const [sender, receiver] = [createBus({ transport: one }), createBus({ transport: other })];
    const seen: number[] = [];
    receiver.subscribe<number>('a', ({ data }) => void seen.push(data));
    await receiver.flush();
    await sender.flush();
    await first.close();
    receiverProxy.refuse(Number.POSITIVE_INFINITY);
    const second = await openSocketHub({ path, token: 't', regatherMs: 1_000_000 });
    for (let each = 0; each < 100; each++) sender.publish('a', each);
    await sender.flush();
    senderProxy.cut();
    await sender.flush();
    expect(second.peers).toHaveLength(1);
    await second.close();
    receiverProxy.refuse(0);
    await using third = await openSocketHub({ path, token: 't', regatherMs: 1_000_000 });
    await Promise.all([sender.flush(), receiver.flush()]);
    await sender.flush();
    await receiver.flush();
    expect(seen).toEqual(Array.from({ length: 100 }, (_, each) => each));
    expect(third.peers).toHaveLength(2);
    await Promise.all([one.close(), other.close(), senderProxy.close(), receiverProxy.close()]);
  });
});

/** A hub with a sender and a receiver, each behind a proxy of its own. */
async function openFleet(limits: HubLimits) {
  const [path, toSender, toReceiver] = [newPath(), newPath(), newPath()];
  const [senderProxy, receiverProxy] = [await openProxy(toSender, path), await openProxy(toReceiver, path)];
  const open = () => openSocketHub({ path, token: 't', regatherMs: 1_000_000, ...limits });
  let hub = await open();
  const senderTransport: Transport = await openSocketTransport({ path: toSender, token: 't', retryMs: 20 });
  const receiverTransport = await openSocketTransport({ path: toReceiver, token: 't', retryMs: 20 });
  const [sender, receiver]: [Bus, Bus] = [
    createBus({ transport: senderTransport }),
    createBus({ transport: receiverTransport }),
  ];
  const seen: number[] = [];
  receiver.subscribe<number>('a', ({ data }) => {
    seen.push(data);
    news.emit('happened');
  });
  await receiver.flush();
  await sender.flush();
  let lost = 0;
  senderTransport.observe((status) => {
    if (status.type === 'lost') lost += status.count;
    news.emit('happened');
  });
  const fleet = {
    sender,
    receiver,
    senderTransport,
    seen,
    hub: () => hub,
    lost: () => lost,
    async restartHub() {
      senderProxy.refuse(Number.POSITIVE_INFINITY);
      await hub.close();
      hub = await open();
    },
    cutSender() {
      senderProxy.refuse(Number.POSITIVE_INFINITY);
      senderProxy.cut();
    },
    publishMany() {
      for (let index = 0; index < many; index++) sender.publish('a', index);
    },
    holdReceiver: () => receiverProxy.pause(),
    letReceiverGoOn: () => receiverProxy.resume(),
    /** Once the hub has all that the sender brings. */
    letSenderBack() {
      senderProxy.refuse(0);
      return sender.flush();
    },
    /** The sender publishes while it is cut, and comes back while the receiver takes nothing in. */
    async cutAndBringMany() {
      fleet.cutSender();
      fleet.publishMany();
      fleet.holdReceiver();
      await fleet.letSenderBack();
    },
    async [Symbol.asyncDispose]() {
      receiverProxy.resume();
      await Promise.all([senderTransport.close(), receiverTransport.close()]);
      await Promise.all([senderProxy.close(), receiverProxy.close()]);
      await hub.close();
    },
  };
  return fleet;
}

function expectInOrder(seen: readonly number[], length: number): void {
  expect(seen).toHaveLength(length);
  expect(seen.findIndex((number, index) => number !== index)).toBe(-1);
}

function newPath(): string {
  return join(folder, `${count++}.sock`);
}

/** Looks again whenever a test says that something happened. */
async function untilTrue(condition: () => boolean): Promise<void> {
  while (!condition()) await once(news, 'happened');
}
