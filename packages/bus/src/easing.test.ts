import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Easing } from './easing.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('Easing', () => {
  test('only holds before it starts', () => {
    const { easing, passed } = newEasing();
    easing.hold(1);
    easing.roomMade();
    vi.advanceTimersByTime(1_000);
    expect([passed, [...easing.held()]]).toEqual([[], [1]]);
  });

  test('passes on in order as there is room, and says once when nothing is left', () => {
    const { easing, passed, over, room } = newEasing();
    room.left = 2;
    for (const item of [1, 2, 3, 4]) easing.hold(item);
    easing.start();
    expect([passed, over()]).toEqual([['1', '2'], 0]);
    easing.hold(5);
    room.left = 2;
    easing.roomMade();
    expect(passed).toEqual(['1', '2', '3', '4']);
    room.left = 9;
    easing.roomMade();
    easing.roomMade();
    expect([passed, over()]).toEqual([['1', '2', '3', '4', '5'], 1]);
    vi.advanceTimersByTime(1_000);
    expect([passed.length, over(), vi.getTimerCount()]).toEqual([5, 1, 0]);
  });

  test('passes on all that is left, to be dropped where there is no room, once its time is up', () => {
    const { easing, passed, over, room } = newEasing();
    room.left = 1;
    for (const item of [1, 2, 3]) easing.hold(item);
    easing.start();
    vi.advanceTimersByTime(99);
    expect(passed).toEqual(['1']);
    vi.advanceTimersByTime(1);
    expect([passed, over()]).toEqual([['1', '2 may drop', '3 may drop'], 1]);
  });

  // With the loop entered again from within, a later item overtakes the one that is just being passed on.
  test('keeps the order where passing on makes room, or brings more', () => {
    const { easing, passed, room } = newEasing((item) => {
      room.left += 1;
      easing.roomMade();
      if (item < 3) easing.hold(item + 10);
    });
    room.left = 1;
    for (const item of [1, 2, 3]) easing.hold(item);
    easing.start();
    expect(passed).toEqual(['1', '2', '3', '11', '12']);
  });

  test('passes on nothing once it is closed', () => {
    const { easing, passed, over, room } = newEasing();
    easing.hold(1);
    easing.start();
    easing.close();
    room.left = 9;
    easing.roomMade();
    vi.advanceTimersByTime(1_000);
    expect([passed, [...easing.held()], over(), vi.getTimerCount()]).toEqual([[], [], 0, 0]);
  });
});

function newEasing(onPass: (item: number) => void = () => undefined) {
  const passed: string[] = [];
  const room = { left: 0 };
  let overs = 0;
  const easing = new Easing<number>({
    forMs: 100,
    hasRoom: () => room.left > 0,
    passOn(item, mayDrop) {
      room.left -= 1;
      passed.push(mayDrop ? `${item} may drop` : `${item}`);
      onPass(item);
    },
    over: () => {
      overs += 1;
    },
  });
  return { easing, passed, room, over: () => overs };
}
