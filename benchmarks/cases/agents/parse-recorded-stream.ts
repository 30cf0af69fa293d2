import { deepStrictEqual } from 'node:assert/strict';
import { type CaseContext, defineCase } from '@cadre/bench';
import { countToolCalls, isSuccess, makeRecordedStream, writeLines } from '../../recorded-stream.ts';

const { lines, toolCalls } = makeRecordedStream();

interface Summary {
  readonly toolCalls: number;
  readonly succeeded: boolean;
}

export default defineCase<Summary>({
  question: "How long does a line of a coding agent's output take from its process to events and an outcome?",
  unit: 'line',
  unitsPerIteration: lines.length,
  validate: (summary) => deepStrictEqual(summary, { toolCalls, succeeded: true }),
  variants: {
    async cadre(context) {
      const { runAgent } = await import('@cadre/agents');
      const program = ['sh', '-c', 'exec cat "$0"', writeStream(context)];
      return repeatedly(async () => {
        let started = 0;
        const outcome = await runAgent(
          { adapter: 'claude', program },
          { prompt: 'Say hello.', cwd: context.directory },
          {
            onEvent: (event) => {
              if (event.type === 'toolStarted') started += 1;
            },
          },
        );
        return { toolCalls: started, succeeded: outcome.status === 'succeeded' };
      });
    },
    'split2 and a mapping': async (context) =>
      mapping(context, (await import('../../rivals/split2.ts')).runJsonProgram),
    'ndjson and a mapping': async (context) =>
      mapping(context, (await import('../../rivals/ndjson.ts')).runJsonProgram),
    'spawn + JSON.parse, the limit': async (context) =>
      mapping(context, (await import('../../rivals/child-process.ts')).runJsonProgram),
  },
});

type RunJsonProgram = (command: string, args: readonly string[], visit: (value: unknown) => void) => Promise<void>;

/** What one writes oneself: the two fields one needs. No usage, no cost, no reason of a failure, no bound, no record of the output. */
function mapping(context: CaseContext, runJsonProgram: RunJsonProgram) {
  const path = writeStream(context);
  return repeatedly(async () => {
    const summary = { toolCalls: 0, succeeded: false };
    await runJsonProgram('cat', [path], (value) => {
      summary.toolCalls += countToolCalls(value);
      if (isSuccess(value)) summary.succeeded = true;
    });
    return summary;
  });
}

function writeStream({ directory }: CaseContext): string {
  return writeLines(directory, 'stream.jsonl', lines);
}

function repeatedly(runOnce: () => Promise<Summary>) {
  return {
    async run(iterations: number) {
      let summary = await runOnce();
      for (let iteration = 1; iteration < iterations; iteration += 1) summary = await runOnce();
      return summary;
    },
  };
}
