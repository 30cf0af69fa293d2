/** For a machine that does nothing else, and accounts whose rate limits allow many sessions. */
import { gibibyte, mebibyte, minuteMs, type ProfileSettings } from './profile.ts';

export const highPerformance: ProfileSettings = {
  concurrency: 16, // agents wait for the network most of the time; memory, at some 8 GB for sixteen, is the limit
  timeoutMs: 60 * minuteMs, // with so many at once each is slower, and a killed attempt is paid for in full
  graceMs: 5_000, // ending sooner would win nothing: other attempts fill the time
  retry: {
    attempts: 5, // many sessions on one account meet its rate limit more often
  },
  cache: {
    memoryMaxBytes: 512 * mebibyte, // a hit in memory costs no system call
    diskMaxBytes: 10 * gibibyte, // evicting a result means paying for it again
  },
};
