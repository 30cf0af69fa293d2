/**
 * What the pool and its threads say to each other. Tasks are sent ahead of time, so that a thread never waits for its
 * next one; whether a sent task has begun is decided by one compare-and-swap on its slot in shared memory: the thread
 * swaps to `claimed`, the pool to `revoked`, and whoever comes second leaves the task alone. So a task stuck behind a
 * slow one can be taken back and given to another thread, and never runs twice.
 */
import type { MessagePort } from 'node:worker_threads';
import type { AbortMessage, DefineMessage } from './task-protocol.ts';

/** Most tasks a thread may hold, the running one included: with fewer, both sides wait for each other. */
export const slotCount = 128;

/** The low bits of a slot's word; the rest is its generation, which tells a slot's uses apart. */
export const slotState = { sent: 0, claimed: 1, revoked: 2 } as const;

export function slotWord(generation: number, state: number): number {
  return (generation << 2) | state;
}

export interface SharedSlots {
  readonly words: Int32Array;
  /** When each claimed task began, in `sharedNowMs`. */
  readonly startedAtMs: Float64Array;
}

export function createSharedSlots(): SharedArrayBuffer {
  return new SharedArrayBuffer(slotCount * (Int32Array.BYTES_PER_ELEMENT + Float64Array.BYTES_PER_ELEMENT));
}

export function viewSharedSlots(buffer: SharedArrayBuffer): SharedSlots {
  const startedAtMs = new Float64Array(buffer, 0, slotCount);
  return { startedAtMs, words: new Int32Array(buffer, startedAtMs.byteLength, slotCount) };
}

/** A monotonic clock all threads share; `performance.now()` starts anew in each. */
export function sharedClock(): () => number {
  const [seconds, nanoseconds] = process.hrtime();
  const offsetMs = seconds * 1000 + nanoseconds / 1e6 - performance.now();
  return () => performance.now() + offsetMs;
}

export interface ThreadStart {
  readonly slots: SharedArrayBuffer;
  readonly port: MessagePort;
  readonly recycleAboveBytes: number;
}

export type ToThread =
  | DefineMessage
  | AbortMessage
  /** Flat, four entries a task: slot, generation, function id, argument. */
  | { readonly type: 'tasks'; readonly tasks: readonly unknown[] };
