import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gate, nextStatus, read } from '../test/reading.ts';
import { createBus } from './bus.ts';
import type { OverflowPolicy } from './mailbox.ts';
import type { Message } from './message.ts';

describe('a handler', () => {
  test('that is asynchronous is called one message at a time, in order', async () => {
    const bus = createBus();
    const gates = [gate(), gate(), gate()];
    const events: string[] = [];
    const subscription = bus.subscribe<number>('a', async ({ data }) => {
      events.push(`in ${data}`);
      await gates[data]?.opened;
      events.push(`out ${data}`);
    });
    for (let index = 0; index < 3; index++) bus.publish('a', index);
    expect(events).toEqual(['in 0']);
    expect(subscription).toMatchObject({ delivered: 1, queued: 2, dropped: 0 });
    for (const { open } of gates.toReversed()) open();
    await subscription.close();
    expect(events).toEqual(['in 0', 'out 0', 'in 1', 'out 1', 'in 2', 'out 2']);
  });

  test('that returns a number is not waited for', () => {
    const bus = createBus();
    const seen: unknown[] = [];
    bus.subscribe('a', ({ data }) => seen.push(data));
    for (let index = 0; index < 3; index++) bus.publish('a', index);
    expect(seen).toEqual([0, 1, 2]);
  });
});

