/**
 * What pools of threads and of processes promise alike, as one suite that both must pass.
 *
 * Over 400 lines: it is one list of promises, and a promise left in another file would be one that only one kind keeps.
 */
import { execFileSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WorkerPool, WorkerPoolOptions, WorkerTask } from '../src/index.ts';
import { programPath, start } from './programs.ts';

export interface HeldTask {
  readonly task: WorkerTask;
  /** Resolves when it holds its worker. */
  readonly begun: Promise<void>;
  /** Lets the worker go. */
  readonly release: () => void;
}

export interface ContractSubject {
  readonly noun: 'thread' | 'process';
  create(options?: WorkerPoolOptions): WorkerPool;
  holdTask(): HeldTask;
  /** How many tasks the test of crashes runs, and its odds. */
  readonly crashTasks: number;
}

export const module = pathToFileURL(programPath('tasks.mjs'));

/** mulberry32, public domain. */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export async function withPool<T>(pool: WorkerPool, use: (pool: WorkerPool) => Promise<T>): Promise<T> {
  try {
    return await use(pool);
  } finally {
    await pool.close({ signal: AbortSignal.abort() });
  }
}

/** A task that holds its worker at a named pipe that nobody has written to. */
export function holdAtPipe(folder: string): HeldTask {
  const pipe = join(mkdtempSync(join(folder, 'hold-')), 'pipe');
  execFileSync('mkfifo', [pipe]);
  let note: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    note = resolve;
  });
  return {
    task: { module, exportName: 'holdAtPipe', argument: { pipe }, onMessage: note },
    begun,
    release: () => writeFileSync(pipe, ''),
  };
}

