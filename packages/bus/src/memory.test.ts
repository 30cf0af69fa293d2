import { describe, expect, test } from 'vitest';
import { memoryTransport } from './memory.ts';
import { noHeaders, PublishedMessage } from './message.ts';
import { transportContract } from './testing.ts';
import type { Receiver } from './transport.ts';

describe('memoryTransport', () => {
  transportContract({ test, open: memoryTransport });

  test('prefers the member of a queue group that has room', () => {
    const transport = memoryTransport();
    const counts = [0, 0];
    const member = (index: number, hasRoom: boolean): Receiver => ({
      hasRoom,
      deliver: () => {
        counts[index] = (counts[index] ?? 0) + 1;
      },
    });
    transport.subscribe('a', member(0, false), 'group');
    transport.subscribe('a', member(1, true), 'group');
    for (let index = 0; index < 10; index++) transport.publish(new PublishedMessage('a', 0, noHeaders, undefined));
    expect(counts).toEqual([0, 10]);
  });

  // With plain nested calls, as in an EventEmitter, `second` sees 2 before 1.
  test('shows every receiver the one order of publishing, nested publishes included', async () => {
    const transport = memoryTransport();
    const second: unknown[] = [];
    const publish = (data: number) => transport.publish(new PublishedMessage('a', data, noHeaders, undefined));
    const nested: (void | Promise<void>)[] = [];
    const first: Receiver = {
      hasRoom: true,
      deliver: ({ data }) => {
        if (data === 1) {
          nested.push(publish(2), publish(3));
        }
      },
    };
    transport.subscribe('a', first, undefined);
    transport.subscribe('a', { hasRoom: true, deliver: ({ data }) => void second.push(data) }, undefined);
    publish(1);
    expect(second).toEqual([1, 2, 3]);
    await Promise.all(nested);
  });

  test('goes on after a receiver broke its promise not to throw', () => {
    const transport = memoryTransport();
    const seen: unknown[] = [];
    const deliver: Receiver['deliver'] = ({ data }) => {
      if (data === 1) throw new RangeError('Maximum call stack size exceeded');
      seen.push(data);
    };
    transport.subscribe('a', { hasRoom: true, deliver }, undefined);
    expect(() => transport.publish(new PublishedMessage('a', 1, noHeaders, undefined))).toThrow(RangeError);
    transport.publish(new PublishedMessage('a', 2, noHeaders, undefined));
    expect(seen).toEqual([2]);
  });

  test('bounds what waits inside a delivery', () => {
    const transport = memoryTransport();
    const errors: unknown[] = [];
    let published = 0;
    const flood: Receiver = {
      hasRoom: true,
      deliver: () => {
        try {
          for (; published < 100_000; published++)
            transport.publish(new PublishedMessage('b', 0, noHeaders, undefined));
        } catch (error) {
          errors.push(error);
        }
      },
    };
    let received = 0;
    transport.subscribe('a', flood, undefined);
    transport.subscribe('b', { hasRoom: true, deliver: () => void received++ }, undefined);
    transport.publish(new PublishedMessage('a', 0, noHeaders, undefined));
    expect(errors).toMatchObject([{ code: 'BUS_OVERFLOW' }]);
    expect(received).toBe(65_536);
    expect(published).toBe(received);
  });
});
