import { defineProfile, gibibyte, mebibyte, minuteMs, secondMs } from './profile.ts';

export const cpuConstrained = defineProfile('one or two slow or shared cores with memory enough', {
  concurrency: [
    3,
    'agents mostly wait, but starting one takes seconds of a core, and more than a few only delay each other',
  ],
  timeoutMs: [
    60 * minuteMs,
    'starting, parsing and the tools that agents call take longer here; longer alone is not stuck',
  ],
  graceMs: [15 * secondMs, 'a program that gets little of a core needs longer to hear that it should end'],
  'cache.memoryMaxBytes': [
    256 * mebibyte,
    'a hit in memory saves reading, unpacking and checking an entry: all of it processor time',
  ],
  'cache.diskMaxBytes': [gibibyte, 'the size on disk costs no processor time'],
});
