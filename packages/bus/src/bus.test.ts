import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Bus, createBus } from './bus.ts';
import type { OverflowPolicy } from './mailbox.ts';
import { memoryTransport } from './memory.ts';
import type { Message } from './message.ts';
import type { BusStatus } from './status.ts';
import type { Subscription } from './subscription.ts';

function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

async function read<T>(subscription: Subscription<T>, count: number): Promise<T[]> {
  const seen: T[] = [];
  if (count === 0) return seen;
  for await (const { data } of subscription) {
    seen.push(data);
    if (seen.length === count) break;
  }
  return seen;
}

async function nextStatus(bus: Bus): Promise<BusStatus> {
  const { value } = await bus.status().next();
  if (value === undefined) throw new Error('the status ended');
  return value;
}

describe('Bus.publish', () => {
  test('calls every matching handler before it returns', () => {
    const bus = createBus();
    const seen: unknown[] = [];
    bus.subscribe('run.*.started', ({ subject, data }) => seen.push(['one', subject, data]));
    bus.subscribe('run.>', ({ subject, data }) => seen.push(['two', subject, data]));
    bus.subscribe('walk.>', () => seen.push('never'));
    expect(bus.publish('run.1.started', 7)).toBe(undefined);
    expect(seen).toEqual([
      ['one', 'run.1.started', 7],
      ['two', 'run.1.started', 7],
    ]);
  });

  test('carries headers that nobody can change', () => {
    const bus = createBus();
    const headers = { trace: 'a' };
    const seen: Message[] = [];
    bus.subscribe('a', (message) => seen.push(message));
    bus.publish('a', 1, { headers, reply: 'b' });
    headers.trace = 'changed';
    expect(seen[0]).toMatchObject({ headers: { trace: 'a' }, reply: 'b' });
    expect(Object.isFrozen(seen[0]?.headers)).toBe(true);
    expect(() => bus.publish('a', 1, { headers: JSON.parse('{"n": 1}') })).toThrow(TypeError);
  });

  // An emitter that calls its listeners in a bare loop stops at the first of these.
  test('reaches the others when one handler throws or rejects, and status() says so', async () => {
    const bus = createBus();
    const seen: number[] = [];
    bus.subscribe('a', () => {
      throw new Error('thrown');
    });
    bus.subscribe('a', async () => {
      throw new Error('rejected');
    });
    bus.subscribe<number>('*', ({ data }) => void seen.push(data));
    expect(bus.publish('a', 1)).toBe(undefined);
    expect(seen).toEqual([1]);
    const status = bus.status();
    for (const message of ['thrown', 'rejected']) {
      const { value } = await status.next();
      expect(value).toMatchObject({ type: 'handlerFailed', pattern: 'a', subject: 'a', error: { message } });
    }
  });

  test('leaves out who unsubscribes during the delivery, and no one else', async () => {
    const bus = createBus();
    const seen: string[] = [];
    const subscriptions: Subscription[] = [];
    for (const name of ['first', 'second', 'third']) {
      const subscription = bus.subscribe('a', () => {
        seen.push(name);
        if (name === 'first') {
          void subscriptions[0]?.close();
          void subscriptions[1]?.close();
          bus.subscribe('a', () => seen.push('late'));
        }
      });
      subscriptions.push(subscription);
    }
    bus.publish('a', 1);
    expect(seen).toEqual(['first', 'third']);
    bus.publish('a', 2);
    expect(seen).toEqual(['first', 'third', 'third', 'late']);
  });
});

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

