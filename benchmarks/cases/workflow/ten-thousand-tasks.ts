import { deepStrictEqual } from 'node:assert/strict';
import { type CaseContext, defineCase, type PreparedVariant } from '@cadre/bench';

const layers = 100;
const width = 100;
/** In layers of 100; each task needs two of the layer before. */
const graph: ReadonlyMap<string, readonly string[]> = new Map(
  Array.from({ length: layers * width }, (_, index) => {
    const [layer, place] = [Math.floor(index / width), index % width];
    const needs = layer === 0 ? [] : [place, (place + 1) % width].map((before) => `task-${layer - 1}-${before}`);
    return [`task-${layer}-${place}`, needs];
  }),
);

interface Summary {
  readonly tasks: number;
  /** Tasks that ran before something they need. */
  readonly tooEarly: number;
}

/** Runs the graph once and calls `visit` for each task. */
type RunGraph = (graph: ReadonlyMap<string, readonly string[]>, visit: (task: string) => void) => Promise<void>;

export default defineCase<Summary>({
  question:
    'How long does a task that does nothing take in a graph of 10,000 (ours: planned, decided, journaled on disk)?',
  unit: 'task',
  unitsPerIteration: graph.size,
  validate: (summary) => deepStrictEqual(summary, { tasks: graph.size, tooEarly: 0 }),
  variants: {
    cadre: async (context) => prepare(await openEngine(context)),
    'p-graph, no journal': async () => prepare((await import('../../rivals/p-graph.ts')).runGraph),
    'fastq, no journal': async () => prepare((await import('../../rivals/fastq.ts')).runGraph),
  },
});

async function openEngine({ directory }: CaseContext): Promise<RunGraph> {
  const [{ noCost, noUsage }, { parseWorkflow, startRun }] = await Promise.all([
    import('@cadre/agents'),
    import('@cadre/workflow'),
  ]);
  const tasks = Object.fromEntries(
    [...graph].map(([id, needs]) => [id, { agent: 'nothing', needs: [...needs], cache: false }]),
  );
  const agents = { nothing: { adapter: 'command' as const, command: ['true'] } };
  const workflow = parseWorkflow(JSON.stringify({ name: 'ten-thousand', agents, tasks }), { directory });
  return async (_graph, visit) => {
    const run = await startRun({
      workflow,
      inputs: {},
      projectDirectory: directory,
      concurrency: width,
      executor: {
        async execute({ task }) {
          visit(task);
          const base = { text: '', output: null, usage: noUsage, cost: noCost, durationMs: 0, warnings: [] };
          return { ...base, status: 'succeeded' };
        },
        close: async () => undefined,
      },
    });
    const { status } = await run.finished;
    if (status !== 'succeeded') throw new Error(`The run ${status}.`);
  };
}

function prepare(runGraph: RunGraph): PreparedVariant<Summary> {
  return {
    async run(iterations) {
      let summary = { tasks: 0, tooEarly: 0 };
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        const done = new Set<string>();
        summary = { tasks: 0, tooEarly: 0 };
        await runGraph(graph, (task) => {
          summary.tasks += 1;
          if (graph.get(task)?.some((need) => !done.has(need))) summary.tooEarly += 1;
          done.add(task);
        });
      }
      return summary;
    },
  };
}
