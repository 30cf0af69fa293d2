import { PGraph } from 'p-graph';

/** In memory: what ran is forgotten when the process ends. */
export async function runGraph(
  graph: ReadonlyMap<string, readonly string[]>,
  visit: (task: string) => void,
): Promise<void> {
  const nodes = new Map([...graph.keys()].map((task) => [task, { run: async () => visit(task) }]));
  const edges = [...graph].flatMap(([task, needs]) => needs.map((need): [string, string] => [need, task]));
  await new PGraph(nodes, edges).run({ concurrency: 100 });
}
