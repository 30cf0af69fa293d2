/**
 * One attempt: a definition and a task in, an outcome out. The only place where an adapter meets a process.
 *
 * Whatever the agent does, the caller gets an outcome; what rejects is only what the caller did wrong, or a directory that
 * can't be written before anything was started. Nothing the agent started outlives the call.
 */
import {
  createThreadPool,
  type ProcessIdentity,
  type ProcessResult,
  type RunningProcess,
  SpawnError,
  spawnProcess,
  type ThreadPool,
} from '@cadre/spawner';
import type { LaunchPlan, Parser } from './adapter.ts';
import { runModule } from './adapters/module.ts';
import { type AttemptFiles, openAttemptFiles } from './attempt-files.ts';
import { boundAdapter, type ProcessAgent } from './bound-adapter.ts';
import type { AgentDefinition, AgentTask, ModuleAgentDefinition } from './definition.ts';
import { inheritedVariables } from './environment.ts';
import type { AgentEvent } from './event.ts';
import { type Failure, failure, type Outcome, outcomeOf } from './outcome.ts';
import { type OutputReader, openOutputReader } from './output-reader.ts';
import { openSchemaFile } from './schema-file.ts';
import { noCost, noUsage } from './usage.ts';

export interface RunAgentOptions {
  /** Ends the agent with everything it started; the outcome is `failed`, reason `cancelled`. */
  readonly signal?: AbortSignal;
  /** Where `module` agents run. @default a pool of one thread for this attempt */
  readonly threads?: ThreadPool;
  /** Called with each event in order. What it throws ends the agent and rejects the call. */
  readonly onEvent?: (event: AgentEvent) => void;
  /**
   * Awaited as soon as the program runs, so that its identity can be written down before anything else happens;
   * undefined for a `module`, which has no process. When it rejects, the agent is ended and the call rejects.
   */
  readonly onStarted?: (identity: ProcessIdentity | undefined) => void | Promise<void>;
  /** Where inherited variables come from. @default process.env */
  readonly inheritFrom?: Readonly<Record<string, string | undefined>>;
  /** A variable that the program and all it starts carry, so that the spawner's `sweep` finds them after a crash. */
  readonly marker?: { readonly name: string; readonly value: string };
  /** The longest line, text or result; more is reason `badOutput`. @default 64 MiB */
  readonly maxOutputBytes?: number;
  /** Kept of each stream in the attempt directory. @default 64 MiB */
  readonly maxRecordedBytes?: number;
  /** How long an agent may live on after its terminal line; then it is ended and the line counts. @default 10,000 */
  readonly lingerMs?: number;
  /** Between TERM and KILL when the agent is ended. @default 2000 */
  readonly graceMs?: number;
}

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
  const settings = resolveRunOptions(options);
  const warnings: string[] = [];
  const onEvent = (event: AgentEvent) => {
    if (event.type === 'warning' && warnings.length < mostWarnings) warnings.push(event.message);
    settings.onEvent(event);
  };
  const run = { ...settings, onEvent };
  const ended = agent.adapter === 'module' ? await runInThread(agent, task, run) : await runProcess(agent, task, run);
  const outcome = { ...ended, warnings: [...warnings, ...ended.warnings] };
  settings.onEvent({ type: 'settled', outcome });
  return outcome;
}

const mostWarnings = 100;

