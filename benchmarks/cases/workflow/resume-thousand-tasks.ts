import { deepStrictEqual } from 'node:assert/strict';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CaseContext, defineCase, type PreparedVariant } from '@cadre/bench';

const tasks = 1_000;
const finished = 500;
const names = Array.from({ length: tasks }, (_, number) => `task-${number}`);

interface Summary {
  /** Tasks that the journal says are finished. */
  readonly finished: number;
}

export default defineCase<Summary>({
  question:
    'How long does it take to take up a run of 1,000 tasks, half of them finished, until its first task starts?',
  unit: 'resume',
  validate: (summary) => deepStrictEqual(summary, { finished }),
  variants: {
    cadre: resuming,
    'p-graph, from a log of its own': async (context) =>
      replaying(context, (await import('../../rivals/p-graph.ts')).startRest),
    'fastq, from a log of its own': async (context) =>
      replaying(context, (await import('../../rivals/fastq.ts')).startRest),
    'read + JSON.parse of the journal, the limit': parsing,
  },
});

async function resuming(context: CaseContext): Promise<PreparedVariant<Summary>> {
  const { resumeRun } = await import('@cadre/workflow');
  const crashed = await crashedRun(context);
  let copies = 0;
  return {
    async run(iterations) {
      let summary: Summary = { finished: 0 };
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        copies += 1;
        const runId = `copy-${process.pid}-${copies}`;
        const folder = join(context.directory, 'runs', runId);
        await mkdir(folder, { recursive: true });
        for (const name of ['journal.jsonl', 'workflow.yaml']) await copyFile(join(crashed, name), join(folder, name));
        let started = (): void => undefined;
        const first = new Promise<void>((resolve) => {
          started = resolve;
        });
        const run = await resumeRun({
          projectDirectory: context.directory,
          runId,
          executor: {
            execute: (_attempt, _observer, signal) => {
              started();
              return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
            },
            close: async () => undefined,
          },
        });
        await first;
        summary = { finished: run.state.counts.succeeded };
        await run.stop('interrupted');
        await rm(folder, { recursive: true });
      }
      return summary;
    },
  };
}

/** Starts the first task of the rest and says which one it was. */
type StartRest = (graph: ReadonlyMap<string, readonly string[]>, isDone: (task: string) => boolean) => Promise<string>;

/** No lock, no sweep of what the crash left running, no check of the journal: what is done is read, the rest is begun. */
async function replaying(context: CaseContext, startRest: StartRest): Promise<PreparedVariant<Summary>> {
  const journal = join(await crashedRun(context), 'journal.jsonl');
  const graph = new Map(names.map((id, number) => [id, needsOf(number)]));
  return {
    async run(iterations) {
      const done = new Set<string>();
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        done.clear();
        for (const line of (await readFile(journal, 'utf8')).split('\n')) {
          const event = line === '' ? undefined : JSON.parse(line);
          if (event?.type === 'attemptSettled') done.add(event.task);
        }
        const first = await startRest(graph, (task) => done.has(task));
        if (done.has(first) || !needsOf(names.indexOf(first)).every((need) => done.has(need))) {
          throw new Error(`${first} was not the one to start.`);
        }
      }
      return { finished: done.size };
    },
  };
}

async function parsing(context: CaseContext): Promise<PreparedVariant<Summary>> {
  const journal = join(await crashedRun(context), 'journal.jsonl');
  return {
    async run(iterations) {
      let count = 0;
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        const lines = (await readFile(journal, 'utf8')).split('\n').filter((line) => line !== '');
        count = lines.filter((line) => JSON.parse(line).type === 'attemptSettled').length;
      }
      return { finished: count };
    },
  };
}

/** The folder of a run that stopped being written after `finished` tasks. */
async function crashedRun({ directory }: CaseContext): Promise<string> {
  const [{ noCost, noUsage }, { defineWorkflow, startRun }] = await Promise.all([
    import('@cadre/agents'),
    import('@cadre/workflow'),
  ]);
  const workflow = defineWorkflow(
    {
      name: 'thousand',
      agents: { nothing: { adapter: 'command', command: ['true'] } },
      tasks: Object.fromEntries(
        names.map((id, number) => [id, { agent: 'nothing', cache: false, needs: [...needsOf(number)] }]),
      ),
    },
    { directory },
  );
  const outcome = { text: '', output: null, usage: noUsage, cost: noCost, durationMs: 0, warnings: [] };
  const run = await startRun({
    workflow,
    inputs: {},
    projectDirectory: directory,
    concurrency: 10,
    executor: { execute: async () => ({ ...outcome, status: 'succeeded' }), close: async () => undefined },
  });
  await run.finished;
  const lines = (await readFile(join(run.directory, 'journal.jsonl'), 'utf8')).trimEnd().split('\n');
  let settled = 0;
  const kept = lines.filter((line) => {
    if (settled === finished) return false;
    if (line.includes('"attemptSettled"')) settled += 1;
    return true;
  });
  await writeFile(join(run.directory, 'journal.jsonl'), `${kept.join('\n')}\n`);
  return run.directory;
}

/** In chains of a hundred, ten side by side. */
function needsOf(number: number): readonly string[] {
  return number < 10 ? [] : [`task-${number - 10}`];
}
