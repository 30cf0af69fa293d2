import { defineProfile, gibibyte, mebibyte, minuteMs, secondMs } from './profile.ts';

export const memoryConstrained = defineProfile('a machine or container with 2 GB of memory or less', {
  concurrency: [2, 'an agent program takes 300 to 500 MB; two fit into 2 GB beside the system and this process'],
  timeoutMs: [
    30 * minuteMs,
    'little memory makes no attempt longer as long as nothing swaps, which two at once prevents',
  ],
  graceMs: [10 * secondMs, 'a program that was swapped out has to come back before it can end'],
  'cache.memoryMaxBytes': [
    8 * mebibyte,
    'the system keeps recent cache files in memory anyway, and gives them up when it must',
  ],
  'cache.diskMaxBytes': [gibibyte, 'disk is not what is short, and a kept result is an agent that need not run'],
});
