import { defineProfile, gibibyte, mebibyte, minuteMs, secondMs } from './profile.ts';

export const balanced = defineProfile('a laptop that a person works on meanwhile', {
  concurrency: [4, 'an agent program takes a few hundred megabytes and bursts of a core; four leave room to work'],
  timeoutMs: [30 * minuteMs, 'a long task of an agent takes ten to fifteen minutes; twice that is stuck'],
  graceMs: [5 * secondMs, "enough to write a session's last state to a disk that is busy"],
  'cache.memoryMaxBytes': [64 * mebibyte, 'some ten thousand results of a few kilobytes'],
  'cache.diskMaxBytes': [gibibyte, 'months of results, and no one misses the space'],
});
