/** A timer that may be pushed back and that takes any length; `setTimeout` turns more than 24.8 days into 1 ms. */

const longestTimerMs = 2 ** 31 - 1;

export interface Deadline {
  /** Starts the wait anew. */
  restart(): void;
  clear(): void;
}

const never: Deadline = { restart: () => undefined, clear: () => undefined };

export function startDeadline(afterMs: number, onReached: () => void): Deadline {
  if (afterMs === Infinity) return never;
  if (afterMs <= longestTimerMs) {
    const timer = setTimeout(onReached, afterMs);
    return { restart: () => timer.refresh(), clear: () => clearTimeout(timer) };
  }
  let rest: Deadline = never;
  const wait = (leftMs: number): void => {
    rest = startDeadline(Math.min(leftMs, longestTimerMs), () =>
      leftMs <= longestTimerMs ? onReached() : wait(leftMs - longestTimerMs),
    );
  };
  wait(afterMs);
  return {
    restart: () => {
      rest.clear();
      wait(afterMs);
    },
    clear: () => rest.clear(),
  };
}
