import async from 'async';

/** Its `auto` is made for graphs, of tens of tasks: it looks through all that wait each time one is done. In memory. */
export async function runGraph(
  graph: ReadonlyMap<string, readonly string[]>,
  visit: (task: string) => void,
): Promise<void> {
  const tasks = Object.fromEntries(
    [...graph].map(([task, needs]) => [
      task,
      needs.length === 0 ? async () => visit(task) : [...needs, async () => visit(task)],
    ]),
  );
  await async.auto(tasks as Parameters<typeof async.auto>[0], 100);
}
