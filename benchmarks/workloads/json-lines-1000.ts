import { join } from 'node:path';
import { defineWorkload } from '@cadre/bench';
import { writeRecords } from '../data.ts';
import { expectLines, explainLines, readingLines } from '../read-lines.ts';

export default defineWorkload({
  question: 'Read a file of 1,000 JSON lines of about 1 KB to values.',
  claims: [
    {
      what: '1,000 lines',
      unit: 'nanoseconds',
      claimed: 0.95e6,
      source: 'the original reports: "0.95 ms per 1,000 JSON lines"',
      read: ({ time }) => time(),
      explain: ({ figures }) => explainLines('These lines have about 1 KB', figures),
    },
  ],
  sizes: { full: 1000, small: 1000 },
  make: (size) => ({
    unit: '1,000 lines',
    validate: expectLines(size),
    variants: readingLines(({ directory }) => {
      const path = join(directory, 'records.jsonl');
      writeRecords(path, size);
      return path;
    }),
  }),
});
