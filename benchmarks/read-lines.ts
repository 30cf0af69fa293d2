/** The workloads of JSON lines ask one thing of files of two sizes: every value, seen once. */
import { deepStrictEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { CaseContext, PreparedVariant, Variant, WorkloadFigures } from '@cadre/bench';
import type { AgentRecord } from './data.ts';

const limit = 'JSON.parse of ready strings, the limit';

export interface LinesSummary {
  readonly lines: number;
  readonly sequences: number;
  readonly results: number;
}

/** @param block  after how many lines the sequence numbers start again */
export function expectLines(size: number, block: number = size): (summary: LinesSummary) => void {
  const sequences = (size / block) * ((block * (block - 1)) / 2);
  return (summary) => deepStrictEqual(summary, { lines: size, sequences, results: size / 50 });
}

export function readingLines(writeFile: (context: CaseContext) => string): Record<string, Variant<LinesSummary>> {
  return {
    async cadre(context) {
      const { readJsonl } = await import('@cadre/jsonl');
      const path = writeFile(context);
      return counting(async (visit) => {
        for await (const batch of readJsonl<AgentRecord>(path)) for (const record of batch) visit(record);
      });
    },
    async readline(context) {
      const { readRecords } = await import('./rivals/readline.ts');
      const path = writeFile(context);
      return counting((visit) => readRecords(path, visit));
    },
    async split2(context) {
      const { readRecords } = await import('./rivals/split2.ts');
      const path = writeFile(context);
      return counting((visit) => readRecords(path, visit));
    },
    [limit](context) {
      const lines = readFileSync(writeFile(context), 'utf8').trimEnd().split('\n');
      return counting((visit) => {
        for (const line of lines) visit(JSON.parse(line));
      });
    },
  };
}

/** What 0.95 ms for 1,000 lines leaves room for, by what parsing alone takes. */
export function explainLines(lines: string, { time, times }: WorkloadFigures): string {
  const parsing = time(limit).estimate / 1e6;
  const room =
    parsing > 0.95
      ? 'more than the claim, which says nothing of the lines it read: only shorter ones can be so fast'
      : 'and the file has to be read, cut into lines and decoded besides';
  return `${lines}: JSON.parse alone, of 1,000 that are strings in memory already, takes ${parsing.toFixed(2)} ms here, ${room}; readline takes ${times('readline').estimate.toFixed(2)}× our time.`;
}

function counting(read: (visit: (record: AgentRecord) => void) => Promise<void> | void): PreparedVariant<LinesSummary> {
  return {
    async run(iterations) {
      let summary = { lines: 0, sequences: 0, results: 0 };
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        summary = { lines: 0, sequences: 0, results: 0 };
        await read(({ sequence, type }) => {
          summary.lines += 1;
          summary.sequences += sequence;
          if (type === 'result') summary.results += 1;
        });
      }
      return summary;
    },
  };
}
