import fastq from 'fastq';

/** A queue knows no graph: what is ready is counted here, as its users do. In memory: nothing outlives the process. */
export async function runGraph(
  graph: ReadonlyMap<string, readonly string[]>,
  visit: (task: string) => void,
): Promise<void> {
  const waitsFor = new Map([...graph].map(([task, needs]) => [task, needs.length]));
  const neededBy = new Map<string, string[]>([...graph.keys()].map((task) => [task, []]));
  for (const [task, needs] of graph) for (const need of needs) neededBy.get(need)?.push(task);

  const queue = fastq.promise(async (task: string) => visit(task), 100);
  const all: Promise<void>[] = [];
  const start = (task: string) => {
    all.push(queue.push(task).then(() => neededBy.get(task)?.forEach(release)));
  };
  const release = (task: string) => {
    const left = (waitsFor.get(task) ?? 0) - 1;
    waitsFor.set(task, left);
    if (left === 0) start(task);
  };
  for (const [task, needs] of graph) if (needs.length === 0) start(task);
  // More are pushed while these settle.
  for (let next = 0; next < all.length; next += 1) await all[next];
}

/** It has no memory of its own: its users log what is done, and after a crash push what is ready of the rest. */
export async function startRest(
  graph: ReadonlyMap<string, readonly string[]>,
  isDone: (task: string) => boolean,
): Promise<string> {
  return new Promise((resolve) => {
    const queue = fastq.promise(async (task: string) => {
      queue.killAndDrain();
      resolve(task);
    }, 1);
    for (const [task, needs] of graph) if (!isDone(task) && needs.every(isDone)) void queue.push(task);
  });
}
