/** How long to wait before trying again. Pure: randomness comes in as an argument, nothing here waits. */

export interface RetryPolicy {
  /** Upper bound of the first delay. */
  readonly baseMs: number;
  /** Upper bound of every delay. */
  readonly maxMs: number;
  /** How much the bound grows with each attempt. @default 2 */
  readonly factor?: number;
}

/**
 * A delay in milliseconds, uniform between 0 and `min(maxMs, baseMs * factor^(attempt - 1))` ("full jitter"), so that
 * callers which failed together do not return together.
 * @param attempt  1 for the first retry.
 * @param random   Yields numbers in [0, 1). @default Math.random
 * Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
export function retryDelayMs(attempt: number, policy: RetryPolicy, random: () => number = Math.random): number {
  const { baseMs, maxMs, factor = 2 } = policy;
  if (!Number.isInteger(attempt) || attempt < 1) {
    throw new RangeError(`attempt must be an integer of at least 1, got ${attempt}`);
  }
  if (!(baseMs >= 0 && baseMs < Infinity)) throw new RangeError(`baseMs must be 0 or more and finite, got ${baseMs}`);
  if (!(maxMs >= 0 && maxMs < Infinity)) throw new RangeError(`maxMs must be 0 or more and finite, got ${maxMs}`);
  if (!(factor >= 1 && factor < Infinity)) throw new RangeError(`factor must be 1 or more and finite, got ${factor}`);
  // 0 * Infinity is NaN, so a base of 0 must not meet an overflown power.
  const bound = baseMs === 0 ? 0 : Math.min(maxMs, baseMs * factor ** (attempt - 1));
  return random() * bound;
}
