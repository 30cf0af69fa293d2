import { getEventListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { programPath, start } from '../test/programs.ts';
import { ThreadError } from './errors.ts';
import { createThreadPool, type ThreadPool, type ThreadPoolOptions, type ThreadTask } from './thread-pool.ts';

const module = pathToFileURL(programPath('tasks.mjs'));

async function withPool<T>(options: ThreadPoolOptions, use: (pool: ThreadPool) => Promise<T>): Promise<T> {
  const pool = createThreadPool(options);
  try {
    return await use(pool);
  } finally {
    await pool.close({ signal: AbortSignal.abort() });
  }
}

function sharedCounts(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * 4));
}

/** A task that holds its thread; `begun` resolves when it does, `release` lets it go. */
function holdTask(): { task: ThreadTask; begun: Promise<void>; release: () => void } {
  const gate = sharedCounts(1);
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

describe('ThreadPool.run', () => {
  test('gives back what the function returns, from default and named exports, path and URL', async () => {
    await withPool({ size: 1 }, async (pool) => {
      const value = { list: [1, 'zwei', null], map: new Map([[1, 2]]), bytes: new Uint8Array([1, 2]) };
      expect(await pool.run({ module, argument: value })).toEqual(value);
      expect(await pool.run({ module: programPath('tasks.mjs'), exportName: 'add', argument: { a: 2, b: 3 } })).toBe(5);
      expect(await pool.run({ module: module.href, argument: undefined })).toBeUndefined();
    });
  });

  test('imports a module once in each thread, and again under another query', async () => {
    await withPool({ size: 1 }, async (pool) => {
      const call = (query: string) =>
        pool.run<{ calls: number }>({ module: `${module.href}${query}`, exportName: 'countCalls', argument: 0 });
      expect([(await call('')).calls, (await call('')).calls, (await call('?v=2')).calls]).toEqual([1, 2, 1]);
    });
  });

  test('runs as many tasks at once as it has threads, each alone on its thread', async () => {
    await withPool({ size: 3 }, async (pool) => {
      const holds = [holdTask(), holdTask(), holdTask()];
      const results = holds.map(({ task }) => pool.run(task));
      await Promise.all(holds.map(({ begun }) => begun));
      expect(pool.stats).toMatchObject({ threads: 3, running: 3, idle: 0, queued: 0 });
      for (const { release } of holds) release();
      await Promise.all(results);
      expect(pool.stats).toMatchObject({ running: 0, idle: 3, completed: 3, failed: 0 });
    });
  });

  test('begins tasks in the order they were accepted', async () => {
    await withPool({ size: 1 }, async (pool) => {
      const order = sharedCounts(200);
      const next = sharedCounts(1);
      await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          pool.run({ module, exportName: 'takeNumber', argument: { next, order, index } }),
        ),
      );
      expect([...order]).toEqual(Array.from({ length: 200 }, (_, index) => index));
    });
  });

  // Sending tasks ahead without taking them back leaves those behind the held one waiting for ever.
  test('lets nothing wait behind a slow task while another thread is free', async () => {
    await withPool({ size: 2 }, async (pool) => {
      await Promise.all(Array.from({ length: 500 }, (_, index) => pool.run({ module, argument: index })));
      const held = holdTask();
      const slow = pool.run(held.task);
      const quick = Array.from({ length: 300 }, (_, index) => pool.run({ module, argument: index }));
      expect(await Promise.all(quick)).toHaveLength(300);
      held.release();
      await slow;
    });
  });

  test('rebuilds the error a task threw', async () => {
    await withPool({ size: 1 }, async (pool) => {
      const causeOf = async (exportName: string): Promise<unknown> => {
        const error = await pool.run({ module, exportName, argument: 0 }).catch((reason: unknown) => reason);
        expect(error).toMatchObject({ name: 'ThreadError', code: 'THREAD_TASK_FAILED' });
        return error instanceof ThreadError ? error.cause : undefined;
      };
      const cause = await causeOf('fail');
      expect(cause).toBeInstanceOf(Error);
      expect(cause).toMatchObject({ name: 'RangeError', message: 'out of cheese', code: 'E_CHEESE' });
      expect(cause).toHaveProperty('stack', expect.stringContaining('tasks.mjs'));
      expect(await causeOf('failCustom')).toMatchObject({ name: 'CustomError', message: 'made here' });
      expect(await causeOf('throwText')).toBe('a mere text');
      expect(await causeOf('throwFunction')).toContain('=>');
      expect(pool.stats).toMatchObject({ failed: 4, replaced: 0 });
    });
  });

  test('passes on what a task emits, in order and before its result', async () => {
    await withPool({ size: 1 }, async (pool) => {
      const seen: unknown[] = [];
      const result = await pool.run({
        module,
        exportName: 'emitMany',
        argument: 3,
        onMessage: (value) => seen.push(value),
      });
      expect([...seen, result]).toEqual([0, 1, 2, 'done']);
    });
  });

  test('says that a module, or a function in it, is not there', async () => {
    await withPool({ size: 1 }, async (pool) => {
      const expected = { code: 'THREAD_MODULE_NOT_FOUND' };
      await expect(pool.run({ module: '/nowhere/task.mjs', argument: 0 })).rejects.toMatchObject(expected);
      await expect(pool.run({ module, exportName: 'absent', argument: 0 })).rejects.toMatchObject({
        ...expected,
        message: expect.stringContaining('emitMany'),
      });
      await expect(pool.run({ module: './task.mjs', argument: 0 })).rejects.toThrow(/^module must be an absolute path/);
    });
  });

  test('reports a module that breaks while it is imported, and why', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spawner-'));
    try {
      await writeFile(join(folder, 'broken.mjs'), 'export default 1 +;');
      await withPool({ size: 1 }, async (pool) => {
        const running = pool.run({ module: join(folder, 'broken.mjs'), argument: 0 });
        await expect(running).rejects.toMatchObject({ code: 'THREAD_TASK_FAILED', cause: { name: 'SyntaxError' } });
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('fails only the task whose argument or result cannot be copied', async () => {
    await withPool({ size: 1 }, async (pool) => {
      const argument = () => undefined;
      const outcomes = await Promise.allSettled([
        pool.run({ module, argument: 1 }),
        pool.run({ module, argument }),
        pool.run({ module, argument: 2 }),
        pool.run({ module, exportName: 'returnFunction', argument: 0 }),
        pool.run({ module, argument: 3 }),
      ]);
      const said = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.code));
      expect(said).toEqual([1, 'THREAD_NOT_CLONEABLE', 2, 'THREAD_NOT_CLONEABLE', 3]);
    });
  });

  test.for([
    ['exitProcess', /exit code 3/],
    ['failLater', /thrown from a timer/],
  ] as const)('survives %s: only that task fails, and the thread is replaced', async ([exportName, message]) => {
    await withPool({ size: 1 }, async (pool) => {
      const before = Array.from({ length: 20 }, (_, index) => pool.run({ module, argument: index }));
      const crashed = pool.run({ module, exportName, argument: 0 });
      const after = Array.from({ length: 20 }, (_, index) => pool.run({ module, argument: index }));
      await expect(crashed).rejects.toMatchObject({ code: 'THREAD_CRASHED', message: expect.stringMatching(message) });
      expect(await Promise.all([...before, ...after])).toHaveLength(40);
      expect(pool.stats).toMatchObject({ completed: 40, failed: 1, replaced: 1 });
    });
  });

  test('survives a task that eats all its memory', async () => {
    await withPool({ size: 1, resourceLimits: { maxOldGenerationSizeMb: 16 } }, async (pool) => {
      await expect(pool.run({ module, exportName: 'eatMemory', argument: 0 })).rejects.toMatchObject({
        code: 'THREAD_CRASHED',
        message: expect.stringContaining('out of memory'),
      });
      expect(await pool.run({ module, argument: 'still here' })).toBe('still here');
    });
  });

  test('gives up on a thread that cannot start, one task a try', async () => {
    await withPool(
      { size: 1, resourceLimits: { maxOldGenerationSizeMb: 4, maxYoungGenerationSizeMb: 1 } },
      async (pool) => {
        const outcomes = await Promise.allSettled([1, 2].map((argument) => pool.run({ module, argument })));
        expect(outcomes).toMatchObject([
          { reason: { code: 'THREAD_CRASHED' } },
          { reason: { code: 'THREAD_CRASHED' } },
        ]);
      },
    );
  });

  test('ends a task that runs over its time, and counts no time spent waiting', async () => {
    await withPool({ size: 1 }, async (pool) => {
      const [overdue, waited] = await Promise.allSettled([
        pool.run({ module, exportName: 'spinForever', argument: 0, timeoutMs: 300 }),
        pool.run({ module, argument: 'waited', timeoutMs: 200 }),
      ]);
      expect(overdue).toMatchObject({ status: 'rejected', reason: { code: 'THREAD_TIMEOUT' } });
      expect(waited).toEqual({ status: 'fulfilled', value: 'waited' });
      expect(pool.stats.replaced).toBe(1);
    });
  });

  test('keeps the thread of a task that stops when asked, and replaces that of one that does not', async () => {
    await withPool({ size: 1 }, async (pool) => {
      for (const [exportName, replaced] of [
        ['waitForAbort', 0],
        ['ignoreAbort', 1],
      ] as const) {
        const controller = new AbortController();
        const reason = new Error(`no more ${exportName}`);
        const onMessage = () => controller.abort(reason);
        const running = pool.run({ module, exportName, argument: 0, signal: controller.signal, onMessage });
        await expect(running).rejects.toBe(reason);
        expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
        expect(await pool.run({ module, argument: 'next' })).toBe('next');
        expect(pool.stats.replaced).toBe(replaced);
      }
    });
  });

  test('drops an aborted task that has not begun, and disturbs nobody', async () => {
    await withPool({ size: 1 }, async (pool) => {
      const counts = sharedCounts(1);
      const controller = new AbortController();
      const held = holdTask();
      const slow = pool.run(held.task);
      const mark = { module, exportName: 'mark', argument: { counts, index: 0 } };
      const dropped = [1, 2, 3].map(() => pool.run({ ...mark, signal: controller.signal }));
      const kept = pool.run({ module, argument: 'kept' });
      await held.begun;
      controller.abort(new Error('dropped'));
      const outcomes = await Promise.allSettled(dropped);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
      held.release();
      expect([await kept, counts[0], pool.stats.replaced]).toEqual(['kept', 0, 0]);
      await slow;
    });
  });

  test('starts nothing for a signal that is aborted already', async () => {
    const pool = createThreadPool();
    const reason = new Error('too late');
    await expect(pool.run({ module, argument: 0, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(pool.stats.threads).toBe(0);
    await pool.close();
  });

  test('ends the task whose onMessage throws', async () => {
    await withPool({ size: 1 }, async (pool) => {
      const cause = new Error('cannot take it');
      const onMessage = () => {
        throw cause;
      };
      const running = pool.run({ module, exportName: 'waitForAbort', argument: 0, onMessage });
      await expect(running).rejects.toMatchObject({ code: 'THREAD_CALLBACK_FAILED', cause });
    });
  });

  test('refuses what it has no room for', async () => {
    await withPool({ size: 1, maxQueued: 2 }, async (pool) => {
      const accepted = [1, 2, 3].map((argument) => pool.run({ module, argument }));
      await expect(pool.run({ module, argument: 4 })).rejects.toMatchObject({ code: 'THREAD_POOL_FULL' });
      expect(await Promise.all(accepted)).toEqual([1, 2, 3]);
      expect(await pool.run({ module, argument: 5 })).toBe(5);
    });
  });

  // A pool that requeues everything a dead thread held runs finished tasks again: counts of 2 appear here.
  test('runs no task twice and loses none, while threads crash and tasks are aborted', async () => {
    const seed = Number(process.env.SPAWNER_SEED ?? Math.floor(Math.random() * 2 ** 31));
    const random = seededRandom(seed);
    const tasks = 3000;
    const counts = sharedCounts(tasks);
    const faults = { crash: 0, abort: 0, timeout: 0, slow: 0 };
    await withPool({ size: 3, abortGraceMs: 1 }, async (pool) => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: tasks }, (_, index) => {
          const dice = random();
          if (dice < 0.005) {
            faults.crash += 1;
            return pool.run({ module, exportName: 'markAndExit', argument: { counts, index } });
          }
          if (dice < 0.01) {
            faults.timeout += 1;
            return pool.run({ module, exportName: 'markAndSpin', argument: { counts, index }, timeoutMs: 5 });
          }
          if (dice < 0.02) {
            faults.abort += 1;
            const controller = new AbortController();
            const onMessage = () => controller.abort(new Error('aborted'));
            const signal = controller.signal;
            return pool.run({ module, exportName: 'markAndSpin', argument: { counts, index }, signal, onMessage });
          }
          const spinMs = dice < 0.05 ? 4 : 0;
          if (spinMs > 0) faults.slow += 1;
          return pool.run({ module, exportName: 'mark', argument: { counts, index, spinMs } });
        }),
      );
      const failed = outcomes.filter(({ status }) => status === 'rejected');
      expect({ seed, failed: failed.length }).toEqual({ seed, failed: faults.crash + faults.timeout + faults.abort });
      expect({ seed, ran: [...counts].filter((count) => count !== 1).length }).toEqual({ seed, ran: 0 });
      expect(Math.min(...Object.values(faults)), `seed ${seed}`).toBeGreaterThan(0);
      expect(pool.stats).toMatchObject({ queued: 0, running: 0, completed: tasks - failed.length });
    });
  });
});

