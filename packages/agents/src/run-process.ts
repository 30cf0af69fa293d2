/** One attempt of an agent that is a program: the place where an adapter meets a process. */
import {
  adopt,
  findProgram,
  type ProcessResult,
  type RunningProcess,
  SpawnError,
  type SpawnOptions,
  spawnProcess,
  startDetached,
} from '@cadre/spawner';
import type { Dialogue, LaunchPlan, Parser } from './adapter.ts';
import { type AttemptFiles, openAttemptFiles } from './attempt-files.ts';
import { boundAdapter, type ProcessAgent } from './bound-adapter.ts';
import type { AgentTask } from './definition.ts';
import { inheritedVariables } from './environment.ts';
import { AgentError } from './errors.ts';
import type { AgentEvent } from './event.ts';
import { type LiveInput, openLiveInput } from './live-input.ts';
import { type Failure, failure, type Outcome, outcomeWithoutStart } from './outcome.ts';
import { type OutputReader, openOutputReader, unlessOversized } from './output-reader.ts';
import { openPermissionDesk, type PermissionDesk } from './permission.ts';
import { openPlanFiles } from './plan-files.ts';
import type { RunSettings } from './run-options.ts';
import { nulInArgument, programMissing, startFailure } from './start-failure.ts';
import { openStderrLines } from './stderr-lines.ts';

/** @param how  `adopt`: an earlier process began it; undefined when its program never ran, and never will */
export async function runProcess(
  agent: ProcessAgent,
  task: AgentTask,
  run: RunSettings,
  how: 'start',
): Promise<Outcome>;
export async function runProcess(
  agent: ProcessAgent,
  task: AgentTask,
  run: RunSettings,
  how: 'adopt',
): Promise<Outcome | undefined>;
export async function runProcess(
  agent: ProcessAgent,
  task: AgentTask,
  run: RunSettings,
  how: 'start' | 'adopt',
): Promise<Outcome | undefined> {
  const adapter = boundAdapter(agent, task);
  const planFiles = await openPlanFiles(adapter.files, task.attemptDirectory);
  const dialogue = run.onPermission === undefined ? undefined : adapter.dialogue;
  let files: AttemptFiles | undefined;
  try {
    const plan = adapter.plan({ pathOf: planFiles.pathOf, asks: dialogue !== undefined });
    files = await openFiles(task, plan.prompt, run);
    const parser = adapter.parse(run.prices);
    const attempt = new Attempt({ agent, task, run, how, plan, parser, dialogue, format: adapter.format, files });
    const result = await attempt.supervise();
    if (result === undefined) return undefined;
    if ('reason' in result) return outcomeWithoutStart(result);
    const outcome = unlessOversized(parser.end(attempt.exitOf(result)), parser, attempt.reader);
    const missing = (await files?.close(result)) ?? [];
    return { ...outcome, warnings: [...outcome.warnings, ...missing, ...survivorWarnings(result)] };
  } finally {
    await files?.close(undefined);
    await planFiles.remove();
  }
}

interface AttemptParts {
  readonly agent: ProcessAgent;
  readonly task: AgentTask;
  readonly run: RunSettings;
  readonly how: 'start' | 'adopt';
  readonly plan: LaunchPlan;
  readonly parser: Parser;
  /** Given where the program is spoken to while it runs. */
  readonly dialogue: Dialogue | undefined;
  readonly format: 'jsonl' | 'text';
  readonly files: AttemptFiles | undefined;
}

class Attempt {
  readonly reader: OutputReader;
  readonly #parts: AttemptParts;
  readonly #stdoutRedactor;
  readonly #stderrRedactor;
  readonly #stderrLines;
  /** What is said before the caller has noted the start. */
  #held: AgentEvent[] | undefined = [];
  #running: RunningProcess | undefined;
  #linger: NodeJS.Timeout | undefined;
  #input: LiveInput | undefined;
  #desk: PermissionDesk | undefined;
  #hostFailure: { readonly error: unknown } | undefined;

