/** Pure: the times of an entry and the time now, to what the entry is good for. */

export interface EntryTimes {
  readonly createdAtMs: number;
  /** From here on the value is stale. */
  readonly freshUntilMs: number;
  /** From here on the value is gone, even for those who accept a stale one. */
  readonly expiresAtMs: number;
}

export type Staleness = 'fresh' | 'stale' | 'expired';

/** Clocks of machines that share a tier may differ by this much. */
const clockSkewMs = 60_000;

/**
 * An entry from the future (the clock was set back after it was written) counts as expired, or a wrong clock could
 * make it live for years: it is good from when it was made, by the clock as it is now, until its time is over.
 */
export function staleness(times: EntryTimes, nowMs: number): Staleness {
  if (times.freshUntilMs === Infinity) return 'fresh';
  if (nowMs >= times.expiresAtMs) return 'expired';
  const lifeMs = times.freshUntilMs - times.createdAtMs;
  if (nowMs < times.createdAtMs - Math.min(clockSkewMs, lifeMs)) return 'expired';
  return nowMs < times.freshUntilMs ? 'fresh' : 'stale';
}
