import PQueue from 'p-queue';

/** A queue knows no graph: a task is added when the last of what it needs is done. In memory. */
export async function runGraph(
  graph: ReadonlyMap<string, readonly string[]>,
  visit: (task: string) => void,
): Promise<void> {
  const waitsFor = new Map([...graph].map(([task, needs]) => [task, needs.length]));
  const neededBy = new Map<string, string[]>([...graph.keys()].map((task) => [task, []]));
  for (const [task, needs] of graph) for (const need of needs) neededBy.get(need)?.push(task);

  const queue = new PQueue({ concurrency: 100 });
  const start = (task: string): void => {
    void queue.add(async () => {
      visit(task);
      for (const next of neededBy.get(task) ?? []) release(next);
    });
  };
  const release = (task: string) => {
    const left = (waitsFor.get(task) ?? 0) - 1;
    waitsFor.set(task, left);
    if (left === 0) start(task);
  };
  for (const [task, needs] of graph) if (needs.length === 0) start(task);
  await queue.onIdle();
}
