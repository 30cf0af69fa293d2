/** A layered graph of tasks that do nothing, run by the engine and by rivals who keep no journal. */
import { deepStrictEqual } from 'node:assert/strict';
import type { CaseContext, PreparedVariant, Variant } from '@cadre/bench';

export type TaskGraph = ReadonlyMap<string, readonly string[]>;

export interface GraphSummary {
  readonly tasks: number;
  /** Tasks that ran before something they need. */
  readonly tooEarly: number;
}

/** Runs the graph once and calls `visit` for each task. */
type RunGraph = (graph: TaskGraph, visit: (task: string) => void) => Promise<void>;

const rivals = {
  'p-graph, no journal': async () => (await import('./rivals/p-graph.ts')).runGraph,
  'fastq, no journal': async () => (await import('./rivals/fastq.ts')).runGraph,
  'p-queue, no journal': async () => (await import('./rivals/p-queue.ts')).runGraph,
} as const;

/** Each task needs two of the layer before. */
export function layeredGraph(layers: number, width: number): TaskGraph {
  return new Map(
    Array.from({ length: layers * width }, (_, index) => {
      const [layer, place] = [Math.floor(index / width), index % width];
      const needs = layer === 0 ? [] : [place, (place + 1) % width].map((before) => `task-${layer - 1}-${before}`);
      return [`task-${layer}-${place}`, needs];
    }),
  );
}

export function validateGraphRun(graph: TaskGraph): (summary: GraphSummary) => void {
  return (summary) => deepStrictEqual(summary, { tasks: graph.size, tooEarly: 0 });
}

export function graphVariants(
  graph: TaskGraph,
  names: readonly (keyof typeof rivals)[],
): Record<string, Variant<GraphSummary>> {
  return {
    cadre: async (context) => prepare(graph, await openEngine(graph, context)),
    ...Object.fromEntries(names.map((name) => [name, async () => prepare(graph, await rivals[name]())])),
  };
}

async function openEngine(graph: TaskGraph, { directory }: CaseContext): Promise<RunGraph> {
  const [{ noCost, noUsage }, { parseWorkflow, startRun }] = await Promise.all([
    import('@cadre/agents'),
    import('@cadre/workflow'),
  ]);
  const tasks = Object.fromEntries(
    [...graph].map(([id, needs]) => [id, { agent: 'nothing', needs: [...needs], cache: false }]),
  );
  const agents = { nothing: { adapter: 'command' as const, command: ['true'] } };
  const workflow = parseWorkflow(JSON.stringify({ name: 'layers', agents, tasks }), { directory });
  return async (_graph, visit) => {
    const run = await startRun({
      workflow,
      inputs: {},
      projectDirectory: directory,
      concurrency: 100,
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

function prepare(graph: TaskGraph, runGraph: RunGraph): PreparedVariant<GraphSummary> {
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
