// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of workflow files look like that
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcome } from '@cadre/agents';
import { scriptedAgent } from '@cadre/agents/testing';
import { createBus, type Message } from '@cadre/bus';
import { type Cache, createCache } from '@cadre/cache';
import { identifyProcess, isProcessAlive } from '@cadre/spawner';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from './clock.ts';
import { defineWorkflow, type WorkflowDefinition } from './define.ts';
import type { RunEvent } from './event.ts';
import type { Attempt, Executor } from './executor.ts';
import { localExecutor } from './local-executor.ts';
import { abandonRun, readRun, resumeRun, type StartOptions, startRun } from './run.ts';
import { listRuns } from './run-directory.ts';
import { noUsage, taskState } from './state.ts';
import type { JsonValue } from './workflow.ts';

let directory: string;
let projectDirectory: string;
let cache: Cache;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cadre-engine-'));
  projectDirectory = join(directory, '.cadre');
  cache = createCache();
});

afterEach(async () => {
  await cache.close();
  await rm(directory, { recursive: true, force: true });
});

describe('startRun', () => {
  test('hands each task the outputs it needs and ends with the output of the last', async () => {
    const executor = answering((attempt) => ({ prompt: attempt.prompt, input: attempt.input }));
    const run = await start(
      {
        inputs: { who: { type: 'string', default: 'world' } },
        tasks: {
          first: task({ prompt: 'Greet ${{ inputs.who }}.', with: { twice: '${{ 2 * 2 }}' } }),
          second: task({ needs: 'first', prompt: 'After ${{ tasks.first.output.prompt }}' }),
        },
      },
      { executor, inputs: { who: 'moon' } },
    );
    const state = await run.finished;
    expect(state.status).toBe('succeeded');
    const first = { prompt: 'Greet moon.', input: { with: { twice: 4 }, needs: {} } };
    expect(await run.result()).toEqual({ prompt: 'After Greet moon.', input: { with: {}, needs: { first } } });
  });

  test('hands on outputs with their keys in one order, as a resumed run reads them', async () => {
    const executor = answering(({ task: id, input }) =>
      id === 'a' ? { z: 1, a: { y: 2, b: 3 } } : JSON.stringify(input),
    );
    const run = await start({ tasks: { a: task(), b: task({ needs: 'a' }) } }, { executor });
    await run.finished;
    expect(await run.result()).toContain('{"a":{"b":3,"y":2},"z":1}');
  });

  test('keeps to the order of needs and to the concurrency', async () => {
    let active = 0;
    let most = 0;
    const order: string[] = [];
    const executor = answering(async ({ task }) => {
      active += 1;
      most = Math.max(most, active);
      await new Promise(setImmediate);
      order.push(task);
      active -= 1;
      return task;
    });
    const tasks = { d: task({ needs: ['a', 'b', 'c'] }), a: task(), b: task(), c: task() };
    await (await start({ tasks }, { executor, concurrency: 2 })).finished;
    expect(most).toBe(2);
    expect(order.at(-1)).toBe('d');
  });

  test('writes an event to the journal before anyone hears of it', async () => {
    const bus = createBus();
    const heard: string[] = [];
    bus.subscribe('run.*.event', (message: Message<RunEvent>) => {
      const journal = readFileSync(join(run.directory, 'journal.jsonl'), 'utf8');
      expect(journal).toContain(JSON.stringify(message.data));
      heard.push(message.data.type);
    });
    const run = await start({ tasks: { a: task() } }, { executor: answering(() => 1), bus });
    await run.finished;
    await bus.close();
    expect(heard).toEqual(['attemptStarted', 'attemptSettled', 'runEnded']);
  });

  test('runs programs and functions, and passes on what they say', async () => {
    const module = join(directory, 'double.mjs');
    writeFileSync(
      module,
      'export default ({ input }, { emit }) => { emit({ type: "text", text: "hm" }); return input.needs.read * 2; };',
    );
    const bus = createBus();
    const said: string[] = [];
    bus.subscribe('run.*.task.*.event', ({ subject, data }: Message<{ type: string }>) => {
      said.push(`${subject.split('.')[3]} ${data.type}`);
    });
    const reader = scriptedAgent({
      lines: [
        { type: 'text', text: 'reading' },
        { type: 'result', output: 21 },
      ],
    });
    const executor = localExecutor({ threads: 1 });
    const run = await start(
      {
        agents: { reader, doubler: { adapter: 'module', module } },
        tasks: { read: task({ agent: 'reader' }), double: task({ agent: 'doubler', needs: 'read' }) },
      },
      { executor, bus },
    );
    const state = await run.finished;
    expect(await run.result()).toBe(42);
    await bus.close();
    await executor.close();
    expect(said).toEqual(expect.arrayContaining(['read text', 'read settled', 'double text', 'double settled']));
    const attempt = join(run.directory, 'attempts', 'read', '1');
    expect(await readFile(join(attempt, 'stdout.raw'), 'utf8')).toContain('"output":21');
    expect(state.totals.attempts).toBe(2);
  });

  test('fails the task whose expression cannot be evaluated, and skips what needs it', async () => {
    const run = await start(
      {
        tasks: {
          list: task(),
          bad: task({ needs: 'list', prompt: '${{ tasks.list.output.missing }}' }),
          after: task({ needs: 'bad' }),
          other: task(),
        },
      },
      { executor: answering(() => ({})) },
    );
    const state = await run.finished;
    expect(state.status).toBe('failed');
    expect(taskState(state, 'bad')?.failure?.message).toContain('missing');
    expect(['list', 'after', 'other'].map((id) => taskState(state, id)?.phase)).toEqual([
      'succeeded',
      'needFailed',
      'succeeded',
    ]);
  });

  test('skips a task whose condition is false and goes on with what needs it', async () => {
    const tasks = { a: task({ when: '${{ 1 > 2 }}' }), b: task({ needs: 'a' }) };
    const executor = answering(({ input }) => input);
    const run = await start({ tasks }, { executor });
    const state = await run.finished;
    expect(state.status).toBe('succeeded');
    expect(await run.result()).toEqual({ with: {}, needs: { a: null } });
  });

  test('tries again what is worth it, after a pause, and no more often than the task allows', async () => {
    const clock = manualClock();
    const executor = failing({ reason: 'overloaded', retryable: true });
    const retry = { attempts: 3, base: '10s', max: '60s' };
    const run = await start({ tasks: { a: task({ retry }) } }, { executor, clock, random: () => 1 });
    const state = await run.finished;
    expect(clock.pauses).toEqual([10_000, 20_000]);
    expect(taskState(state, 'a')).toMatchObject({ phase: 'failed', attempt: 3, failure: { reason: 'overloaded' } });
  });

  test('rests while it waits for a next try, whatever else happens meanwhile', async () => {
    let now = 0;
    let waits = 0;
    let over = (): void => undefined;
    const clock: Clock = {
      now: () => now,
      wait: (ms, signal) =>
        new Promise((resolve, reject) => {
          waits += 1;
          over = () => {
            now += ms;
            resolve();
          };
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    };
    let finishSlow = (): void => undefined;
    const slow = new Promise<JsonValue>((resolve) => {
      finishSlow = () => resolve(1);
    });
    const executor = answering(({ task: id, number }) => {
      if (id === 'slow') return slow;
      if (number === 1) throw new Error('Not yet.');
      return 2;
    });
    const flaky = task({ retry: { attempts: 2, on: 'failed' } });
    const run = await start({ tasks: { flaky, slow: task() } }, { executor, clock, random: () => 1 });
    await executor.started('slow');
    const turns = async () => {
      for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
    };
    while (taskState(run.state, 'flaky')?.phase !== 'waiting') await new Promise(setImmediate);
    finishSlow();
    while (taskState(run.state, 'slow')?.phase !== 'succeeded') await new Promise(setImmediate);
    await turns();
    expect(waits).toBeLessThanOrEqual(3);
    over();
    expect((await run.finished).status).toBe('succeeded');
  });

  test('waits for as long as the provider says', async () => {
    const clock = manualClock();
    const executor = failing({ reason: 'rateLimit', retryable: true, retryAtMs: clock.now() + 90_000 });
    const run = await start({ tasks: { a: task({ retry: 2 }) } }, { executor, clock });
    await run.finished;
    expect(clock.pauses).toEqual([90_000]);
  });

  test('does not try again what would fail again', async () => {
    const executor = failing({ reason: 'authentication', retryable: false });
    const run = await start({ tasks: { a: task() } }, { executor });
    expect(taskState(await run.finished, 'a')?.attempt).toBe(1);
  });

  test('refuses an output that does not meet its schema', async () => {
    const output = { type: 'object', required: ['answer'] };
    const run = await start(
      { tasks: { a: task({ output, retry: 1 }) } },
      { executor: answering(() => ({ other: 1 })) },
    );
    const { failure } = taskState(await run.finished, 'a') ?? {};
    expect(failure).toMatchObject({ reason: 'badOutput', message: expect.stringContaining("'answer'") });
  });

  test('stops everything at the first failure where the workflow says so', async () => {
    const executor = answering(({ task: id }, signal) =>
      id === 'bad' ? Promise.reject(new Error('It fell over.')) : untilAborted(signal),
    );
    const run = await start(
      { onFailure: 'stop', tasks: { bad: task(), slow: task(), never: task({ needs: 'slow' }) } },
      { executor },
    );
    const state = await run.finished;
    expect([state.status, taskState(state, 'slow')?.phase]).toEqual(['failed', 'cancelled']);
  });

  test('keeps large outputs in files and small ones in the journal', async () => {
    const large = 'x'.repeat(20_000);
    const run = await start(
      { tasks: { a: task(), b: task({ needs: 'a' }) } },
      { executor: answering(({ task: id }) => (id === 'a' ? large : 'small')) },
    );
    await run.finished;
    const journal = await readFile(join(run.directory, 'journal.jsonl'), 'utf8');
    expect(journal).not.toContain(large);
    expect(journal).toContain('"output":"small"');
    const { state } = await readRun(projectDirectory, run.id);
    const { digest } = taskState(state, 'a')?.result ?? { digest: '' };
    expect(JSON.parse(await readFile(join(run.directory, 'results', `${digest}.json`), 'utf8'))).toBe(large);
  });

  test('ends its agents and reports the journal when the journal can no longer be written', async () => {
    const executor = answering(async (attempt, signal) => {
      if (attempt.task === 'slow') return untilAborted(signal);
      // The journal is replaced under the run's feet.
      rmSync(join(projectDirectory, 'runs'), { recursive: true });
      return 1;
    });
    const run = await start({ tasks: { slow: task(), saw: task() } }, { executor, concurrency: 2 });
    await expect(run.finished).rejects.toMatchObject({ code: 'WORKFLOW_JOURNAL_FAILED' });
  });

  test('gives every run a folder of its own, whatever names they draw in one second', async () => {
    const clock = manualClock();
    const draws = [0.5, 0.5, 0.5, 0.25];
    const random = () => draws.shift() ?? 0;
    const ids = [];
    for (const name of ['first', 'second']) {
      const run = await start({ name, tasks: { a: task() } }, { executor: answering(() => 1), clock, random });
      await run.finished;
      ids.push(run.id);
    }
    expect(ids).toEqual(['19700101-001640-8000', '19700101-001640-4000']);
  });

  test('ends when it is stopped and its journal can no longer be written', async () => {
    const executor = answering((_, signal) => untilAborted(signal));
    const run = await start({ tasks: { slow: task() } }, { executor });
    await executor.started('slow');
    rmSync(join(projectDirectory, 'runs'), { recursive: true });
    await expect(run.stop('interrupted')).rejects.toMatchObject({ code: 'WORKFLOW_JOURNAL_FAILED' });
  });

  test('starts nothing when its folder cannot be made', async () => {
    writeFileSync(projectDirectory, 'a file where a folder should be');
    const executor = answering(() => 1);
    await expect(start({ tasks: { a: task() } }, { executor })).rejects.toMatchObject({
      code: 'WORKFLOW_STORAGE_FAILED',
      message: expect.stringContaining(projectDirectory),
    });
    expect(executor.attempts).toEqual([]);
  });
});

describe('results by content', () => {
  test('reuses everything of an equal run, and only what is still equal after a change', async () => {
    await mkdir(join(directory, 'src'));
    const file = join(directory, 'src', 'a.txt');
    writeFileSync(file, 'one');
    writeFileSync(join(directory, 'other.txt'), 'other');
    const definition: Partial<WorkflowDefinition> = {
      tasks: {
        read: task({ reads: 'src/**' }),
        other: task({ reads: 'other.txt' }),
        length: task({ needs: 'read' }),
        end: task({ needs: ['length', 'other'] }),
      },
    };
    const answer = ({ task: id, input }: Attempt): JsonValue =>
      id === 'read' ? readFileSync(file, 'utf8') : id === 'length' ? JSON.stringify(input).length : id;
    const ran = async () => {
      const executor = answering(answer);
      const state = await (await start(definition, { executor })).finished;
      return { ran: executor.attempts.map((attempt) => attempt.task).sort(), reused: state.counts.reused };
    };
    expect(await ran()).toEqual({ ran: ['end', 'length', 'other', 'read'], reused: 0 });
    expect(await ran()).toEqual({ ran: [], reused: 4 });
    writeFileSync(file, 'two');
    // The text is another, its length is not: what needs only the length is reused.
    expect(await ran()).toEqual({ ran: ['length', 'read'], reused: 2 });
  });

  test('asks a question once that two tasks of a run ask at the same time', async () => {
    const same = { prompt: 'The same.' };
    const executor = answering(async () => {
      await new Promise(setImmediate);
      return 'answer';
    });
    const state = await (
      await start({ tasks: { a: task(same), b: task(same), c: task(same) } }, { executor, concurrency: 3 })
    ).finished;
    expect(executor.attempts.length).toBe(1);
    expect(state.counts).toMatchObject({ succeeded: 1, reused: 2 });
  });

  test('puts back the files of a reused result', async () => {
    const report = join(directory, 'out', 'report.md');
    const executor = answering(async () => {
      await mkdir(join(directory, 'out'), { recursive: true });
      writeFileSync(report, '# Report');
      return 'done';
    });
    const definition = { tasks: { write: task({ writes: 'out/report.md' }) } };
    await (await start(definition, { executor })).finished;
    await rm(report);
    await (await start(definition, { executor })).finished;
    expect(await readFile(report, 'utf8')).toBe('# Report');
    expect(executor.attempts.length).toBe(1);
  });

  test('fails a task that did not write what it promised', async () => {
    const run = await start(
      { tasks: { write: task({ writes: 'out.md', retry: 1 }) } },
      { executor: answering(() => 1) },
    );
    expect(taskState(await run.finished, 'write')?.failure?.message).toContain('out.md');
  });

  test('does not keep a result whose files changed while it was made', async () => {
    const file = join(directory, 'a.txt');
    writeFileSync(file, 'before');
    const executor = answering(() => {
      writeFileSync(file, 'changed meanwhile');
      return 'made of both';
    });
    const definition = { tasks: { read: task({ reads: 'a.txt' }) } };
    await (await start(definition, { executor })).finished;
    writeFileSync(file, 'before');
    await (await start(definition, { executor })).finished;
    expect(executor.attempts.length).toBe(2);
  });

  test.for([
    ['its prompt', { prompt: 'Another.' }],
    ['its values', { with: { a: 1 } }],
    ['its folder', { cwd: '..' }],
    ['its schema', { output: { type: 'number' } }],
  ] as const)('runs a task again when %s changed', async ([, change]) => {
    const executor = answering(() => 1);
    await (await start({ tasks: { a: task() } }, { executor })).finished;
    await (await start({ tasks: { a: task(change) } }, { executor })).finished;
    expect(executor.attempts.length).toBe(2);
  });

  test('runs a task again when its program changed', async () => {
    const program = join(directory, 'program.mjs');
    const answer = (value: number) => writeFileSync(program, `console.log('{"type":"result","output":${value}}')`);
    const definition: Partial<WorkflowDefinition> = {
      agents: { worker: { adapter: 'jsonl', command: ['node', './program.mjs'] } },
      tasks: { a: task() },
    };
    const executor = localExecutor();
    const results = [];
    for (const value of [1, 1, 2]) {
      answer(value);
      const run = await start(definition, { executor });
      const { counts } = await run.finished;
      results.push([await run.result(), counts.reused]);
    }
    await executor.close();
    expect(results).toEqual([
      [1, 0],
      [1, 1],
      [2, 0],
    ]);
  });

  test('runs a task every time whose `cache` is false, and every task without a cache', async () => {
    const executor = answering(() => 1);
    for (const run of [1, 2]) {
      void run;
      await (await start({ tasks: { a: task({ cache: false }) } }, { executor })).finished;
    }
    expect(executor.attempts.length).toBe(2);
  });
});

describe('resumeRun', () => {
  test('goes on after a stop without running what had finished', async () => {
    const definition = { tasks: { a: task(), b: task({ needs: 'a' }), c: task({ needs: 'b' }) } };
    const bus = createBus();
    const stopping = answering(({ task: id }, signal) => (id === 'b' ? untilAborted(signal) : id));
    const run = await start(definition, { executor: stopping, bus });
    await stopping.started('b');
    const stopped = await run.stop('interrupted');
    expect([stopped.status, taskState(stopped, 'b')?.phase, taskState(stopped, 'c')?.phase]).toEqual([
      'interrupted',
      'cancelled',
      'doomed',
    ]);

    const executor = answering(({ task: id }) => id);
    const resumed = await resumeRun({ projectDirectory, runId: run.id, executor });
    const state = await resumed.finished;
    expect(state.status).toBe('succeeded');
    expect(executor.attempts.map(({ task: id, number }) => [id, number])).toEqual([
      ['b', 2],
      ['c', 1],
    ]);
    await bus.close();
  });

  test('gives failed tasks their tries anew', async () => {
    const definition = { tasks: { a: task({ retry: 1 }), b: task({ needs: 'a' }) } };
    const run = await start(definition, { executor: failing({ reason: 'authentication', retryable: false }) });
    expect((await run.finished).status).toBe('failed');
    const resumed = await resumeRun({ projectDirectory, runId: run.id, executor: answering(() => 1) });
    expect((await resumed.finished).counts).toMatchObject({ succeeded: 2, failed: 0, needFailed: 0 });
  });

  test('refuses a run that has succeeded, one that is being worked on, and one that is not there', async () => {
    const executor = answering((_, signal) => untilAborted(signal));
    const done = await start({ tasks: { a: task() } }, { executor: answering(() => 1) });
    await done.finished;
    const active = await start({ tasks: { a: task({ cache: false }) } }, { executor });
    const code = (runId: string) =>
      resumeRun({ projectDirectory, runId, executor }).then(
        () => '',
        ({ code }) => code,
      );
    expect([await code(done.id), await code(active.id), await code('ghost')]).toEqual([
      'WORKFLOW_RUN_ENDED',
      'WORKFLOW_RUN_ACTIVE',
      'WORKFLOW_RUN_NOT_FOUND',
    ]);
    await active.stop('cancelled');
    expect(await listRuns(projectDirectory)).toContain(active.id);
  });

  test('ends what a crashed process of the run left behind', async () => {
    const left = scriptedAgent({ lines: [{ type: 'text', text: 'working' }], afterwards: 'hang', terminate: 'ignore' });
    const executor = localExecutor();
    const bus = createBus();
    const working = new Promise((resolve) => {
      bus.subscribe('run.*.task.*.event', (message: Message<{ type: string }>) => {
        if (message.data.type === 'text') resolve(undefined);
      });
    });
    const run = await start({ agents: { worker: left }, tasks: { a: task({ retry: 1 }) } }, { executor, bus });
    await working;
    const spawned = (await readRun(projectDirectory, run.id)).events.find(({ type }) => type === 'attemptSpawned');
    if (spawned?.type !== 'attemptSpawned') throw new Error('Nothing was spawned.');
    expect(await isProcessAlive(spawned.process)).toBe(true);
    // A crash is a journal without an end that nobody holds: this one is copied to a run of its own.
    const crashed = join(projectDirectory, 'runs', 'crashed');
    await mkdir(crashed);
    for (const name of ['journal.jsonl', 'workflow.yaml'])
      writeFileSync(join(crashed, name), readFileSync(join(run.directory, name)));
    const ended = await abandonRun(projectDirectory, 'crashed');
    expect(ended.map(({ pid }) => pid)).toContain(spawned.process.pid);
    expect(await isProcessAlive(spawned.process)).toBe(false);
    expect((await readRun(projectDirectory, 'crashed')).state.status).toBe('cancelled');
    await run.finished;
    await bus.close();
    await executor.close();
    expect(await identifyProcess(process.pid)).toBeDefined();
  });

  test('says which line of a damaged journal cannot be read', async () => {
    const run = await start({ tasks: { a: task() } }, { executor: answering(() => 1) });
    await run.finished;
    const journal = join(run.directory, 'journal.jsonl');
    const lines = readFileSync(journal, 'utf8').split('\n');
    writeFileSync(journal, [lines[0], '{"type":"attempt', ...lines.slice(2)].join('\n'));
    await expect(readRun(projectDirectory, run.id)).rejects.toMatchObject({
      code: 'WORKFLOW_JOURNAL_DAMAGED',
      message: expect.stringContaining(`${journal}:2:`),
    });
  });

  test('takes a run up at every point of its journal and gives the same result', async () => {
    const definition = {
      tasks: { a: task(), b: task({ needs: 'a' }), c: task({ needs: 'a' }), d: task({ needs: ['b', 'c'] }) },
    };
    const answer = ({ task: id, input }: Attempt): JsonValue => ({ id, input });
    const whole = await start(definition, { executor: answering(answer) });
    await whole.finished;
    const expected = await whole.result();
    const lines = readFileSync(join(whole.directory, 'journal.jsonl'), 'utf8').trimEnd().split('\n');
    for (let kept = 1; kept < lines.length; kept += 1) {
      const runId = `cut-${kept}`;
      const folder = join(projectDirectory, 'runs', runId);
      await mkdir(folder);
      writeFileSync(join(folder, 'workflow.yaml'), whole.workflow.source);
      const half = lines[kept]?.slice(0, 20) ?? '';
      writeFileSync(join(folder, 'journal.jsonl'), `${lines.slice(0, kept).join('\n')}\n${half}`);
      const finished = lines.slice(0, kept).filter((line) => line.includes('"attemptSettled"')).length;
      const executor = answering(answer);
      const run = await resumeRun({ projectDirectory, runId, executor });
      await run.finished;
      expect(await run.result()).toEqual(expected);
      expect(executor.attempts.length).toBe(4 - finished);
    }
  });
});

const task = (change: Partial<WorkflowDefinition['tasks'][string]> = {}) => ({ agent: 'worker', ...change });

/** A task asks its own name where it asks nothing else, so that no two ask the same. */
function start(definition: Partial<WorkflowDefinition>, options: Partial<StartOptions> & { executor: Executor }) {
  const named = Object.entries(definition.tasks ?? {}).map(([id, input]) => [id, { prompt: id, ...input }]);
  const workflow = defineWorkflow(
    {
      name: 'test',
      agents: { worker: { adapter: 'command', command: ['true'] } },
      ...definition,
      tasks: Object.fromEntries(named),
    },
    { directory },
  );
  return startRun({ workflow, inputs: {}, projectDirectory, cache, ...options });
}

/** Answers in this process, and remembers what it was asked. */
function answering(answer: (attempt: Attempt, signal: AbortSignal) => JsonValue | Promise<JsonValue>) {
  const attempts: Attempt[] = [];
  const waiting = new Map<string, () => void>();
  return {
    attempts,
    started: (id: string) =>
      attempts.some((attempt) => attempt.task === id)
        ? Promise.resolve()
        : new Promise<void>((resolve) => waiting.set(id, resolve)),
    async execute(attempt: Attempt, _observer: unknown, signal: AbortSignal): Promise<Outcome> {
      attempts.push(attempt);
      waiting.get(attempt.task)?.();
      try {
        return { ...spent, status: 'succeeded', output: await answer(attempt, signal) };
      } catch (error) {
        const message = String(error);
        return {
          ...spent,
          status: 'failed',
          reason: signal.aborted ? 'cancelled' : 'failed',
          message,
          retryable: false,
        };
      }
    },
    close: () => Promise.resolve(),
  };
}

function failing(failure: {
  reason: 'overloaded' | 'rateLimit' | 'authentication';
  retryable: boolean;
  retryAtMs?: number;
}): Executor {
  return {
    execute: () => Promise.resolve({ ...spent, status: 'failed', message: 'No.', ...failure }),
    close: () => Promise.resolve(),
  };
}

const spent = {
  text: '',
  output: null,
  usage: noUsage,
  cost: { usd: 0, basis: 'none' },
  durationMs: 1,
  warnings: [],
} as const;

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

/** Time that passes only when somebody waits for it. */
function manualClock(): Clock & { readonly pauses: number[] } {
  let now = 1_000_000;
  const pauses: number[] = [];
  return {
    pauses,
    now: () => now,
    wait: async (ms) => {
      pauses.push(ms);
      now += ms;
    },
  };
}
