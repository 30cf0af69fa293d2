import { deepStrictEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type CaseContext, defineCase, type PreparedVariant } from '@cadre/bench';
import { countToolCalls, makeRecordedStream, writeLines } from '../../recorded-stream.ts';

const { lines, toolCalls } = makeRecordedStream();

export default defineCase<number>({
  question: 'How long does a line take from the record that an attempt left to events?',
  unit: 'line',
  unitsPerIteration: lines.length,
  validate: (count) => deepStrictEqual(count, toolCalls),
  variants: {
    async cadre({ directory }) {
      const { readAttemptEvents } = await import('@cadre/agents');
      writeLines(directory, 'stdout.raw', lines);
      return repeatedly(async () => {
        let started = 0;
        for await (const event of readAttemptEvents({ adapter: 'claude' }, directory)) {
          if (event.type === 'toolStarted') started += 1;
        }
        return started;
      });
    },
    'split2 and a mapping': async (context) => mapping(context, (await import('../../rivals/split2.ts')).readRecords),
    'readline and a mapping': async (context) =>
      mapping(context, (await import('../../rivals/readline.ts')).readRecords),
    'JSON.parse of each line, the limit': ({ directory }) => {
      const path = writeLines(directory, 'stdout.raw', lines);
      return repeatedly(async () => {
        const text = readFileSync(path, 'utf8').trimEnd();
        return text.split('\n').reduce((sum, line) => sum + countToolCalls(JSON.parse(line)), 0);
      });
    },
  },
});

/** The one field that one looks for: no usage, no cost, no warning of what can't be read, no bound. */
function mapping(
  { directory }: CaseContext,
  readRecords: (path: string, visit: (value: unknown) => void) => Promise<void>,
): PreparedVariant<number> {
  const path = writeLines(directory, 'stdout.raw', lines);
  return repeatedly(async () => {
    let count = 0;
    await readRecords(path, (value) => {
      count += countToolCalls(value);
    });
    return count;
  });
}

function repeatedly(readOnce: () => Promise<number>): PreparedVariant<number> {
  return {
    async run(iterations) {
      let count = await readOnce();
      for (let iteration = 1; iteration < iterations; iteration += 1) count = await readOnce();
      return count;
    },
  };
}