describe('ThreadPool.close', () => {
  test('finishes what was accepted, refuses what comes after, and ends every thread', async () => {
    const pool = createThreadPool({ size: 2 });
    const accepted = Array.from({ length: 50 }, (_, index) => pool.run({ module, argument: index }));
    const closing = pool.close();
    expect(pool.close()).toBe(closing);
    await expect(pool.run({ module, argument: 0 })).rejects.toMatchObject({ code: 'THREAD_POOL_CLOSED' });
    await closing;
    expect(await Promise.all(accepted)).toHaveLength(50);
    expect(pool.stats).toMatchObject({ threads: 0, completed: 50 });
    await pool[Symbol.asyncDispose]();
  });

  test('is cut short by its signal', async () => {
    const pool = createThreadPool({ size: 1 });
    const held = holdTask();
    const outcomes = Promise.allSettled([pool.run(held.task), pool.run({ module, argument: 1 })]);
    await held.begun;
    const controller = new AbortController();
    const closing = pool.close({ signal: controller.signal });
    controller.abort();
    await closing;
    const expected = { status: 'rejected', reason: { code: 'THREAD_POOL_CLOSED' } };
    expect(await outcomes).toMatchObject([expected, expected]);
    expect(pool.stats.threads).toBe(0);
  });

  test('is not needed for the process to end once the pool is idle', async () => {
    const running = await start('idle-pool.mjs', [], { timeoutMs: 20_000 });
    expect(await running.result).toMatchObject({ exitCode: 0, endedBy: 'exit', stdout: 'ran' });
  });
});

describe('createThreadPool', () => {
  test('starts no thread before there is work', async () => {
    const pool = createThreadPool();
    expect(pool.stats.threads).toBe(0);
    await pool.close();
  });

  test('keeps what tasks print to itself when told to', async () => {
    const running = await start('printing-pool.mjs', [], { timeoutMs: 20_000 });
    expect(await running.result).toMatchObject({ exitCode: 0, stdout: 'printed in a thread\n' });
  });

  test.for([
    [{ size: 0 }, /^size must/],
    [{ maxQueued: -1 }, /^maxQueued must/],
    [{ abortGraceMs: Number.NaN }, /^abortGraceMs must/],
    [{ resourceLimits: { maxOldGenerationSizeMb: 2 } }, 'maxOldGenerationSizeMb must be at least 4, got 2'],
  ] as const)('refuses %o', ([options, message]) => {
    expect(() => createThreadPool(options)).toThrow(message);
  });
});

/** mulberry32, public domain. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
