/**
 * Claude Code as a program that stays: one process, a line on its stdin for each turn, the outcome of a turn at its `result`
 * line. When it ends between turns, or a turn had to be ended, the next one starts it again and resumes.
 */
import { randomUUID } from 'node:crypto';
import { type ProcessResult, type RunningProcess, spawnProcess } from '@cadre/spawner';
import type { Parser } from './adapter.ts';
import { claude } from './adapters/claude.ts';
import type { AgentTask, ClaudeAgentDefinition } from './definition.ts';
import type { AgentEvent } from './event.ts';
import { type LiveInput, openLiveInput } from './live-input.ts';
import { type AttemptExit, failureByUs, type Outcome } from './outcome.ts';
import { type OutputReader, openOutputReader, unlessOversized } from './output-reader.ts';
import { openPermissionDesk, type PermissionDesk } from './permission.ts';
import { openPlanFiles } from './plan-files.ts';
import type { Redactor } from './redact.ts';
import { checked, runAgent } from './run-agent.ts';
import { type RunAgentOptions, type RunSettings, resolveRunOptions } from './run-options.ts';
import { environmentOf, limitOptions } from './run-process.ts';
import type { Conversation } from './session.ts';
import { promptWithSchema } from './task-text.ts';

export function openLiveProgram(agent: ClaudeAgentDefinition, options: RunAgentOptions): Conversation {
  let program: LiveProgram | undefined;
  return {
    turn: async (task, turnOptions) => {
      // What can only be said when it starts: that turn gets a process of its own, and the session goes on after it.
      if (task.attemptDirectory !== undefined || task.resumeSessionId === undefined) {
        await program?.close();
        program = undefined;
      }
      if (task.attemptDirectory !== undefined) return runAgent(agent, task, turnOptions);
      const run = resolveRunOptions(turnOptions, agent);
      if (program === undefined || !program.isAlive) program = new LiveProgram(agent, options);
      const outcome = checked(await program.turn(task, run), task);
      run.onEvent({ type: 'settled', outcome });
      return outcome;
    },
    close: async () => program?.close(),
  };
}

interface Turn {
  readonly task: AgentTask;
  readonly run: RunSettings;
  readonly parser: Parser;
  readonly startedAtMs: number;
  /** Called once the `result` line is there, or the program has ended. */
  readonly done: () => void;
  endedBy: AttemptExit['endedBy'];
  /** Ends the turn after too long a silence. */
  idle: NodeJS.Timeout | undefined;
  hostFailure: { readonly error: unknown } | undefined;
}

class LiveProgram {
  readonly #agent: ClaudeAgentDefinition;
  readonly #options: RunAgentOptions;
  #state: 'new' | 'running' | 'ended' = 'new';
  #input: LiveInput | undefined;
  #running: RunningProcess | undefined;
  #reader: OutputReader | undefined;
  #redactor: Redactor | undefined;
  #result: Promise<ProcessResult> | undefined;
  #exit: ProcessResult | undefined;
  #desk: PermissionDesk | undefined;
  #turn: Turn | undefined;
  #cleanUp: () => Promise<void> = () => Promise.resolve();

  constructor(agent: ClaudeAgentDefinition, options: RunAgentOptions) {
    this.#agent = agent;
    this.#options = options;
  }

  get isAlive(): boolean {
    return this.#state !== 'ended';
  }

