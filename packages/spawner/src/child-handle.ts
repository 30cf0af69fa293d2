/**
 * What supervision needs of a started child, whoever forked it: its three streams, when it ended and how, and when the
 * last holder of its output let go.
 */
import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

export interface ChildExit {
  readonly code: number | null;
  readonly signalName: NodeJS.Signals | null;
  /** In `performance.now()` time. */
  readonly atMs: number;
}

export interface ChildHandle {
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly exited: Promise<ChildExit>;
  readonly closed: Promise<void>;
}

/** Must be called in the same turn as the spawn, before an event can be missed. */
export function handleOf(child: ChildProcess): ChildHandle {
  // Reported for a failed kill or message, neither of which goes through the child object here.
  child.on('error', () => undefined);
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    exited: new Promise((resolve) => {
      child.once('exit', (code, signalName) => resolve({ code, signalName, atMs: performance.now() }));
    }),
    closed: new Promise((resolve) => child.once('close', () => resolve())),
  };
}
