import { deepStrictEqual } from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CaseContext, defineCase } from '@cadre/bench';
import { workspaceFolder } from '../../data.ts';

/** What the recorded session did between its first line and its last is repeated so often. */
const repeats = 1500;
const { lines, toolCalls } = makeStream();

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
      const line = value as StreamLine;
      summary.toolCalls += countToolCalls(line);
      if (line.type === 'result') summary.succeeded = line.is_error === false;
    });
    return summary;
  });
}

interface StreamLine {
  readonly type: string;
  readonly is_error?: boolean;
  readonly message?: { readonly content?: readonly { readonly type: string }[] };
}

function makeStream(): { readonly lines: readonly string[]; readonly toolCalls: number } {
  const recording = join(workspaceFolder(), '../packages/agents/test/recordings/claude-tool/stdout.jsonl');
  const recorded = readFileSync(recording, 'utf8').trimEnd().split('\n');
  const isResult = (line: string) => (JSON.parse(line) as StreamLine).type === 'result';
  const [first = '', ...middle] = recorded.filter((line) => !isResult(line));
  const repeated = Array.from({ length: repeats }, (_, turn) =>
    // Each turn has ids of its own, as a long session would.
    middle.map((line) =>
      line.replaceAll(/toolu_\w+/g, (id) => `${id}_${turn}`).replaceAll(/msg_\w+/g, (id) => `${id}_${turn}`),
    ),
  ).flat();
  const all = [first, ...repeated, ...recorded.filter(isResult)];
  return { lines: all, toolCalls: all.reduce((sum, line) => sum + countToolCalls(JSON.parse(line)), 0) };
}

function countToolCalls({ type, message }: StreamLine): number {
  if (type !== 'assistant') return 0;
  return (message?.content ?? []).filter((part) => part.type === 'tool_use').length;
}

function writeStream({ directory }: CaseContext): string {
  const path = join(directory, 'stream.jsonl');
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
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
