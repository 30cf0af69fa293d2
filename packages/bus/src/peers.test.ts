import { describe, expect, test } from 'vitest';
import { createBus } from './bus.ts';
import { memoryTransport } from './memory.ts';
import { type PeerClock, type PeerWatch, watchPeers } from './peers.ts';

function testClock() {
  let now = 0;
  const ticks = new Map<() => void, number>();
  const clock: PeerClock = {
    now: () => now,
    every(ms, tick) {
      ticks.set(tick, ms);
      return () => void ticks.delete(tick);
    },
  };
  const advance = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      now += 100;
      for (const [tick, every] of ticks) if (now % every === 0) tick();
    }
  };
  return { clock, advance };
}

async function take(watch: PeerWatch, count: number) {
  const events = [];
  for await (const event of watch.events()) {
    events.push(event);
    if (events.length === count) break;
  }
  return events;
}

describe('watchPeers', () => {
  const setup = () => {
    const transport = memoryTransport();
    const [one, other] = [testClock(), testClock()];
    const busOfOther = createBus({ transport });
    const watch = watchPeers(createBus({ transport }), { name: 'one', clock: one.clock });
    return { one, other, busOfOther, watch };
  };

  test('sees who joins, on both sides and at once, and who leaves', async () => {
    const { other, busOfOther, watch } = setup();
    const second = watchPeers(busOfOther, { name: 'other', clock: other.clock });
    expect(second.peers).toEqual(['one']);
    await second.close();
    expect(await take(watch, 2)).toEqual([
      { type: 'joined', peer: 'other' },
      { type: 'left', peer: 'other' },
    ]);
    await watch.close();
    expect(await watch.events().next()).toMatchObject({ done: true });
  });

  // Told apart from one that is slow: within `lostAfterMs` any heartbeat keeps it.
  test('tells of a peer that fell silent after lostAfterMs and at most one heartbeat more, and when it is back', async () => {
    const { one, other, busOfOther, watch } = setup();
    watchPeers(busOfOther, { name: 'other', clock: other.clock });
    for (let second = 0; second < 10; second++) {
      other.advance(1_000);
      one.advance(1_000);
    }
    one.advance(2_000);
    expect(watch.peers).toEqual(['other']);
    one.advance(1_500);
    expect(watch.peers).toEqual([]);
    other.advance(1_000);
    const events = await take(watch, 3);
    expect(events).toMatchObject([
      { type: 'joined' },
      { type: 'lost', peer: 'other', silentMs: 4_000 },
      { type: 'joined' },
    ]);
  });

  test('remembers a bounded number of peers', () => {
    const bus = createBus();
    const watch = watchPeers(bus, { maxPeers: 10 });
    for (let index = 0; index < 100; index++) bus.publish('_peers', { peer: `p${index}`, type: 'here' });
    expect(watch.peers).toHaveLength(10);
  });

  test.for<[object, string]>([
    [{ name: '' }, '`name`'],
    [{ heartbeatMs: 0 }, '`heartbeatMs`'],
    [{ heartbeatMs: 100, lostAfterMs: 100 }, '`lostAfterMs`'],
  ])('refuses the options %j', ([options, message]) => {
    expect(() => watchPeers(createBus(), options)).toThrow(message);
  });
});
