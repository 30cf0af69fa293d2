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

/** Whether a pid may be that of a descendant of any of the roots. */
export function pidsWithin(windows: readonly PidWindow[], pidMax: number, nowMs: number): (pid: number) => boolean {
  const half = pidMax / 2;
  if (windows.some(({ openedAtMs }) => (nowMs - openedAtMs) * forksPerMs >= half)) return () => true;
  return (pid) =>
    windows.some(({ rootPid, opensAtPid }) => pid === rootPid || (pid - opensAtPid + pidMax) % pidMax < half);
}