describe('an iterator', () => {
  test('yields what was published since it was subscribed', async () => {
    const bus = createBus();
    const subscription = bus.subscribe<number>('a.*');
    for (let index = 0; index < 5; index++) bus.publish('a.b', index);
    expect(await read(subscription, 5)).toEqual([0, 1, 2, 3, 4]);
  });

  test('that waits gets the next message', async () => {
    const bus = createBus();
    const reading = read(bus.subscribe<number>('a'), 2);
    bus.publish('a', 1);
    bus.publish('a', 2);
    expect(await reading).toEqual([1, 2]);
  });

  test('unsubscribes on break, dropping what is queued', async () => {
    const bus = createBus();
    const subscription = bus.subscribe<number>('a');
    for (let index = 0; index < 5; index++) bus.publish('a', index);
    await read(subscription, 2);
    bus.publish('a', 9);
    expect(subscription).toMatchObject({ delivered: 2, dropped: 3, queued: 0 });
    await expect(bus.request('a', 0)).rejects.toMatchObject({ code: 'BUS_NO_RESPONDERS' });
  });

  test('refuses a second consumer, and a handler is one', async () => {
    const bus = createBus();
    const subscription = bus.subscribe('a');
    subscription[Symbol.asyncIterator]();
    const handled = bus.subscribe('a', () => undefined);
    for (const each of [subscription, handled]) {
      expect(() => each[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'BUS_ALREADY_CONSUMED' }));
    }
  });

  test('ends after what was queued when its subscription is closed', async () => {
    const bus = createBus();
    const subscription = bus.subscribe<number>('a');
    bus.publish('a', 1);
    bus.publish('a', 2);
    await subscription.close();
    bus.publish('a', 3);
    expect(await read(subscription, Number.POSITIVE_INFINITY)).toEqual([1, 2]);
    expect(subscription).toMatchObject({ delivered: 2, dropped: 0 });
  });

  test('is closed by await using', async () => {
    const bus = createBus();
    {
      await using subscription = bus.subscribe('a');
      expect(subscription.queued).toBe(0);
    }
    await expect(bus.request('a', 0)).rejects.toMatchObject({ code: 'BUS_NO_RESPONDERS' });
  });

  test('throws the reason of its signal, at once', async () => {
    const bus = createBus();
    const abort = new AbortController();
    const subscription = bus.subscribe<number>('a', { signal: abort.signal });
    bus.publish('a', 1);
    const iterator = subscription[Symbol.asyncIterator]();
    abort.abort(new Error('enough'));
    await expect(iterator.next()).rejects.toThrow('enough');
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(subscription).toMatchObject({ delivered: 0, dropped: 1 });
    expect(() => bus.subscribe('a', { signal: abort.signal })).toThrow('enough');
  });

  test('that is waiting throws the reason of its signal too', async () => {
    const bus = createBus();
    const abort = new AbortController();
    const waiting = read(bus.subscribe('a', { signal: abort.signal }), 1);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});

describe('a full subscription', () => {
  const setup = (onOverflow: OverflowPolicy, maxQueued = 2) => {
    const bus = createBus();
    const subscription = bus.subscribe<number>('a', { onOverflow, maxQueued, maxWaiting: 2 });
    return { bus, subscription, iterator: subscription[Symbol.asyncIterator]() };
  };

  test.for([
    ['drop-oldest', 2, [3, 4]],
    ['drop-newest', 2, [1, 2]],
    ['drop-oldest', 0, []],
    ['drop-newest', 0, []],
  ] as const)('with %s and room for %d keeps %j of four', async ([policy, maxQueued, kept]) => {
    const { bus, subscription } = setup(policy, maxQueued);
    for (let index = 1; index <= 4; index++) expect(bus.publish('a', index)).toBe(undefined);
    expect(subscription.dropped).toBe(4 - kept.length);
    await subscription.close();
    const { status, subscription: again } = { status: await nextStatus(bus), subscription };
    expect(status).toEqual({ type: 'slowSubscriber', pattern: 'a', queue: undefined, policy, dropped: 1 });
    expect(again.queued).toBe(kept.length);
  });

  // Told only when dropping begins, a status says 1 whatever is lost after that.
  test('tells how much it has lost in all once it has caught up, or ended', async () => {
    const { bus, iterator } = setup('drop-newest');
    const status = bus.status();
    const told = (type: string, dropped: number) => ({ value: { type, pattern: 'a', queue: undefined, dropped } });
    for (let index = 0; index < 10; index++) bus.publish('a', index);
    expect(await status.next()).toMatchObject(told('slowSubscriber', 1));
    await iterator.next();
    await iterator.next();
    expect(await status.next()).toMatchObject(told('subscriberCaughtUp', 8));
    for (let index = 0; index < 5; index++) bus.publish('a', index);
    expect(await status.next()).toMatchObject(told('slowSubscriber', 9));
    await iterator.return?.();
    expect(await status.next()).toMatchObject(told('subscriberCaughtUp', 13));
  });

  test('with drop-oldest hands over what is left, in order', async () => {
    const bus = createBus();
    const subscription = bus.subscribe<number>('a', { maxQueued: 3 });
    for (let index = 0; index < 10; index++) bus.publish('a', index);
    expect(await read(subscription, 3)).toEqual([7, 8, 9]);
  });

  test('with wait makes the publisher wait until there is room', async () => {
    const { bus, subscription, iterator } = setup('wait');
    bus.publish('a', 1);
    bus.publish('a', 2);
    const through: number[] = [];
    const waiting = [3, 4].map((data) => Promise.resolve(bus.publish('a', data)).then(() => through.push(data)));
    await Promise.resolve();
    expect([through, subscription.queued]).toEqual([[], 4]);
    expect((await iterator.next()).value?.data).toBe(1);
    await waiting[0];
    expect(through).toEqual([3]);
    for (const data of [2, 3, 4]) expect((await iterator.next()).value?.data).toBe(data);
    await Promise.all(waiting);
    expect(subscription).toMatchObject({ delivered: 4, dropped: 0, queued: 0 });
  });

  test('with wait and room for none hands over directly', async () => {
    const { bus, iterator } = setup('wait', 0);
    const published = bus.publish('a', 1);
    expect(published).toBeInstanceOf(Promise);
    expect((await iterator.next()).value?.data).toBe(1);
    await published;
  });

  test('with wait refuses a publish when too many wait already', async () => {
    const { bus, subscription } = setup('wait');
    for (let index = 0; index < 4; index++) void bus.publish('a', index);
    await expect(bus.publish('a', 9)).rejects.toMatchObject({ code: 'BUS_OVERFLOW' });
    expect(subscription).toMatchObject({ queued: 4, dropped: 1 });
  });

  test('with wait lets its publishers go when its reader leaves', async () => {
    const { bus, subscription, iterator } = setup('wait');
    const published = [1, 2, 3, 4].map((data) => bus.publish('a', data));
    await iterator.return?.();
    await Promise.all(published);
    expect(subscription).toMatchObject({ delivered: 0, dropped: 4, queued: 0 });
  });

  test('with fail ends with BUS_OVERFLOW after what is queued', async () => {
    const { bus, subscription, iterator } = setup('fail');
    for (let index = 1; index <= 4; index++) bus.publish('a', index);
    expect((await iterator.next()).value?.data).toBe(1);
    expect((await iterator.next()).value?.data).toBe(2);
    await expect(iterator.next()).rejects.toMatchObject({ code: 'BUS_OVERFLOW' });
    expect(await iterator.next()).toMatchObject({ done: true });
    expect(subscription).toMatchObject({ delivered: 2, dropped: 1 });
    expect(await nextStatus(bus)).toMatchObject({ type: 'slowSubscriber', policy: 'fail' });
  });

  test('with fail and a handler handles what is queued and ends', async () => {
    const bus = createBus();
    const { open, opened } = gate();
    const seen: number[] = [];
    const subscription = bus.subscribe<number>(
      'a',
      async ({ data }) => {
        await opened;
        seen.push(data);
      },
      { onOverflow: 'fail', maxQueued: 1 },
    );
    for (let index = 1; index <= 4; index++) bus.publish('a', index);
    open();
    await subscription.close();
    expect(seen).toEqual([1, 2]);
  });

  test('does not slow or starve another', async () => {
    const { bus, subscription } = setup('drop-newest');
    const seen: unknown[] = [];
    bus.subscribe('a', ({ data }) => seen.push(data));
    for (let index = 0; index < 10; index++) bus.publish('a', index);
    expect(seen).toHaveLength(10);
    expect(subscription.dropped).toBe(8);
  });
});

describe('sent = delivered + dropped', () => {
  const policies = ['wait', 'drop-oldest', 'drop-newest', 'fail'] as const;
  type Step = 'publish' | 'read' | 'turn';
  const steps = fc.array(fc.constantFrom<Step>('publish', 'publish', 'publish', 'read', 'turn'), { maxLength: 60 });

  test.for(policies)('for readers with the policy %s, in any interleaving', async (onOverflow) => {
    let overflows = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.nat({ max: 4 }), async (plan, maxQueued) => {
        const bus = createBus();
        const subscription = bus.subscribe<number>('a.*', { onOverflow, maxQueued, maxWaiting: 3 });
        const iterator = subscription[Symbol.asyncIterator]();
        const seen: number[] = [];
        const readings: Promise<void>[] = [];
        let sent = 0;
        let isEnded = false;
        for (const step of plan) {
          if (step === 'publish' && !isEnded) {
            const before = subscription.dropped;
            const published = bus.publish('a.b', sent++);
            published?.catch((error) => expect(error.code).toBe('BUS_OVERFLOW'));
            if (published !== undefined || subscription.dropped > before) overflows++;
            isEnded = onOverflow === 'fail' && subscription.dropped > 0;
          } else if (step === 'read') {
            const reading = iterator.next().then(
              ({ value }) => void (value !== undefined && seen.push(value.data)),
              (error) => expect(error.code).toBe('BUS_OVERFLOW'),
            );
            readings.push(reading);
          } else {
            await Promise.resolve();
          }
        }
        await iterator.return?.();
        await Promise.all(readings);
        expect(subscription.delivered + subscription.dropped).toBe(sent);
        expect(seen).toHaveLength(subscription.delivered);
        expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
    // The plans are such that the policy was really needed.
    expect(overflows).toBeGreaterThan(100);
  });

  test.for(policies)('for asynchronous handlers with the policy %s', async (onOverflow) => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat({ max: 4 }), async (plan, maxQueued) => {
        const bus = createBus();
        let gateNow = gate();
        const seen: number[] = [];
        const handler = async ({ data }: Message<number>) => {
          seen.push(data);
          await gateNow.opened;
        };
        const subscription = bus.subscribe<number>('a', handler, { onOverflow, maxQueued, maxWaiting: 3 });
        let sent = 0;
        for (const step of plan) {
          if (step === 'publish' && !(onOverflow === 'fail' && subscription.dropped > 0)) {
            Promise.resolve(bus.publish('a', sent++)).catch((error) => expect(error.code).toBe('BUS_OVERFLOW'));
          } else if (step === 'read') {
            gateNow.open();
            gateNow = gate();
          } else {
            await Promise.resolve();
          }
        }
        const closing = bus.close();
        while (subscription.queued > 0) {
          gateNow.open();
          gateNow = gate();
          await Promise.resolve();
        }
        gateNow.open();
        await closing;
        expect(subscription.delivered + subscription.dropped).toBe(sent);
        expect(seen).toHaveLength(subscription.delivered);
        expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      }),
      { numRuns: 300 },
    );
  });
});

describe('subscribe', () => {
  test.for<[object, string]>([
    [{ maxQueued: -1 }, '`maxQueued`'],
    [{ maxQueued: 1.5 }, '`maxQueued`'],
    [{ maxWaiting: Number.NaN }, '`maxWaiting`'],
    [{ onOverflow: 'drop' }, '`onOverflow`'],
    [{ queue: '' }, '`queue`'],
  ])('refuses the options %j', ([options, message]) => {
    expect(() => createBus().subscribe('a', options)).toThrow(message);
  });

  test('shares messages out among the members of a queue', () => {
    const bus = createBus();
    const counts = [0, 0, 0];
    for (const index of counts.keys()) {
      const count = () => {
        counts[index] = (counts[index] ?? 0) + 1;
      };
      bus.subscribe('jobs', count, { queue: 'workers' });
    }
    for (let index = 0; index < 9; index++) bus.publish('jobs', index);
    expect(counts).toEqual([3, 3, 3]);
  });
});
