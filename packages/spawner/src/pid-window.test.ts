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
        const given = [opensAtPid];
        for (let pid = opensAtPid; given.length <= count; given.push(pid)) {
          pid = pid + 1 === pidMax ? reserved : pid + 1;
        }
        const newestPid = given.at(-1) ?? 0;
        const within = pidsWithin([{ rootPid, opensAtPid, openedAtMs: 0 }], { newestPid, pidMax, atMs: 1 });
        expect([rootPid, ...given].filter((pid) => !within(pid))).toEqual([]);
      }),
    );
  });

  test('leaves out those given out before, however far back', () => {
    const windows = [{ rootPid: 5000, opensAtPid: 6000, openedAtMs: 0 }];
    const within = pidsWithin(windows, { newestPid: 6002, pidMax, atMs: 1 });
    const pids = [300, 4999, 5000, 5999, 6000, 6002, 6003, 30_000];
    expect(pids.filter(within)).toEqual([5000, 6000, 6002]);
  });

  test('holds all once every pid may have been given out again', () => {
    const windows = [{ rootPid: 5000, opensAtPid: 6000, openedAtMs: 0 }];
    const tooLongMs = pidMax / 2 / (100 * cpus().length);
    const at = (atMs: number) => pidsWithin(windows, { newestPid: 6002, pidMax, atMs });
    expect([at(tooLongMs - 1)(4999), at(tooLongMs)(4999)]).toEqual([false, true]);
  });
});
