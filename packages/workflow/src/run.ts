/** Starting a run, taking one up again after a crash or a stop, and reading one without touching it. */
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identifyProcess, type ProcessIdentity } from '@cadre/spawner';
import { type Clock, systemClock } from './clock.ts';
import { type EngineOptions, Run } from './engine.ts';
import { WorkflowError } from './errors.ts';
import type { RunEvent, RunStarted } from './event.ts';
import { fold, Journal, readJournal } from './journal.ts';
import { adoptable, endLeftovers, forgetSettled, unsettledAttempts } from './leftovers.ts';
import { parseWorkflow } from './load.ts';
import { planWorkflow } from './plan.ts';
import {
  isMissing,
  makeRunDirectory,
  runsDirectory,
  storageFailed,
  workflowCopy,
  writeDurably,
} from './run-directory.ts';
import { apply, initialState, type RunState } from './state.ts';
import type { JsonValue, Workflow } from './workflow.ts';

export interface StartOptions extends EngineOptions {
  readonly workflow: Workflow;
  /** As `resolveInputs` gives them. */
  readonly inputs: Readonly<Record<string, JsonValue>>;
  /** The project's `.cadre` folder: the run gets one below it. Made when missing. */
  readonly projectDirectory: string;
}

/** Which run to go on with, and how: the plan comes from the run, what may differ from the first time is here. */
export interface ResumeOptions extends EngineOptions {
  readonly projectDirectory: string;
  readonly runId: string;
}

/** A run as its journal tells it. */
export interface RunRecord {
  readonly id: string;
  readonly directory: string;
  readonly workflow: Workflow;
  readonly started: RunStarted;
  readonly events: readonly RunEvent[];
  readonly state: RunState;
}

/**
 * Starts a run; `run.finished` tells how it ends.
 * @throws {WorkflowError} WORKFLOW_STORAGE_FAILED or WORKFLOW_JOURNAL_FAILED when its folder can't be written: then
 * nothing was started.
 */
export async function startRun(options: StartOptions): Promise<Run> {
  const { workflow, inputs, projectDirectory } = options;
  const clock = options.clock ?? systemClock;
  const plan = planWorkflow(workflow);
  const { id, directory } = await makeRunDirectory(projectDirectory, clock.now(), options.random ?? Math.random);
  try {
    await writeDurably(workflowCopy(directory), workflow.source);
  } catch (error) {
    throw storageFailed(directory, error);
  }
  const journal = await Journal.open(directory);
  const started: RunStarted = {
    type: 'runStarted',
    at: clock.now(),
    runId: id,
    workflow: {
      name: workflow.name,
      file: workflow.file ?? null,
      directory: workflow.directory,
      digest: createHash('sha256').update(workflow.source).digest('hex'),
    },
    inputs,
    tasks: plan.tasks.length,
    marker: randomBytes(16).toString('hex'),
    process: await thisProcess(),
  };
  await appendOrClose(journal, started);
  const state = apply(initialState(plan), started);
  const material = { id, directory, workflow, inputs, marker: started.marker, journal, state, leftovers: new Map() };
  return new Run(material, options);
}

/**
 * Goes on with a run that crashed, was stopped or failed. Finished tasks are not run again; attempts that outlived the earlier process
 * of the run are taken up where the executor can, and whatever else it left behind is ended first; tasks that failed get their tries anew.
 * @throws {WorkflowError} WORKFLOW_RUN_NOT_FOUND, WORKFLOW_RUN_ACTIVE when another process works on it, WORKFLOW_RUN_ENDED
 * when it has succeeded.
 */
export async function resumeRun(options: ResumeOptions): Promise<Run> {
  const directory = await findRun(options.projectDirectory, options.runId);
  const journal = await Journal.open(directory);
  try {
    const record = await readRun(options.projectDirectory, options.runId);
    if (record.state.status === 'succeeded') {
      throw new WorkflowError('WORKFLOW_RUN_ENDED', `Run ${record.id} has succeeded: there is nothing left to do.`);
    }
    const unsettled = unsettledAttempts(record);
    const leftovers = adoptable(record, unsettled, options.executor);
    await endLeftovers(
      record,
      unsettled.filter(({ number }) => !leftovers.has(number)),
    );
    await forgetSettled(record, options.executor);
    const clock = options.clock ?? systemClock;
    const resumed: RunEvent = { type: 'runResumed', at: clock.now(), process: await thisProcess() };
    await journal.append(resumed);
    const { id, workflow, started } = record;
    const state = apply(record.state, resumed);
    const { inputs, marker } = started;
    return new Run({ id, directory, workflow, inputs, marker, journal, state, leftovers }, options);
  } catch (error) {
    await journal.close();
    throw error;
  }
}

/**
 * Ends what a crashed run left behind and closes its journal as cancelled. A run that another process is working on is
 * not touched.
 * @throws {WorkflowError} WORKFLOW_RUN_NOT_FOUND, WORKFLOW_RUN_ACTIVE.
 * @returns the processes that were ended
 */
export async function abandonRun(
  projectDirectory: string,
  runId: string,
  clock: Clock = systemClock,
): Promise<readonly ProcessIdentity[]> {
  const directory = await findRun(projectDirectory, runId);
  const journal = await Journal.open(directory);
  try {
    const record = await readRun(projectDirectory, runId);
    const ended = await endLeftovers(record, unsettledAttempts(record));
    if (record.state.endedAt === undefined) {
      const at = clock.now();
      await journal.append(
        { type: 'runStopping', at, reason: 'cancelled' },
        { type: 'runEnded', at, status: 'cancelled' },
      );
    }
    return ended;
  } finally {
    await journal.close();
  }
}

/**
 * Reads a run, which may be under way in another process.
 * @throws {WorkflowError} WORKFLOW_RUN_NOT_FOUND, WORKFLOW_JOURNAL_DAMAGED, WORKFLOW_JOURNAL_FAILED.
 */
export async function readRun(projectDirectory: string, runId: string): Promise<RunRecord> {
  const directory = await findRun(projectDirectory, runId);
  const events = await readJournal(directory);
  const started = events.find((event) => event.type === 'runStarted');
  if (started === undefined) throw notFound(runId, projectDirectory);
  const workflow = parseWorkflow(await readFile(workflowCopy(directory), 'utf8'), {
    directory: started.workflow.directory,
    checkFiles: false,
    ...(started.workflow.file === null ? {} : { file: started.workflow.file }),
  });
  return { id: runId, directory, workflow, started, events, state: fold(planWorkflow(workflow), events) };
}

async function findRun(projectDirectory: string, runId: string): Promise<string> {
  const directory = join(runsDirectory(projectDirectory), runId);
  try {
    await readFile(workflowCopy(directory));
    return directory;
  } catch (error) {
    if (isMissing(error)) throw notFound(runId, projectDirectory);
    throw error;
  }
}

function notFound(runId: string, projectDirectory: string): WorkflowError {
  const message = `There is no run ${runId} in ${runsDirectory(projectDirectory)}; \`cadre status\` lists the runs there are.`;
  return new WorkflowError('WORKFLOW_RUN_NOT_FOUND', message);
}

async function thisProcess(): Promise<ProcessIdentity> {
  return (await identifyProcess(process.pid)) ?? { pid: process.pid, startTime: 'unknown' };
}

async function appendOrClose(journal: Journal, event: RunEvent): Promise<void> {
  try {
    await journal.append(event);
  } catch (error) {
    await journal.close();
    throw error;
  }
}
