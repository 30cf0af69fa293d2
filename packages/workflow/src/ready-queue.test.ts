import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ReadyQueue, withoutFirst, withTask } from './ready-queue.ts';

test('gives tasks by priority, and equal ones in the order of the workflow', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(500)), fc.func(fc.nat(5)), (tasks, priorityOf) => {
      const empty: ReadyQueue | undefined = undefined;
      let queue = tasks.reduce<ReadyQueue | undefined>((rest, task) => withTask(rest, task, priorityOf(task)), empty);
      const order: number[] = [];
      for (; queue !== undefined; queue = withoutFirst(queue)) order.push(queue.task);
      const expected = [...tasks].sort((a, b) => priorityOf(b) - priorityOf(a) || a - b);
      expect(order).toEqual(expected);
    }),
  );
});