  constructor(parts: AttemptParts) {
    const { parser, format, run } = parts;
    this.#parts = parts;
    this.reader = openOutputReader(this.#heard(parser), format, run.maxOutputBytes);
    this.#stdoutRedactor = run.openRedactor();
    this.#stderrRedactor = run.openRedactor();
    this.#stderrLines = openStderrLines((line) => parser.readStderr(line));
  }

  /** Resolves to how the process ended, or to why it never began. */
  async supervise(): Promise<ProcessResult | Failure | undefined> {
    const { run, how, plan, dialogue } = this.#parts;
    if (how === 'start' && run.signal?.aborted === true) return cancelledBeforeStart;
    // A prompt may hold what another agent said, so this is an outcome and no error of the caller's.
    if (plan.command.some((argument) => argument.includes('\0'))) return nulInArgument;
    try {
      const environment = environmentOf(this.#parts);
      let command = plan.command;
      if (dialogue !== undefined) {
        // The shell that opens its input would only say 127.
        const missing = await programMissing(plan, environment.PATH ?? '', findProgram);
        if (missing !== undefined) return missing;
        this.#input = await openLiveInput();
        this.#openDesk(dialogue, this.#input);
        command = this.#input.reading(command);
      }
      this.#running = await this.#begin(this.#spawnOptions(command, environment));
      if (this.#running === undefined) return undefined;
      this.#input?.write(plan.stdin);
      await run.onStarted(this.#running.identity);
      const held = this.#held ?? [];
      this.#held = undefined;
      for (const event of held) this.#emit(event);
      this.#endWhenDone();
      const result = await this.#running.result;
      if (this.#hostFailure !== undefined) throw this.#hostFailure.error;
      this.#drain();
      return result;
    } catch (error) {
      await this.#running?.end();
      return startFailure(error, plan, run.signal);
    } finally {
      clearTimeout(this.#linger);
      this.#desk?.close();
      await this.#input?.remove();
    }
  }

  async #begin(options: SpawnOptions): Promise<RunningProcess | undefined> {
    const { run, how, dialogue } = this.#parts;
    const directory = dialogue === undefined ? run.detachedDirectory : undefined;
    if (how === 'adopt') return directory === undefined ? undefined : this.#adopt(directory, options);
    return directory === undefined ? spawnProcess(options) : this.#detach(directory, options);
  }

  async #detach(directory: string, options: SpawnOptions): Promise<RunningProcess> {
    try {
      return await startDetached({ ...options, directory });
    } catch (cause) {
      if (!(cause instanceof SpawnError && cause.code === 'SPAWN_DETACHED_FOLDER')) throw cause;
      throw new AgentError('AGENT_FILES_UNWRITABLE', cause.message, { cause });
    }
  }

  async #adopt(directory: string, { signal, ...options }: SpawnOptions): Promise<RunningProcess | undefined> {
    try {
      // An aborted signal would let it be; here that means to end it.
      const adopted = await adopt(directory, { ...options, ...(signal?.aborted === false ? { signal } : {}) });
      if (adopted.state === 'neverStarted') return undefined;
      if (signal?.aborted === true) void adopted.running.end();
      return adopted.running;
    } catch (error) {
      if (error instanceof SpawnError && error.code === 'SPAWN_DETACHED_FOLDER') return undefined;
      throw error;
    }
  }

  /** The exit with the tail of stderr as it may be shown. */
  exitOf(result: ProcessResult): ProcessResult {
    const redactor = this.#parts.run.openRedactor();
    const bytes = Buffer.from(result.stderr);
    return { ...result, stderr: Buffer.concat([redactor.push(bytes), redactor.end()]).toString() };
  }

  #spawnOptions(command: readonly string[], env: Readonly<Record<string, string>>): SpawnOptions {
    const { task, run, plan, files, dialogue } = this.#parts;
    const isClosed = dialogue !== undefined || plan.stdin === '';
    return {
      ...{ command: command[0] ?? '', args: command.slice(1), cwd: task.cwd, inheritEnv: [], env },
      stdin: isClosed ? 'closed' : Buffer.from(plan.stdin),
      maxOutputBytes: keptOfStderr,
      onStdout: (chunk) => this.#stdout(this.#stdoutRedactor.push(chunk)),
      onStderr: (chunk) => {
        const clean = this.#stderrRedactor.push(chunk);
        files?.stderr(clean);
        this.#emitAll(this.#stderrLines.push(clean));
      },
      graceMs: run.graceMs,
      ...(task.timeoutMs === undefined ? {} : { timeoutMs: task.timeoutMs }),
      ...(task.idleTimeoutMs === undefined ? {} : { idleTimeoutMs: task.idleTimeoutMs }),
      ...limitOptions(task),
      ...(run.signal === undefined ? {} : { signal: run.signal }),
      ...(run.marker === undefined ? {} : { marker: run.marker }),
    };
  }

  #stdout(clean: Uint8Array): void {
    this.#parts.files?.stdout(clean);
    this.#emitAll(this.reader.push(clean));
    this.#endWhenDone();
  }

  /** What the redactors held back, and what the reader makes of the end. */
  #drain(): void {
    const stderr = this.#stderrRedactor.end();
    this.#parts.files?.stderr(stderr);
    this.#emitAll(this.#stderrLines.push(stderr));
    this.#emitAll(this.#stderrLines.end());
    const stdout = this.#stdoutRedactor.end();
    this.#parts.files?.stdout(stdout);
    this.#emitAll(this.reader.push(stdout));
    this.#emitAll(this.reader.end());
  }

