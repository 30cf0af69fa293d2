import { describe, expect, test } from 'vitest';
import { Breaker, type BreakerState } from './breaker.ts';

function open() {
  const clock = { nowMs: 1_000_000 };
  const changes: BreakerState[] = [];
  const breaker = new Breaker({
    failures: 3,
    openMs: 100,
    now: () => clock.nowMs,
    onChange: (state) => changes.push(state),
  });
  const fail = (times: number) => {
    for (let time = 0; time < times; time += 1) {
      expect(breaker.admits()).toBe(true);
      breaker.failed();
    }
  };
  return { breaker, clock, changes, fail };
}

describe('Breaker', () => {
  test('opens after so many failures in a row, and not after as many with a success between', () => {
    const { breaker, fail } = open();
    fail(2);
    breaker.succeeded();
    fail(2);
    expect(breaker.state).toBe('closed');
    fail(1);
    expect(breaker.state).toBe('open');
    expect(breaker.admits()).toBe(false);
  });

  test('lets one call try after its time, and closes when that succeeds', () => {
    const { breaker, clock, changes, fail } = open();
    fail(3);
    clock.nowMs += 99;
    expect(breaker.admits()).toBe(false);
    clock.nowMs += 1;
    expect([breaker.admits(), breaker.admits(), breaker.admits()]).toEqual([true, false, false]);
    breaker.succeeded();
    expect([breaker.admits(), breaker.admits()]).toEqual([true, true]);
    expect(changes).toEqual(['open', 'half-open', 'closed']);
  });

  test('opens for as long again when the try fails', () => {
    const { breaker, clock, fail } = open();
    fail(3);
    clock.nowMs += 100;
    expect(breaker.admits()).toBe(true);
    breaker.failed();
    clock.nowMs += 99;
    expect(breaker.admits()).toBe(false);
    clock.nowMs += 1;
    expect(breaker.admits()).toBe(true);
  });

  test('does not take the late answer of an earlier call for a sign of life', () => {
    const { breaker, fail } = open();
    fail(3);
    breaker.succeeded();
    expect(breaker.state).toBe('open');
  });

  test('tries at once when the clock was set back by a year', () => {
    const { breaker, clock, fail } = open();
    fail(3);
    clock.nowMs -= 365 * 24 * 60 * 60 * 1000;
    expect(breaker.admits()).toBe(true);
  });
});