  async turn(task: AgentTask, run: RunSettings): Promise<Outcome> {
    const { promise: done, resolve } = settling();
    const parser = claude.parse(this.#agent, task, run.prices);
    const turn: Turn = {
      ...{ task, run, parser, startedAtMs: performance.now(), done: resolve },
      ...{ endedBy: 'exit', idle: undefined, hostFailure: undefined },
    };
    this.#turn = turn;
    const end = (cause: 'aborted' | 'timeout') => this.#interrupt(turn, cause);
    const onAbort = () => end('aborted');
    const timer = timerFor(task.timeoutMs, () => end('timeout'));
    run.signal?.addEventListener('abort', onAbort, { once: true });
    try {
      if (run.signal?.aborted === true) return this.#outcomeOf(turn, { ...quietExit, endedBy: 'aborted' });
      if (this.#state === 'new') {
        const failed = await this.#start(task, run);
        if (failed !== undefined) return failed;
      }
      this.#input?.write(claude.dialogue?.turn(promptWithSchema(task)) ?? '');
      this.#listenAgain(turn);
      await done;
      if (turn.hostFailure !== undefined) throw turn.hostFailure.error;
      return this.#outcomeOf(turn, this.#exit ?? { ...quietExit, endedBy: turn.endedBy });
    } finally {
      clearTimeout(timer);
      clearTimeout(turn.idle);
      run.signal?.removeEventListener('abort', onAbort);
      this.#turn = undefined;
    }
  }

  async close(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#input?.end();
    const { lingerMs = 10_000 } = this.#options;
    const timer = timerFor(lingerMs, () => void this.#running?.end({ reason: 'the session was closed' }));
    try {
      await this.#result;
    } finally {
      clearTimeout(timer);
    }
  }

  /** @returns an outcome when it could not be started */
  async #start(task: AgentTask, run: RunSettings): Promise<Outcome | undefined> {
    const planFiles = await openPlanFiles(claude.files(this.#agent, task), undefined);
    // The schema of an answer can only be told at the start, and turns may differ: it is part of each prompt instead.
    const { outputSchema: _, ...plain } = task;
    const plan = claude.plan(this.#agent, plain, { pathOf: planFiles.pathOf, asks: true });
    const env = environmentOf({ agent: this.#agent, task, run, plan });
    this.#input = await openLiveInput();
    const command = this.#input.reading(plan.command);
    this.#cleanUp = async () => {
      await this.#input?.remove();
      await planFiles.remove();
    };
    this.#openDesk(run);
    this.#redactor = run.openRedactor();
    this.#reader = openOutputReader(this.#currentParser(), 'jsonl', run.maxOutputBytes);
    try {
      this.#running = await spawnProcess({
        ...{ command: command[0] ?? '', args: command.slice(1), cwd: task.cwd, inheritEnv: [], env },
        ...{ stdin: 'closed', graceMs: run.graceMs, maxOutputBytes: 65_536 },
        ...(run.marker === undefined ? {} : { marker: run.marker }),
        ...limitOptions(task),
        onStdout: (chunk) => this.#heard(chunk),
        onStderr: () => this.#listenAgain(this.#turn),
      });
      await run.onStarted(this.#running.identity);
    } catch (error) {
      this.#state = 'ended';
      await this.#running?.end();
      await this.#cleanUp();
      throw error;
    }
    this.#state = 'running';
    this.#result = this.#running.result.then(async (result) => {
      this.#exit = result;
      this.#state = 'ended';
      this.#desk?.close();
      await this.#cleanUp();
      this.#turn?.done();
      return result;
    });
    // It is awaited by `close`; a turn under way learns of the end by `done`.
    this.#result.catch(() => undefined);
    return undefined;
  }

  #heard(chunk: Uint8Array): void {
    const events = this.#reader?.push(this.#redactor?.push(chunk) ?? chunk) ?? [];
    for (const event of events) this.#emit(event);
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#listenAgain(turn);
    if (turn.parser.state === 'finished') turn.done();
    else if (turn.parser.state === 'hopeless' || this.#reader?.oversized !== undefined) void this.#running?.end();
  }

  #listenAgain(turn: Turn | undefined): void {
    if (turn === undefined) return;
    clearTimeout(turn.idle);
    turn.idle = timerFor(turn.task.idleTimeoutMs, () => this.#interrupt(turn, 'idle'));
  }

  #emit(event: AgentEvent): void {
    const turn = this.#turn;
    // Between turns it may say that a task in the background ended; there is nobody to tell.
    if (turn === undefined || turn.hostFailure !== undefined) return;
    try {
      turn.run.onEvent(event);
    } catch (error) {
      this.#fail(turn, error);
      return;
    }
    this.#desk?.meet(event);
  }

  #fail(turn: Turn | undefined, error: unknown): void {
    if (turn === undefined) return;
    turn.hostFailure ??= { error };
    void this.#running?.end({ reason: 'the host failed' });
  }

  #openDesk(run: RunSettings): void {
    const dialogue = claude.dialogue;
    if (dialogue === undefined) return;
    const nobody = () => ({ allow: false, message: 'Nobody is there to ask; go on without it.' }) as const;
    this.#desk = openPermissionDesk({
      ...{ dialogue, ask: run.onPermission ?? nobody, timeoutMs: run.permissionTimeoutMs },
      write: (line) => this.#input?.write(line),
      onEvent: (event) => this.#emit(event),
      onFailure: (error) => this.#fail(this.#turn, error),
    });
  }

  /** Whatever turn is under way reads; what comes between two turns is read by nobody. */
  #currentParser(): Parser {
    const current = () => this.#turn?.parser;
    return {
      get state() {
        return current()?.state ?? 'running';
      },
      read: (value) => {
        const reply = claude.dialogue?.automatic(value);
        if (reply !== undefined) this.#input?.write(reply);
        const withdrawn = claude.dialogue?.withdrawn(value);
        if (withdrawn !== undefined) this.#desk?.withdraw(withdrawn);
        return current()?.read(value) ?? [];
      },
      readStderr: () => [],
      end: () => {
        throw new TypeError('A program that stays has no single end.');
      },
    };
  }

  /** Asks it to end its turn and stay; where it doesn't within the grace, it is ended. */
  #interrupt(turn: Turn, cause: 'aborted' | 'timeout' | 'idle'): void {
    if (this.#turn !== turn || turn.endedBy !== 'exit') return;
    turn.endedBy = cause;
    this.#input?.write(claude.dialogue?.interrupt(randomUUID()) ?? '');
    const timer = timerFor(turn.run.graceMs, () => {
      if (this.#turn === turn) void this.#running?.end({ reason: 'it did not end its turn' });
    });
    timer?.unref();
  }

  #outcomeOf(turn: Turn, exit: AttemptExit): Outcome {
    const durationMs = performance.now() - turn.startedAtMs;
    const endedBy = turn.endedBy === 'exit' ? exit.endedBy : turn.endedBy;
    const redactor = turn.run.openRedactor();
    const bytes = Buffer.from(exit.stderr);
    const stderr = Buffer.concat([redactor.push(bytes), redactor.end()]).toString();
    const ended = turn.parser.end({ ...exit, durationMs, endedBy, stderr });
    const outcome = this.#reader === undefined ? ended : unlessOversized(ended, turn.parser, this.#reader);
    const byUs = turn.parser.state === 'finished' ? failureByUs({ ...exit, durationMs, endedBy }) : undefined;
    // An interrupted turn has its result line too; why it was interrupted is known here.
    return outcome.status === 'failed' && byUs !== undefined ? { ...outcome, ...byUs } : outcome;
  }
}

/** A program that is still there has no exit yet. */
const quietExit: AttemptExit = { exitCode: 0, signalName: null, endedBy: 'exit', durationMs: 0, stderr: '' };

function settling(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const longestTimer = 2 ** 31 - 1;

function timerFor(limitMs: number | undefined, act: () => void): NodeJS.Timeout | undefined {
  return limitMs === undefined || limitMs > longestTimer ? undefined : setTimeout(act, limitMs);
}