export function workerPoolContract({ noun, create, holdTask, crashTasks }: ContractSubject): void {
  const code = (trouble: string) => `${noun.toUpperCase()}_${trouble}`;
  let folder: string;
  let files = 0;
  const newFile = (): string => {
    const file = join(folder, `marks-${files++}`);
    writeFileSync(file, '');
    return file;
  };
  const marks = (file: string): readonly number[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'spawner-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  describe('run', () => {
    test('gives back what the function returns, from default and named exports, path and URL', async () => {
      await withPool(create({ size: 1 }), async (pool) => {
        const value = { list: [1, 'zwei', null], map: new Map([[1, 2]]), bytes: new Uint8Array([1, 2]) };
        expect(await pool.run({ module, argument: value })).toEqual(value);
        const add = { module: programPath('tasks.mjs'), exportName: 'add', argument: { a: 2, b: 3 } };
        expect(await pool.run(add)).toBe(5);
        expect(await pool.run({ module: module.href, argument: undefined })).toBeUndefined();
      });
    });

    test('imports a module once in each worker, and again under another query', async () => {
      await withPool(create({ size: 1 }), async (pool) => {
        const call = (query: string) =>
          pool.run<{ calls: number }>({ module: `${module.href}${query}`, exportName: 'countCalls', argument: 0 });
        expect([(await call('')).calls, (await call('')).calls, (await call('?v=2')).calls]).toEqual([1, 2, 1]);
      });
    });

    test('runs as many tasks at once as it has workers, each alone on its worker', async () => {
      await withPool(create({ size: 3 }), async (pool) => {
        const holds = [holdTask(), holdTask(), holdTask()];
        const results = holds.map(({ task }) => pool.run(task));
        await Promise.all(holds.map(({ begun }) => begun));
        expect(pool.stats).toMatchObject({ workers: 3, running: 3, idle: 0, queued: 0 });
        for (const { release } of holds) release();
        await Promise.all(results);
        expect(pool.stats).toMatchObject({ running: 0, idle: 3, completed: 3, failed: 0 });
      });
    });

    test('begins tasks in the order they were accepted', async () => {
      await withPool(create({ size: 1 }), async (pool) => {
        const file = newFile();
        const indexes = Array.from({ length: 200 }, (_, index) => index);
        await Promise.all(indexes.map((index) => pool.run({ module, exportName: 'mark', argument: { file, index } })));
        expect(marks(file)).toEqual(indexes);
      });
    });

    test('lets nothing wait behind a slow task while another worker is free', async () => {
      await withPool(create({ size: 2 }), async (pool) => {
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
      await withPool(create({ size: 1 }), async (pool) => {
        const causeOf = async (exportName: string): Promise<unknown> => {
          const error: unknown = await pool.run({ module, exportName, argument: 0 }).catch((reason: unknown) => reason);
          expect(error).toMatchObject({ code: code('TASK_FAILED') });
          return error instanceof Error ? error.cause : undefined;
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
      await withPool(create({ size: 1 }), async (pool) => {
        const seen: unknown[] = [];
        const onMessage = (value: unknown) => seen.push(value);
        const result = await pool.run({ module, exportName: 'emitMany', argument: 3, onMessage });
        expect([...seen, result]).toEqual([0, 1, 2, 'done']);
      });
    });

    test('says that a module, or a function in it, is not there', async () => {
      await withPool(create({ size: 1 }), async (pool) => {
        const expected = { code: code('MODULE_NOT_FOUND') };
        await expect(pool.run({ module: '/nowhere/task.mjs', argument: 0 })).rejects.toMatchObject(expected);
        await expect(pool.run({ module, exportName: 'absent', argument: 0 })).rejects.toMatchObject({
          ...expected,
          message: expect.stringContaining('emitMany'),
        });
        await expect(pool.run({ module: './task.mjs', argument: 0 })).rejects.toThrow(
          /^module must be an absolute path/,
        );
      });
    });

    test('reports a module that breaks while it is imported, and why', async () => {
      const broken = join(folder, 'broken.mjs');
      writeFileSync(broken, 'export default 1 +;');
      await withPool(create({ size: 1 }), async (pool) => {
        const running = pool.run({ module: broken, argument: 0 });
        await expect(running).rejects.toMatchObject({ code: code('TASK_FAILED'), cause: { name: 'SyntaxError' } });
      });
    });

    test('fails only the task whose argument or result cannot be copied', async () => {
      await withPool(create({ size: 1 }), async (pool) => {
        const argument = () => undefined;
        const outcomes = await Promise.allSettled([
          pool.run({ module, argument: 1 }),
          pool.run({ module, argument }),
          pool.run({ module, argument: 2 }),
          pool.run({ module, exportName: 'returnFunction', argument: 0 }),
          pool.run({ module, argument: 3 }),
        ]);
        const said = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.code));
        expect(said).toEqual([1, code('NOT_CLONEABLE'), 2, code('NOT_CLONEABLE'), 3]);
      });
    });

    test.for([
      ['exitProcess', /exit code 3/],
      ['failLater', /thrown from a timer/],
    ] as const)('survives %s: only that task fails, and the worker is replaced', async ([exportName, message]) => {
      await withPool(create({ size: 1, output: 'discard' }), async (pool) => {
        const before = Array.from({ length: 20 }, (_, index) => pool.run({ module, argument: index }));
        const crashed = pool.run({ module, exportName, argument: 0 });
        const after = Array.from({ length: 20 }, (_, index) => pool.run({ module, argument: index }));
        const expected = { code: code('CRASHED'), message: expect.stringMatching(message) };
        await expect(crashed).rejects.toMatchObject(expected);
        expect(await Promise.all([...before, ...after])).toHaveLength(40);
        expect(pool.stats).toMatchObject({ completed: 40, failed: 1, replaced: 1, recycled: 0 });
      });
    });

    test('ends a task that runs over its time, and counts no time spent waiting', async () => {
      await withPool(create({ size: 1 }), async (pool) => {
        const [overdue, waited] = await Promise.allSettled([
          pool.run({ module, exportName: 'spinForever', argument: 0, timeoutMs: 300 }),
          pool.run({ module, argument: 'waited', timeoutMs: 200 }),
        ]);
        expect(overdue).toMatchObject({ status: 'rejected', reason: { code: code('TIMEOUT') } });
        expect(waited).toEqual({ status: 'fulfilled', value: 'waited' });
        expect(pool.stats.replaced).toBe(1);
      });
    });

    test('keeps the worker of a task that stops when asked, and replaces that of one that does not', async () => {
      await withPool(create({ size: 1 }), async (pool) => {
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
      await withPool(create({ size: 1 }), async (pool) => {
        const file = newFile();
        const controller = new AbortController();
        const held = holdTask();
        const slow = pool.run(held.task);
        const mark = { module, exportName: 'mark', argument: { file, index: 0 } };
        const dropped = [1, 2, 3].map(() => pool.run({ ...mark, signal: controller.signal }));
        const kept = pool.run({ module, argument: 'kept' });
        await held.begun;
        controller.abort(new Error('dropped'));
        const outcomes = await Promise.allSettled(dropped);
        expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
        held.release();
        expect([await kept, marks(file), pool.stats.replaced]).toEqual(['kept', [], 0]);
        await slow;
      });
    });

    test('starts nothing for a signal that is aborted already', async () => {
      const pool = create();
      const reason = new Error('too late');
      await expect(pool.run({ module, argument: 0, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      expect(pool.stats.workers).toBe(0);
      await pool.close();
    });

    test('ends the task whose onMessage throws', async () => {
      await withPool(create({ size: 1 }), async (pool) => {
        const cause = new Error('cannot take it');
        const onMessage = () => {
          throw cause;
        };
        const running = pool.run({ module, exportName: 'waitForAbort', argument: 0, onMessage });
        await expect(running).rejects.toMatchObject({ code: code('CALLBACK_FAILED'), cause });
      });
    });

    test('refuses what it has no room for', async () => {
      await withPool(create({ size: 1, maxQueued: 2 }), async (pool) => {
        const accepted = [1, 2, 3].map((argument) => pool.run({ module, argument }));
        await expect(pool.run({ module, argument: 4 })).rejects.toMatchObject({ code: code('POOL_FULL') });
        expect(await Promise.all(accepted)).toEqual([1, 2, 3]);
        expect(await pool.run({ module, argument: 5 })).toBe(5);
      });
    });

    // A pool that requeues everything a dead worker held runs finished tasks again: marks appear twice.
    test('runs no task twice and loses none, while workers crash and tasks are aborted', async () => {
      const seed = Number(process.env.CADRE_SEED ?? Math.floor(Math.random() * 2 ** 31));
      const random = seededRandom(seed);
      const file = newFile();
      const faults = { crash: 0, abort: 0, timeout: 0, slow: 0 };
      const odds = 15 / crashTasks;
      await withPool(create({ size: 3, abortGraceMs: 1, recycleAfterTasks: 100 }), async (pool) => {
        const outcomes = await Promise.allSettled(
          Array.from({ length: crashTasks }, (_, index) => {
            const dice = random() / odds;
            const argument = { file, index, spinMs: 0 };
            if (dice < 1) {
              faults.crash += 1;
              return pool.run({ module, exportName: 'markAndExit', argument });
            }
            if (dice < 2) {
              faults.timeout += 1;
              return pool.run({ module, exportName: 'markAndSpin', argument, timeoutMs: 5 });
            }
            if (dice < 4) {
              faults.abort += 1;
              const controller = new AbortController();
              const onMessage = () => controller.abort(new Error('aborted'));
              const { signal } = controller;
              return pool.run({ module, exportName: 'markAndSpin', argument, signal, onMessage });
            }
            if (dice < 10) {
              faults.slow += 1;
              argument.spinMs = 4;
            }
            return pool.run({ module, exportName: 'mark', argument });
          }),
        );
        const failed = outcomes.filter(({ status }) => status === 'rejected');
        expect({ seed, failed: failed.length }).toEqual({ seed, failed: faults.crash + faults.timeout + faults.abort });
        // A task may be overdue before its process has imported the module, and then leaves no mark.
        const ran = [...marks(file)].sort((a, b) => a - b);
        const twice = ran.filter((index, place) => ran[place + 1] === index);
        const succeeded = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
        const missing = succeeded.filter((index) => !new Set(ran).has(index));
        expect({ seed, twice, missing }).toEqual({ seed, twice: [], missing: [] });
        expect(Math.min(...Object.values(faults)), `seed ${seed}`).toBeGreaterThan(0);
        expect(pool.stats).toMatchObject({ queued: 0, running: 0, completed: crashTasks - failed.length });
      });
    });
  });

  describe('recycling', () => {
    // A pool that counts tasks when they settle, and sends some ahead, gives its workers more.
    test('gives each worker exactly as many tasks as it may run', async () => {
      await withPool(create({ size: 2, recycleAfterTasks: 7 }), async (pool) => {
        const workers = await Promise.all(
          Array.from({ length: 70 }, () => pool.run<string>({ module, exportName: 'whoAmI', argument: 0 })),
        );
        const counts = new Map<string, number>();
        for (const worker of workers) counts.set(worker, (counts.get(worker) ?? 0) + 1);
        expect(Math.max(...counts.values())).toBe(7);
        expect(pool.stats).toMatchObject({ completed: 70, failed: 0, replaced: 0 });
        expect(pool.stats.recycled).toBeGreaterThanOrEqual(8);
      });
    });

    // A thread that goes on with what was sent ahead runs it in the memory that it should give back.
    test('replaces a worker that has grown, before its next task', async () => {
      await withPool(create({ size: 1, recycleAboveBytes: 150 * 1024 * 1024 }), async (pool) => {
        const leak = { module, exportName: 'leak', argument: 200 * 1024 * 1024 };
        const before = await pool.run({ module, exportName: 'whoAmI', argument: 0 });
        expect(await pool.run({ module, exportName: 'whoAmI', argument: 0 })).toBe(before);
        const [leaked, after] = await Promise.all([
          pool.run(leak),
          pool.run({ module, exportName: 'whoAmI', argument: 0 }),
        ]);
        expect(leaked).toBe(before);
        expect(after).not.toBe(before);
        expect(pool.stats).toMatchObject({ recycled: 1, replaced: 0, failed: 0 });
      });
    });
  });

  describe('ready', () => {
    test('starts all workers ahead, and keeps as many when one ends', async () => {
      await withPool(create({ size: 2 }), async (pool) => {
        await pool.ready();
        expect(pool.stats).toMatchObject({ workers: 2, idle: 2, completed: 0 });
        await expect(pool.run({ module, exportName: 'exitProcess', argument: 0 })).rejects.toMatchObject({
          code: code('CRASHED'),
        });
        expect(await pool.run({ module, argument: 1 })).toBe(1);
        expect(pool.stats).toMatchObject({ workers: 2, replaced: 1 });
      });
    });

    test('rejects once the pool is closed, and when it is closed meanwhile', async () => {
      const pool = create({ size: 2 });
      const waiting = pool.ready();
      const closing = pool.close();
      await expect(waiting).rejects.toMatchObject({ code: code('POOL_CLOSED') });
      await expect(pool.ready()).rejects.toMatchObject({ code: code('POOL_CLOSED') });
      await closing;
    });
  });

  describe('close', () => {
    test('finishes what was accepted, refuses what comes after, and ends every worker', async () => {
      const pool = create({ size: 2 });
      const accepted = Array.from({ length: 50 }, (_, index) => pool.run({ module, argument: index }));
      const closing = pool.close();
      expect(pool.close()).toBe(closing);
      await expect(pool.run({ module, argument: 0 })).rejects.toMatchObject({ code: code('POOL_CLOSED') });
      await closing;
      expect(await Promise.all(accepted)).toHaveLength(50);
      expect(pool.stats).toMatchObject({ workers: 0, completed: 50 });
      await pool[Symbol.asyncDispose]();
    });

    test('is cut short by its signal', async () => {
      const pool = create({ size: 1 });
      const held = holdTask();
      const outcomes = Promise.allSettled([pool.run(held.task), pool.run({ module, argument: 1 })]);
      await held.begun;
      const controller = new AbortController();
      const closing = pool.close({ signal: controller.signal });
      controller.abort();
      await closing;
      const expected = { status: 'rejected', reason: { code: code('POOL_CLOSED') } };
      expect(await outcomes).toMatchObject([expected, expected]);
      expect(pool.stats.workers).toBe(0);
    });

    // Workers that come up when their task is with another already were seen to keep the process alive.
    test('is not needed for the process to end once the pool is idle', async () => {
      const running = await start('idle-pool.mjs', [noun], { timeoutMs: 20_000 });
      expect(await running.result).toMatchObject({
        exitCode: 0,
        endedBy: 'exit',
        stdout: 'ran',
      });
    });
  });

  describe('options', () => {
    test('starts no worker before there is work', async () => {
      const pool = create();
      expect(pool.stats.workers).toBe(0);
      await pool.close();
    });

    test('keeps what tasks print to itself when told to', async () => {
      const running = await start('printing-pool.mjs', [noun], { timeoutMs: 20_000 });
      expect(await running.result).toMatchObject({ exitCode: 0, stdout: 'printed in a worker\n' });
    });

    test.for([
      [{ size: 0 }, /^size must/],
      [{ maxQueued: -1 }, /^maxQueued must/],
      [{ abortGraceMs: Number.NaN }, /^abortGraceMs must/],
      [{ recycleAfterTasks: 0 }, /^recycleAfterTasks must/],
      [{ recycleAboveBytes: 0 }, /^recycleAboveBytes must/],
    ] as const)('refuses %o', ([options, message]) => {
      expect(() => create(options)).toThrow(message);
    });
  });
}
