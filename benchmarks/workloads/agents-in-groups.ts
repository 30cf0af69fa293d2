import { deepStrictEqual } from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineWorkload, type PreparedVariant } from '@cadre/bench';

/** As in `examples/audit`: 8 collect, 10 analyse what two of them found, 5 conclude from all that was analysed. */
const groups = [8, 10, 5];
const graph: ReadonlyMap<string, readonly string[]> = makeGraph();

interface Summary {
  readonly succeeded: number;
  /** Each agent answers with one more than it was given by an agent of the group before. */
  readonly depth: number;
}

export default defineWorkload<Summary>({
  question: 'Run 23 agents in three dependent groups, each a process of its own that waits for its model.',
  claims: [
    {
      what: 'one after the other over all at once',
      unit: 'times',
      claimed: 4,
      source: 'the original reports: "23 agents in groups, 4×"',
      read: ({ times }) => times('cadre, one at a time'),
      explain: ({ verdict, figures }) =>
        verdict === 'missed'
          ? `Agents that wait for a model gain most; ${(figures.time().estimate / 1e6).toFixed(0)} ms for three groups that each wait 250 ms shows what starting processes on so few cores costs.`
          : 'Agents spend their time waiting for a model, here 250 ms each, so that those of a group wait together; 23 in three groups could gain 7.7× at most, and agents that compute gain no more than there are cores.',
    },
  ],
  sizes: { full: 250, small: 1 },
  make: (waitMs) => ({
    unit: 'run',
    control: 'process',
    validate: (summary) => deepStrictEqual(summary, { succeeded: graph.size, depth: groups.length }),
    variants: {
      cadre: ({ directory }) => running(directory, waitMs, graph.size),
      'cadre, one at a time': ({ directory }) => running(directory, waitMs, 1),
      async 'p-graph + child_process, no journal'({ directory }) {
        const [{ PGraph }, { runProgram }] = await Promise.all([
          import('p-graph'),
          import('../rivals/child-process.ts'),
        ]);
        const program = writeAgent(directory, waitMs);
        return repeated(async () => {
          const depths = new Map<string, number>();
          const nodes = new Map(
            [...graph].map(([task, needs]) => [
              task,
              {
                run: async () => {
                  const depth = needs[0] === undefined ? 0 : depths.get(needs[0]);
                  const { stdout } = await runProgram('sh', [program, JSON.stringify({ input: { depth } })]);
                  depths.set(task, JSON.parse(stdout).output);
                },
              },
            ]),
          );
          const edges = [...graph].flatMap(([task, needs]) => needs.map((need): [string, string] => [need, task]));
          await new PGraph(nodes, edges).run({ concurrency: graph.size });
          return { succeeded: depths.size, depth: Math.max(...depths.values()) };
        });
      },
    },
  }),
});

async function running(directory: string, waitMs: number, concurrency: number): Promise<PreparedVariant<Summary>> {
  const { defineWorkflow, localExecutor, startRun } = await import('@cadre/workflow');
  const program = writeAgent(directory, waitMs);
  const tasks = [...graph].map(([id, needs]) => {
    const depth = needs[0] === undefined ? 0 : `\${{ tasks.${needs[0]}.output }}`;
    return [id, { agent: 'agent', cache: false, needs: [...needs], with: { depth } }] as const;
  });
  const workflow = defineWorkflow(
    {
      name: 'groups',
      agents: { agent: { adapter: 'jsonl', command: ['sh', program] } },
      tasks: Object.fromEntries(tasks),
    },
    { directory },
  );
  const executor = localExecutor();
  return {
    ...repeated(async () => {
      const run = await startRun({
        workflow,
        inputs: {},
        projectDirectory: join(directory, '.cadre'),
        executor,
        concurrency,
      });
      const { counts } = await run.finished;
      return { succeeded: counts.succeeded, depth: Number(await run.result()) };
    }),
    close: () => executor.close(),
  };
}

function repeated(runOnce: () => Promise<Summary>): PreparedVariant<Summary> {
  return {
    async run(iterations) {
      let summary = await runOnce();
      for (let iteration = 1; iteration < iterations; iteration += 1) summary = await runOnce();
      return summary;
    },
  };
}

/** It speaks our line protocol: a line with its task, then, when its model has answered, a line with the result. */
function writeAgent(directory: string, waitMs: number): string {
  const path = join(directory, 'agent.sh');
  const script = `if [ $# -gt 0 ]; then line=$1; else read -r line; fi
rest=\${line#*\\"depth\\":}
depth=\${rest%%[!0-9]*}
sleep ${waitMs / 1000}
echo "{\\"type\\":\\"result\\",\\"output\\":$((depth + 1))}"
`;
  writeFileSync(path, script);
  return path;
}

/** An agent of the second group needs two of the first, one of the third all of the second. */
function makeGraph(): ReadonlyMap<string, readonly string[]> {
  const [first = [], second = [], third = []] = groups.map((size, group) =>
    Array.from({ length: size }, (_, place) => `agent${group}of${place}`),
  );
  return new Map<string, readonly string[]>([
    ...first.map((id): [string, readonly string[]] => [id, []]),
    ...second.map((id, place): [string, readonly string[]] => [
      id,
      [0, 1].map((next) => first[(place + next) % first.length] ?? id),
    ]),
    ...third.map((id): [string, readonly string[]] => [id, second]),
  ]);
}
