import { describe, expect, test } from 'vitest';
import { Patience } from './patience.ts';

describe('Patience', () => {
  /** What each of so many waits does: looks again until something comes after `ms`, or sleeps. */
  const waits = (count: number, comesAfterMs: number) => {
    let nowMs = 0;
    const patience = new Patience({ now: () => nowMs });
    let [looked, slept] = [0, 0];
    for (let wait = 0; wait < count; wait++) {
      const comesMs = nowMs + comesAfterMs;
      while (nowMs < comesMs && patience.looksAgain()) {
        looked++;
        nowMs += 0.001;
      }
      if (nowMs < comesMs) slept++;
      nowMs = Math.max(nowMs, comesMs);
      patience.found();
    }
    return { looked, slept };
  };

  test('never sleeps while answers come quickly', () => {
    expect(waits(1_000, 0.01).slept).toBe(0);
  });

  // A reader that always looks again first looks 100 times in each of them.
  test('looks ever less where looking again does not pay off', () => {
    const { looked, slept } = waits(1_000, 5);
    expect(slept).toBe(1_000);
    expect(looked).toBeLessThan(12 * 110);
  });

  test('tries again now and then, and goes on where answers come quickly again', () => {
    let nowMs = 0;
    const patience = new Patience({ now: () => nowMs });
    for (let wait = 0; wait < 600; wait++) {
      while (patience.looksAgain()) nowMs += 0.01;
      nowMs += 5;
      patience.found();
    }
    let slept = 0;
    for (let wait = 0; wait < 600; wait++) {
      if (!patience.looksAgain()) slept++;
      nowMs += 0.01;
      patience.found();
    }
    expect(slept).toBeLessThanOrEqual(256);
  });
});
