/** Time as the engine needs it, so that tests can bring their own. */
import { setTimeout } from 'node:timers/promises';

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves `ms` milliseconds from now; rejects when `signal` aborts first. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** The time of this machine, and its timers. Tests have their own. */
export const systemClock: Clock = {
  now: () => Date.now(),
  wait: async (ms, signal) => {
    // Node's timers turn anything longer into one millisecond; a wait that ends early is asked for again.
    await setTimeout(Math.min(ms, 2 ** 31 - 1), undefined, { signal });
  },
};
