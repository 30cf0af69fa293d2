import { cpus } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pidsWithin } from './pid-window.ts';

const pidMax = 32_768;
const reserved = 300;

describe('pidsWithin', () => {
  // Taking every pid above the root's for a descendant's, and no other, fails where pids begin anew.
  test('holds every pid that is given out after, wherever they begin anew', () => {
    const start = fc.integer({ min: reserved, max: pidMax - 1 });
    const forks = fc.integer({ min: 0, max: pidMax / 2 - reserved - 1 });
    fc.assert(
      fc.property(start, forks, fc.integer({ min: 1, max: 300 }), (opensAtPid, count, rootPid) => {
        const within = pidsWithin([{ rootPid, opensAtPid, openedAtMs: 0 }], pidMax, 1);
        let pid = opensAtPid;
        for (let fork = 0; fork < count; fork += 1) {
          pid = pid + 1 === pidMax ? reserved : pid + 1;
          if (!within(pid)) throw new Error(`${pid} is left out, ${fork} forks after ${opensAtPid}`);
        }
        expect(within(rootPid)).toBe(true);
      }),
    );
  });

  test('leaves out those given out shortly before', () => {
    const within = pidsWithin([{ rootPid: 5000, opensAtPid: 6000, openedAtMs: 0 }], pidMax, 1);
    expect([4999, 5000, 5999, 6000, 6001].map(within)).toEqual([false, true, false, true, true]);
  });

  test('holds all once every pid may have been given out again', () => {
    const windows = [{ rootPid: 5000, opensAtPid: 6000, openedAtMs: 0 }];
    const tooLongMs = pidMax / 2 / (100 * cpus().length);
    expect(pidsWithin(windows, pidMax, tooLongMs - 1)(4999)).toBe(false);
    expect(pidsWithin(windows, pidMax, tooLongMs)(4999)).toBe(true);
  });
});
