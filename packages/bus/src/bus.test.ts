import { describe, expect, test } from 'vitest';
import { gate } from '../test/reading.ts';
import { createBus } from './bus.ts';
import { memoryTransport } from './memory.ts';
import type { Message } from './message.ts';
import type { Subscription } from './subscription.ts';

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
