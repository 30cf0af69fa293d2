/**
 * One attempt: a definition and a task in, an outcome out.
 *
 * Whatever the agent does, the caller gets an outcome; what rejects is only what the caller did wrong, or a directory that
 * can't be written before anything was started. Nothing the agent started outlives the call.
 */
import { createThreadPool } from '@cadre/spawner';
import { runModel } from './adapters/model.ts';
import { runModule } from './adapters/module.ts';
import { type AttemptFiles, openAttemptFiles } from './attempt-files.ts';
import { isProcessAgent } from './bound-adapter.ts';
import type { AgentDefinition, AgentTask, ModelAgentDefinition, ModuleAgentDefinition } from './definition.ts';
import type { AgentEvent } from './event.ts';
import { failure, type Outcome, outcomeWithoutStart } from './outcome.ts';
import { checkOutputSchema, outputProblem } from './output-schema.ts';
import { redactedValue } from './redact-value.ts';
import { type RunAgentOptions, type RunSettings, resolveRunOptions } from './run-options.ts';
import { runProcess } from './run-process.ts';
import { refuseLimits } from './task-text.ts';

/**
 * Runs one attempt to its end.
 * @throws {TypeError | RangeError} when the definition, the task or an option is not as documented
 * @throws {AgentError} AGENT_FILES_UNWRITABLE when the attempt directory can't be written; nothing was started then
 */
export async function runAgent(
  agent: AgentDefinition,
  task: AgentTask,
  options: RunAgentOptions = {},
): Promise<Outcome> {
  return attempt(agent, task, options, (run) =>
    isProcessAgent(agent) ? runProcess(agent, task, run, 'start') : runInside(agent, task, run),
  );
}

/**
 * Takes up an attempt that `runAgent` began in a process that is gone, with the same `detachedDirectory`, agent and task: its events come
 * again from the first on, and its outcome is what it would have been. Undefined when its program never ran, and never will.
 * @throws what `runAgent` throws
 */
export async function adoptAgent(
  agent: AgentDefinition,
  task: AgentTask,
  options: RunAgentOptions & { readonly detachedDirectory: string },
): Promise<Outcome | undefined> {
  if (!isProcessAgent(agent)) return undefined;
  return attempt(agent, task, options, (run) => runProcess(agent, task, run, 'adopt'));
}

async function attempt<Ended extends Outcome | undefined>(
  agent: AgentDefinition,
  task: AgentTask,
  options: RunAgentOptions,
  carryOut: (run: RunSettings) => Promise<Ended>,
): Promise<Ended | Outcome> {
  const settings = resolveRunOptions(options, agent as { model?: string; price?: ModelAgentDefinition['price'] });
  if (task.outputSchema !== undefined) checkOutputSchema(task.outputSchema);
  const warnings: string[] = [];
  const onEvent = (event: AgentEvent) => {
    if (event.type === 'warning' && warnings.length < mostWarnings) warnings.push(event.message);
    settings.onEvent(event);
  };
  const ended = await carryOut({ ...settings, onEvent });
  if (ended === undefined) return ended;
  const outcome = checked({ ...ended, warnings: [...warnings, ...ended.warnings] }, task);
  settings.onEvent({ type: 'settled', outcome });
  return outcome;
}

const mostWarnings = 100;

/** Whatever the program promises of its output, the schema is held against it here. */
export function checked(outcome: Outcome, task: Pick<AgentTask, 'outputSchema'>): Outcome {
  if (outcome.status === 'failed' || task.outputSchema === undefined) return outcome;
  const problem = outputProblem(task.outputSchema, outcome.output ?? outcome.text);
  return problem === undefined ? outcome : { ...outcome, status: 'failed', ...failure('badOutput', `${problem}.`) };
}

/** An agent without a process of its own: what it says enters as values, and leaves its record as JSON lines. */
async function runInside(
  agent: ModuleAgentDefinition | ModelAgentDefinition,
  task: AgentTask,
  run: RunSettings,
): Promise<Outcome> {
  refuseLimits(task, agent.adapter);
  const files = await openFiles(task, run);
  const onEvent = (event: AgentEvent) => {
    const clean = redactedValue(event, run.openRedactor);
    files?.stdout(Buffer.from(`${JSON.stringify(clean)}\n`));
    run.onEvent(clean);
  };
  try {
    if (run.signal?.aborted === true) return outcomeWithoutStart(cancelledBeforeStart);
    await run.onStarted(undefined);
    const outcome = await startInside(agent, task, { ...run, onEvent });
    return redactedValue(outcome, run.openRedactor);
  } finally {
    await files?.close(undefined);
  }
}

async function startInside(
  agent: ModuleAgentDefinition | ModelAgentDefinition,
  task: AgentTask,
  run: RunSettings,
): Promise<Outcome> {
  if (agent.adapter === 'model') return runModel(agent, task, run);
  const threads = run.threads ?? createThreadPool({ size: 1 });
  try {
    return await runModule(agent, task, { ...run, threads });
  } finally {
    if (run.threads === undefined) await threads.close();
  }
}

const cancelledBeforeStart = failure('cancelled', 'The agent was cancelled before it started.');

function openFiles(task: AgentTask, run: RunSettings): Promise<AttemptFiles> | undefined {
  if (task.attemptDirectory === undefined) return undefined;
  return openAttemptFiles(task.attemptDirectory, task, task.prompt, run.maxRecordedBytes);
}