function resolveRunOptions(options: RunAgentOptions) {
  const { maxOutputBytes = 64 * 1024 * 1024, maxRecordedBytes = 64 * 1024 * 1024 } = options;
  const { lingerMs = 10_000, graceMs = 2000, signal, threads, marker, inheritFrom = process.env } = options;
  for (const [name, value] of Object.entries({ maxOutputBytes, maxRecordedBytes, lingerMs, graceMs })) {
    if (typeof value !== 'number' || !(value >= 0)) {
      throw new RangeError(`Expected \`${name}\` to be a number of at least 0, got \`${value}\`.`);
    }
  }
  if (!Number.isSafeInteger(maxOutputBytes) || maxOutputBytes < 1 || maxOutputBytes > longestText) {
    throw new RangeError(`Expected \`maxOutputBytes\` to be from 1 to ${longestText}, got \`${maxOutputBytes}\`.`);
  }
  const onEvent = options.onEvent ?? (() => undefined);
  const onStarted = options.onStarted ?? (() => undefined);
  return Object.freeze({
    ...{ maxOutputBytes, maxRecordedBytes, lingerMs, graceMs },
    ...{ signal, threads, marker, inheritFrom, onEvent, onStarted },
  });
}

/** What V8 can hold as one string. */
const longestText = 512 * 1024 * 1024;

type RunSettings = ReturnType<typeof resolveRunOptions>;

async function runInThread(agent: ModuleAgentDefinition, task: AgentTask, run: RunSettings): Promise<Outcome> {
  const files = await openFiles(task, task.prompt, run);
  const threads = run.threads ?? createThreadPool({ size: 1 });
  try {
    if (run.signal?.aborted === true) return withoutStart(cancelledBeforeStart);
    await run.onStarted(undefined);
    return await runModule(agent, task, { ...run, threads });
  } finally {
    if (run.threads === undefined) await threads.close();
    await files?.close(undefined);
  }
}

async function runProcess(agent: ProcessAgent, task: AgentTask, run: RunSettings): Promise<Outcome> {
  const adapter = boundAdapter(agent, task);
  const schemaFile = await openSchemaFile(adapter.wantsSchemaFile ? task : undefined);
  let files: AttemptFiles | undefined;
  try {
    const plan = adapter.plan(schemaFile?.path);
    files = await openFiles(task, plan.prompt, run);
    const parser = adapter.parse();
    const reader = openOutputReader(parser, adapter.format, run.maxOutputBytes);
    const result = await supervise(agent, task, run, { plan, parser, reader, files });
    if ('reason' in result) return withoutStart(result);
    for (const event of reader.end()) run.onEvent(event);
    const outcome = unlessOversized(parser.end(result), parser, reader);
    const missing = (await files?.close(result)) ?? [];
    return { ...outcome, warnings: [...outcome.warnings, ...missing, ...survivorWarnings(result)] };
  } finally {
    await files?.close(undefined);
    await schemaFile?.remove();
  }
}

interface Attempt {
  readonly plan: LaunchPlan;
  readonly parser: Parser;
  readonly reader: OutputReader;
  readonly files: AttemptFiles | undefined;
}

/** Resolves to how the process ended, or to why it never began. */
async function supervise(
  agent: ProcessAgent,
  task: AgentTask,
  run: RunSettings,
  { plan, parser, reader, files }: Attempt,
): Promise<ProcessResult | Failure> {
  if (run.signal?.aborted === true) return cancelledBeforeStart;
  // A prompt may hold what another agent said, so this is an outcome and no error of the caller's.
  if (plan.command.some((argument) => argument.includes('\0'))) return failure('invalidRequest', nulInArgument);
  let running: RunningProcess | undefined;
  let linger: NodeJS.Timeout | undefined;
  /** What is said before the caller has noted the start. */
  let held: AgentEvent[] | undefined = [];
  const endWhenDone = () => {
    if (running === undefined) return;
    const pointless = reader.oversized !== undefined || parser.state === 'hopeless';
    if (pointless) void running.end({ reason: 'going on is pointless' });
    if (parser.state === 'finished' && run.lingerMs <= longestTimer) {
      linger ??= setTimeout(() => void running?.end({ reason: 'it stayed after its result' }), run.lingerMs);
    }
  };
  try {
    running = await spawnProcess({
      command: plan.command[0] ?? '',
      args: plan.command.slice(1),
      cwd: task.cwd,
      inheritEnv: [],
      env: {
        ...inheritedVariables(
          run.inheritFrom,
          [...plan.inheritEnvironment, ...(agent.inheritEnvironment ?? [])],
          plan.neverInherit,
        ),
        ...plan.environment,
        ...agent.environment,
        ...task.environment,
      },
      stdin: plan.stdin === '' ? 'closed' : Buffer.from(plan.stdin),
      maxOutputBytes: keptOfStderr,
      onStdout: (chunk) => {
        files?.stdout(chunk);
        for (const event of reader.push(chunk)) {
          if (held === undefined) run.onEvent(event);
          else held.push(event);
        }
        endWhenDone();
      },
      onStderr: (chunk) => files?.stderr(chunk),
      graceMs: run.graceMs,
      ...(task.timeoutMs === undefined ? {} : { timeoutMs: task.timeoutMs }),
      ...(task.idleTimeoutMs === undefined ? {} : { idleTimeoutMs: task.idleTimeoutMs }),
      ...(run.signal === undefined ? {} : { signal: run.signal }),
      ...(run.marker === undefined ? {} : { marker: run.marker }),
    });
    await run.onStarted(running.identity);
    for (const event of held) run.onEvent(event);
    held = undefined;
    endWhenDone();
    return await running.result;
  } catch (error) {
    await running?.end();
    return startFailure(error, plan, run.signal);
  } finally {
    clearTimeout(linger);
  }
}

