import { afterEach, describe, expect, test, vi } from 'vitest';
import { createBus } from './bus.ts';
import type { Message } from './message.ts';

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
