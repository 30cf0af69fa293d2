/** For a laptop that a person works on meanwhile. */
import { gibibyte, mebibyte, minuteMs, type ProfileSettings } from './profile.ts';

export const balanced: ProfileSettings = {
  concurrency: 4, // an agent program takes a few hundred megabytes and bursts of a core; four leave room to work
  timeoutMs: 30 * minuteMs, // a long task of an agent takes ten to fifteen minutes; twice that is stuck
  graceMs: 5_000, // enough to write a session's last state to a disk that is busy
  retry: {
    attempts: 3, // most rate limits and overloads are over by the third try
  },
  cache: {
    memoryMaxBytes: 64 * mebibyte, // some ten thousand results of a few kilobytes
    diskMaxBytes: gibibyte, // months of results, and no one misses the space
  },
};
