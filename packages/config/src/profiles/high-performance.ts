import { defineProfile, gibibyte, mebibyte, minuteMs, secondMs } from './profile.ts';

export const highPerformance = defineProfile(
  'a machine that does nothing else, and accounts whose rate limits allow many sessions',
  {
    concurrency: [16, 'agents wait for the network most of the time; memory, at some 8 GB for sixteen, is the limit'],
    timeoutMs: [60 * minuteMs, 'with so many at once each is slower, and a killed attempt is paid for in full'],
    graceMs: [5 * secondMs, 'ending sooner would win nothing: other attempts fill the time'],
    'cache.memoryMaxBytes': [512 * mebibyte, 'a hit in memory costs no system call'],
    'cache.diskMaxBytes': [10 * gibibyte, 'evicting a result means paying for it again'],
  },
);
