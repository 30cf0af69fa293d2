import { describe, expect, test } from 'vitest';
import { module, withPool, workerPoolContract } from '../test/worker-pool-contract.ts';
import { createThreadPool } from './thread-pool.ts';

describe('ThreadPool', () => {
  workerPoolContract({ noun: 'thread', create: createThreadPool, holdTask: holdInMemory, crashTasks: 1500 });

  test('survives a task that eats all its memory', async () => {
    await withPool(createThreadPool({ size: 1, resourceLimits: { maxOldGenerationSizeMb: 16 } }), async (pool) => {
      await expect(pool.run({ module, exportName: 'eatMemory', argument: 0 })).rejects.toMatchObject({
        code: 'THREAD_CRASHED',
        message: expect.stringContaining('out of memory'),
      });
      expect(await pool.run({ module, argument: 'still here' })).toBe('still here');
    });
  });

  test('gives up on a thread that cannot start, one task a try', async () => {
    const resourceLimits = { maxOldGenerationSizeMb: 4, maxYoungGenerationSizeMb: 1 };
    await withPool(createThreadPool({ size: 1, resourceLimits }), async (pool) => {
      const outcomes = await Promise.allSettled([1, 2].map((argument) => pool.run({ module, argument })));
      expect(outcomes).toMatchObject([{ reason: { code: 'THREAD_CRASHED' } }, { reason: { code: 'THREAD_CRASHED' } }]);
      await expect(pool.ready()).rejects.toMatchObject({ code: 'THREAD_CRASHED' });
    });
  });

  test('refuses a heap that would end the whole process', () => {
    const create = () => createThreadPool({ resourceLimits: { maxOldGenerationSizeMb: 2 } });
    expect(create).toThrow('maxOldGenerationSizeMb must be at least 4, got 2');
  });
});

/** At a gate in shared memory, where a thread can be ended: in a system call it can't. */
function holdInMemory() {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  let note: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    note = resolve;
  });
  return {
    task: { module, exportName: 'hold', argument: { gate }, onMessage: note },
    begun,
    release: () => {
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
    },
  };
}