describe('Bus.request', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test('resolves with the first answer', async () => {
    const bus = createBus();
    bus.subscribe<number>('double', async (message) => {
      await message.respond?.(message.data * 2, { headers: { by: 'one' } });
      await message.respond?.('again');
    });
    expect(await bus.request<number>('double', 21)).toMatchObject({ data: 42, headers: { by: 'one' } });
  });

  test('gives no respond to a message that awaits no answer', () => {
    const bus = createBus();
    const seen: boolean[] = [];
    bus.subscribe('a', ({ respond, reply }) => seen.push(respond !== undefined || reply !== undefined));
    bus.publish('a', 1);
    expect(seen).toEqual([false]);
  });

  test('can be answered by a reader and asked from inside a handler', async () => {
    const bus = createBus();
    const reading = (async () => {
      for await (const message of bus.subscribe<number>('add')) await message.respond?.(message.data + 1);
    })();
    const answer = new Promise((resolve) => {
      bus.subscribe('start', async () => resolve((await bus.request('add', 1)).data));
    });
    bus.publish('start', 0);
    expect(await answer).toBe(2);
    await bus.close();
    await reading;
  });

  test('answers many at once, each with its own', async () => {
    const bus = createBus();
    for (let index = 0; index < 3; index++)
      bus.subscribe<number>('square', async (m) => m.respond?.(m.data ** 2), { queue: 'q' });
    const answers = await Promise.all(Array.from({ length: 100 }, (_, index) => bus.request<number>('square', index)));
    expect(answers.map(({ data }) => data)).toEqual(Array.from({ length: 100 }, (_, index) => index ** 2));
  });

  test('fails at once when nobody is there to answer', async () => {
    const bus = createBus();
    await expect(bus.request('a', 1)).rejects.toMatchObject({
      name: 'RequestError',
      code: 'BUS_NO_RESPONDERS',
      subject: 'a',
    });
  });

  test('fails after timeoutMs, and lets a late answer go', async () => {
    vi.useFakeTimers();
    const bus = createBus();
    const asked: Message[] = [];
    bus.subscribe('a', (message) => asked.push(message));
    const answer = bus.request('a', 1, { timeoutMs: 50 });
    const failed = expect(answer).rejects.toMatchObject({ code: 'BUS_TIMEOUT', subject: 'a' });
    await vi.advanceTimersByTimeAsync(50);
    await failed;
    expect(vi.getTimerCount()).toBe(0);
    expect(() => asked[0]?.respond?.(1)).not.toThrow();
  });

  test('leaves no timer behind once answered', async () => {
    vi.useFakeTimers();
    const bus = createBus();
    bus.subscribe('a', (message) => message.respond?.(1));
    await bus.request('a', 1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('rejects with the reason of its signal', async () => {
    const bus = createBus();
    bus.subscribe('a', () => undefined);
    const abort = new AbortController();
    const answer = bus.request('a', 1, { signal: abort.signal, timeoutMs: Number.POSITIVE_INFINITY });
    abort.abort(new Error('enough'));
    await expect(answer).rejects.toThrow('enough');
    await expect(bus.request('a', 1, { signal: abort.signal })).rejects.toThrow('enough');
  });

  test.for([-1, Number.NaN, 2 ** 31])('refuses a timeoutMs of %d', async (timeoutMs) => {
    await expect(createBus().request('a', 1, { timeoutMs })).rejects.toThrow(RangeError);
  });
});

describe('Bus.requestMany', () => {
  const answers = async (answering: AsyncIterable<Message>) => {
    const all: unknown[] = [];
    for await (const { data } of answering) all.push(data);
    return all;
  };

  test('yields the answers of all until maxAnswers', async () => {
    const bus = createBus();
    for (let index = 0; index < 5; index++) bus.subscribe('who', (message) => message.respond?.(index));
    expect(await answers(bus.requestMany('who', 0, { maxAnswers: 3 }))).toEqual([0, 1, 2]);
    await bus.close();
  });

  test('ends without error when timeoutMs is over', async () => {
    vi.useFakeTimers();
    const bus = createBus();
    for (let index = 0; index < 2; index++) bus.subscribe('who', (message) => message.respond?.(index));
    const all = answers(bus.requestMany('who', 0, { timeoutMs: 50 }));
    await vi.advanceTimersByTimeAsync(50);
    expect(await all).toEqual([0, 1]);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test('fails when nobody is there, when it is aborted and when the bus is closed', async () => {
    const bus = createBus();
    await expect(answers(bus.requestMany('who', 0))).rejects.toMatchObject({ code: 'BUS_NO_RESPONDERS' });
    bus.subscribe('who', () => undefined);
    const abort = new AbortController();
    const aborted = expect(answers(bus.requestMany('who', 0, { signal: abort.signal }))).rejects.toThrow('enough');
    const closed = expect(answers(bus.requestMany('who', 0))).rejects.toMatchObject({ code: 'BUS_CLOSED' });
    abort.abort(new Error('enough'));
    await aborted;
    await bus.close();
    await closed;
  });
});

describe('Bus.close', () => {
  test('lets handlers finish what is queued and refuses new work', async () => {
    const bus = createBus();
    const { open, opened } = gate();
    const seen: number[] = [];
    bus.subscribe<number>('a', async ({ data }) => {
      await opened;
      seen.push(data);
    });
    for (let index = 0; index < 5; index++) bus.publish('a', index);
    const closing = [bus.close(), bus.close(), bus[Symbol.asyncDispose]()];
    for (const work of [() => bus.publish('a', 1), () => bus.subscribe('a')]) {
      expect(work).toThrow(expect.objectContaining({ code: 'BUS_CLOSED' }));
    }
    await expect(bus.request('a', 1)).rejects.toMatchObject({ code: 'BUS_CLOSED' });
    open();
    await Promise.all(closing);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  test('waits for a subscription that is closing already', async () => {
    const bus = createBus();
    const { open, opened } = gate();
    let isThrough = false;
    const subscription = bus.subscribe('a', async () => {
      await opened;
      isThrough = true;
    });
    bus.publish('a', 1);
    void subscription.close();
    const closing = bus.close();
    open();
    await closing;
    expect(isThrough).toBe(true);
  });

  test('rejects requests in flight and ends the status', async () => {
    const bus = createBus();
    bus.subscribe('a', () => undefined);
    const answer = bus.request('a', 1);
    const status = bus.status();
    const failed = expect(answer).rejects.toMatchObject({ code: 'BUS_CLOSED' });
    await bus.close();
    await failed;
    expect(await status.next()).toEqual({ done: true, value: undefined });
  });

  test('is cut short by its signal', async () => {
    const bus = createBus();
    const subscription = bus.subscribe('a', () => new Promise<void>(() => undefined));
    bus.publish('a', 1);
    bus.publish('a', 2);
    const abort = new AbortController();
    const closing = bus.close({ signal: abort.signal });
    abort.abort();
    await closing;
    expect(subscription).toMatchObject({ delivered: 1, dropped: 1, queued: 0 });
  });

  test('leaves a transport open that was passed in', async () => {
    const transport = memoryTransport();
    const [one, two] = [createBus({ transport }), createBus({ transport })];
    const seen: unknown[] = [];
    two.subscribe('a', ({ data }) => seen.push(data));
    one.publish('a', 1);
    await one.close();
    two.publish('a', 2);
    expect(seen).toEqual([1, 2]);
  });
});

describe('Bus.status', () => {
  test('keeps what happened before anyone asked, and tells later readers what is new', async () => {
    const bus = createBus();
    bus.subscribe<string>('a', ({ data }) => {
      throw new Error(data);
    });
    bus.publish('a', 'early');
    const first = bus.status();
    const second = bus.status();
    bus.publish('a', 'late');
    expect((await first.next()).value).toMatchObject({ error: { message: 'early' } });
    expect((await first.next()).value).toMatchObject({ error: { message: 'late' } });
    expect((await second.next()).value).toMatchObject({ error: { message: 'late' } });
  });

  test('ends by break', async () => {
    const bus = createBus();
    bus.subscribe('a', () => {
      throw new Error('one');
    });
    bus.publish('a', 1);
    const status = bus.status();
    for await (const each of status) {
      expect(each.type).toBe('handlerFailed');
      break;
    }
    expect(await status.next()).toMatchObject({ done: true });
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
