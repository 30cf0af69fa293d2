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

/** It has no memory of its own: its users log what is done, and after a crash make a graph of the rest. */
export async function startRest(
  graph: ReadonlyMap<string, readonly string[]>,
  isDone: (task: string) => boolean,
): Promise<string> {
  let first = '';
  const run = async (task: string) => {
    first ||= task;
    // The way out of a graph that is only to be started.
    throw new Error('started');
  };
  const rest = [...graph.keys()].filter((task) => !isDone(task));
  const nodes = new Map(rest.map((task) => [task, { run: () => run(task) }]));
  const edges = rest.flatMap((task) =>
    (graph.get(task) ?? []).filter((need) => nodes.has(need)).map((need): [string, string] => [need, task]),
  );
  await new PGraph(nodes, edges).run({ concurrency: 1 }).catch((error: unknown) => {
    if (first === '') throw error;
  });
  return first;
}
