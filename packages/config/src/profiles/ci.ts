import { defineProfile, gibibyte, mebibyte, minuteMs, secondMs } from './profile.ts';

export const ci = defineProfile(
  'a hosted runner: few cores, a bill by the minute, a job that is cancelled without patience',
  {
    concurrency: [2, 'hosted runners have two to four cores, and the build under test wants some'],
    timeoutMs: [15 * minuteMs, "a stuck attempt should fail with its log, before the job's own limit hides it"],
    graceMs: [2 * secondMs, 'a cancelled job is killed about ten seconds later; all agents must be gone by then'],
    'cache.memoryMaxBytes': [32 * mebibyte, 'the process is short-lived: hits come from the restored disk cache'],
    'cache.diskMaxBytes': [gibibyte / 2, 'saved and restored with every job, so its size is time'],
  },
);
