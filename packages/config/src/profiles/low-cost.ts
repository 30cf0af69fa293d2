import { defineProfile, gibibyte, mebibyte, minuteMs, secondMs } from './profile.ts';

export const lowCost = defineProfile('spending as little as possible on agents, and waiting for it', {
  concurrency: [
    1,
    'a wrong prompt is seen after one attempt was paid for; no rate limit is met, no try is repeated for it',
  ],
  timeoutMs: [15 * minuteMs, 'an attempt that runs on is paid by the token; most that succeed have done so by then'],
  graceMs: [15 * secondMs, 'time to store its session: going on with it costs less than beginning anew'],
  'cache.memoryMaxBytes': [32 * mebibyte, 'one attempt at a time needs no quick look-ups'],
  'cache.diskMaxBytes': [
    20 * gibibyte,
    'disk costs less than tokens: every result that is kept is never paid for again',
  ],
});
