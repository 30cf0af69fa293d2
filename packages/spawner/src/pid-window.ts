/**
 * Which pids the descendants of a program can have. The kernel gives pids out in order and, at their end, begins anew: whoever
 * was forked since has one that comes after the newest of then. So a look at a short program's descendants need not read every
 * process of the machine. After a time in which all pids could have been given out once, the window is the whole.
 */
import { cpus } from 'node:os';

export interface PidWindow {
  /** Wanted wherever it lies. */
  readonly rootPid: number;
  /** The newest pid when the window opened, or one before it. */
  readonly opensAtPid: number;
  /** In `performance.now()` time, or a moment before it. */
  readonly openedAtMs: number;
}

/** A fork or a new thread takes a processor of the machine, whether we may use it or not, longer than 10 µs. */
const forksPerMs = 100 * cpus().length;

/** What was read of the system after its processes were listed. */
export interface PidReading {
  readonly newestPid: number;
  /** All pids are below it. */
  readonly pidMax: number;
  /** In `performance.now()` time. */
  readonly atMs: number;
}

/** Whether a pid may be that of a descendant of any of the roots. */
export function pidsWithin(windows: readonly PidWindow[], reading: PidReading): (pid: number) => boolean {
  const { newestPid, pidMax, atMs } = reading;
  if (windows.some(({ openedAtMs }) => (atMs - openedAtMs) * forksPerMs >= pidMax / 2)) return () => true;
  const after = (pid: number, opensAtPid: number): number => (pid - opensAtPid + pidMax) % pidMax;
  return (pid) =>
    windows.some(
      ({ rootPid, opensAtPid }) => pid === rootPid || after(pid, opensAtPid) <= after(newestPid, opensAtPid),
    );
}