/** The tail of stderr that verdicts read; the whole of it goes to the attempt directory. */
const keptOfStderr = 64 * 1024;

/** `setTimeout` takes no more than this, about 25 days. */
const longestTimer = 2 ** 31 - 1;

const nulInArgument =
  'An argument of the agent holds a NUL character, which no program can be given; pass the prompt on stdin.';

const cancelledBeforeStart = failure('cancelled', 'The agent was cancelled before it started.');

/** Why a program could not be started; throws again what is no matter of the program. */
function startFailure(error: unknown, plan: LaunchPlan, signal: AbortSignal | undefined): Failure {
  if (signal?.aborted === true && error === signal.reason) return cancelledBeforeStart;
  if (!(error instanceof SpawnError)) throw error;
  switch (error.code) {
    case 'SPAWN_PROGRAM_NOT_FOUND':
      return failure('programNotFound', `${plan.howToInstall} ${error.message}`);
    case 'SPAWN_PERMISSION_DENIED':
      return failure('programNotFound', error.message);
    case 'SPAWN_DIRECTORY_NOT_FOUND':
      return failure('invalidRequest', error.message);
    case 'SPAWN_FAILED':
      return failure('failed', error.message, { retryable: isShortage(error.cause) });
    case 'SPAWN_CALLBACK_FAILED':
      throw error.cause;
    default:
      throw error;
  }
}

function isShortage(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'EAGAIN' || code === 'EMFILE' || code === 'ENFILE' || code === 'ENOMEM';
}

function unlessOversized(outcome: Outcome, parser: Parser, reader: OutputReader): Outcome {
  if (reader.oversized === undefined || parser.state === 'finished') return outcome;
  const message = `The agent was ended because ${reader.oversized}; print less, write a file, or raise maxOutputBytes.`;
  return { ...outcome, status: 'failed', ...failure('badOutput', message, { retryable: false }) };
}

function survivorWarnings(result: ProcessResult): readonly string[] {
  if (result.survivors.length === 0) return [];
  const pids = result.survivors.map((survivor) => survivor.pid).join(', ');
  return [`Processes that the agent started could not be ended: ${pids}.`];
}

function withoutStart(verdict: Failure): Outcome {
  return outcomeOf({ text: '', output: null, usage: noUsage, cost: noCost, durationMs: 0, warnings: [] }, verdict);
}

function openFiles(task: AgentTask, prompt: string, run: RunSettings): Promise<AttemptFiles> | undefined {
  if (task.attemptDirectory === undefined) return undefined;
  return openAttemptFiles(task.attemptDirectory, task, prompt, run.maxRecordedBytes);
}