  #emitAll(events: readonly AgentEvent[]): void {
    for (const event of events) this.#emit(event);
  }

  #emit(event: AgentEvent): void {
    if (this.#held !== undefined) {
      this.#held.push(event);
      return;
    }
    this.#parts.run.onEvent(event);
    this.#desk?.meet(event);
  }

  /** The parser, overheard: what the program asks and no host is asked about is answered on the way. */
  #heard(parser: Parser): Parser {
    const { dialogue } = this.#parts;
    if (dialogue === undefined) return parser;
    return {
      get state() {
        return parser.state;
      },
      read: (value) => {
        const reply = dialogue.automatic(value);
        if (reply !== undefined) this.#input?.write(reply);
        const withdrawn = dialogue.withdrawn(value);
        if (withdrawn !== undefined) this.#desk?.withdraw(withdrawn);
        return parser.read(value);
      },
      readStderr: (line) => parser.readStderr(line),
      end: (exit) => parser.end(exit),
    };
  }

  #openDesk(dialogue: Dialogue, input: LiveInput): void {
    const { run } = this.#parts;
    if (run.onPermission === undefined) return;
    this.#desk = openPermissionDesk({
      ...{ dialogue, ask: run.onPermission, timeoutMs: run.permissionTimeoutMs, onEvent: run.onEvent },
      write: (line) => input.write(line),
      onFailure: (error) => {
        this.#hostFailure ??= { error };
        void this.#running?.end({ reason: 'the host failed' });
      },
    });
  }

  #endWhenDone(): void {
    const { parser, run } = this.#parts;
    const running = this.#running;
    if (running === undefined) return;
    const pointless = this.reader.oversized !== undefined || parser.state === 'hopeless';
    if (pointless) void running.end({ reason: 'going on is pointless' });
    if (parser.state !== 'finished') return;
    this.#input?.end();
    if (run.lingerMs > longestTimer) return;
    this.#linger ??= setTimeout(() => void running.end({ reason: 'it stayed after its result' }), run.lingerMs);
  }
}

/** The tail of stderr that verdicts read; the whole of it goes to the attempt directory. */
const keptOfStderr = 64 * 1024;

/** `setTimeout` takes no more than this, about 25 days. */
const longestTimer = 2 ** 31 - 1;

const cancelledBeforeStart = failure('cancelled', 'The agent was cancelled before it started.');

/** All that a program sees, in the order in which later ones win. */
export function environmentOf(parts: {
  readonly agent: ProcessAgent;
  readonly task: Pick<AgentTask, 'environment'>;
  readonly run: Pick<RunSettings, 'inheritFrom'>;
  readonly plan: LaunchPlan;
}): Readonly<Record<string, string>> {
  const { agent, task, run, plan } = parts;
  const patterns = [...plan.inheritEnvironment, ...(agent.inheritEnvironment ?? [])];
  return {
    ...inheritedVariables(run.inheritFrom, patterns, plan.neverInherit),
    ...plan.environment,
    ...agent.environment,
    ...task.environment,
  };
}

/** The limits of a task in the words of the spawner. */
export function limitOptions({ limits = {} }: Pick<AgentTask, 'limits'>): Partial<SpawnOptions> {
  const { memoryBytes, outputBytes, cpus, containment } = limits;
  return {
    ...(memoryBytes === undefined ? {} : { memoryLimitBytes: memoryBytes }),
    ...(outputBytes === undefined ? {} : { outputLimitBytes: outputBytes }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(containment === undefined ? {} : { containment }),
  };
}

function survivorWarnings(result: ProcessResult): readonly string[] {
  if (result.survivors.length === 0) return [];
  const pids = result.survivors.map((survivor) => survivor.pid).join(', ');
  return [`Processes that the agent started could not be ended: ${pids}.`];
}

function openFiles(task: AgentTask, prompt: string, run: RunSettings): Promise<AttemptFiles> | undefined {
  if (task.attemptDirectory === undefined) return undefined;
  return openAttemptFiles(task.attemptDirectory, task, prompt, run.maxRecordedBytes);
}
