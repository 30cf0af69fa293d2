/**
 * The tasks that may start, the most urgent first: a priority queue that is never changed, so that states can share it.
 *
 * Source: leftist heap (C. A. Crane, "Linear lists and priority queues as balanced binary trees", Stanford, 1972): the
 * right spine is never longer than log₂ n, so both operations are one short merge.
 */
export interface ReadyQueue {
  readonly task: number;
  readonly priority: number;
  readonly rank: number;
  readonly left: ReadyQueue | undefined;
  readonly right: ReadyQueue | undefined;
}

/** Cost: O(log n). */
export function withTask(queue: ReadyQueue | undefined, task: number, priority: number): ReadyQueue {
  return merge({ task, priority, rank: 1, left: undefined, right: undefined }, queue);
}

/** The queue but for its first task. Cost: O(log n). */
export function withoutFirst(queue: ReadyQueue): ReadyQueue | undefined {
  return queue.left === undefined ? queue.right : merge(queue.left, queue.right);
}

/** Whether `a` goes before `b`: more work behind it, else earlier in the workflow. */
export function isBefore(a: ReadyQueue, b: ReadyQueue): boolean {
  return a.priority === b.priority ? a.task < b.task : a.priority > b.priority;
}

function merge(a: ReadyQueue, b: ReadyQueue | undefined): ReadyQueue {
  if (b === undefined) return a;
  const [first, second] = isBefore(a, b) ? [a, b] : [b, a];
  const right = merge(second, first.right);
  const { task, priority, left } = first;
  if (left === undefined) return { task, priority, rank: 1, left: right, right: undefined };
  return left.rank >= right.rank
    ? { task, priority, rank: right.rank + 1, left, right }
    : { task, priority, rank: left.rank + 1, left: right, right: left };
}
