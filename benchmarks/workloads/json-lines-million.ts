import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { defineWorkload } from '@cadre/bench';
import { writeRecords } from '../data.ts';
import { expectLines, explainLines, readingLines } from '../read-lines.ts';

/** Written once by the generator, and copied until there are enough. */
const block = 1000;

export default defineWorkload({
  question: 'Read a file of 1,000,000 JSON lines of about 170 bytes to values.',
  claims: [
    {
      what: '1,000 of 1,000,000 lines',
      unit: 'nanoseconds',
      claimed: 0.95e6,
      source: 'the original reports: "0.95 ms per 1,000 JSON lines"',
      read: ({ time }) => time(),
      explain: ({ figures }) => explainLines('These lines have about 170 bytes', figures),
    },
  ],
  sizes: { full: 1_000_000, small: 2000 },
  make: (size) => ({
    unit: '1,000 lines',
    unitsPerIteration: size / 1000,
    validate: expectLines(size, block),
    variants: readingLines(({ directory }) => {
      const path = join(directory, 'block.jsonl');
      writeRecords(path, block, 16);
      const bytes = readFileSync(path);
      const file = openSync(join(directory, 'records.jsonl'), 'w');
      for (let copy = 0; copy < size / block; copy += 1) writeSync(file, bytes);
      closeSync(file);
      return join(directory, 'records.jsonl');
    }),
  }),
});
