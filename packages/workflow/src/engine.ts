/**
 * The engine: the thin loop that asks `decide` what to do, does it, and appends what came of it. It holds nothing that a
 * crash could lose: the journal is written before anyone acts on an event, and a state can be folded from it at any time. What needs no
 * state of a run under way has rooms of its own (`decide.ts`, `asking.ts`, `leftovers.ts`, `results.ts`); what is left here all does.
 */
import type { AgentEvent, Outcome } from '@cadre/agents';
import type { Bus } from '@cadre/bus';
import type { Cache } from '@cadre/cache';
import { type Asking, attemptOf, type Failed, failureOf } from './asking.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Command, decide } from './decide.ts';
import { isFatal } from './errors.ts';
import type { AttemptSettled, EndStatus, Failure, RunEvent, RunStopping, StoredResult } from './event.ts';
import type { Attempt, AttemptObserver, Executor } from './executor.ts';
import type { Journal } from './journal.ts';
import { killAttempts, type Leftover } from './leftovers.ts';
import { Outputs } from './outputs.ts';
import type { PlannedTask } from './plan.ts';
import { askQuestion, type Question } from './question.ts';
import { Results } from './results.ts';
import { apply, noUsage, type RunState } from './state.ts';
import type { JsonValue, Scope, TaskDefinition, Workflow } from './workflow.ts';

export interface EngineOptions {
  /** What carries attempts out. The caller closes it. */
  readonly executor: Executor;
  /** Where results are looked up and kept; without it nothing is reused from other runs. The caller closes it. */
  readonly cache?: Cache;
  /**
   * Run events are published on `run.<run>.event`, agent events on `run.<run>.task.<task>.event`, after they are in the
   * journal where they belong there.
   */
  readonly bus?: Bus;
  /** Attempts at once, unless the workflow says less. @default 4 */
  readonly concurrency?: number;
  readonly clock?: Clock;
  /** From 0 to 1, for the pauses between tries and the ends of run ids. @default Math.random */
  readonly random?: () => number;
}

export interface RunMaterial {
  readonly id: string;
  readonly directory: string;
  readonly workflow: Workflow;
  readonly inputs: Readonly<Record<string, JsonValue>>;
  readonly marker: string;
  readonly journal: Journal;
  /** After `runStarted` or `runResumed`. */
  readonly state: RunState;
  /** By the number of the task: attempts that an earlier process began and may still be under way. */
  readonly leftovers: ReadonlyMap<number, Leftover>;
}

/** A run under way in this process. */
export class Run implements AsyncDisposable {
  readonly id: string;
  /** The run's folder. */
  readonly directory: string;
  readonly workflow: Workflow;
  /**
   * Resolves with the last state once the run has ended, however it ended. Rejects when the journal can't be written:
   * then every agent has been ended and the run can be resumed.
   */
  readonly finished: Promise<RunState>;

  readonly #material: RunMaterial;
  readonly #executor: Executor;
  readonly #bus: Bus | undefined;
  readonly #concurrency: number;
  readonly #clock: Clock;
  readonly #random: () => number;

  #state: RunState;
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  readonly #abort = new AbortController();
  readonly #busy = new Set<number>();
  readonly #work = new Set<Promise<void>>();
  readonly #outputs: Outputs;
  readonly #results: Results;
  readonly #leftovers: Map<number, Leftover>;

  /** Started by `startRun` and `resumeRun`. */
  constructor(material: RunMaterial, options: EngineOptions) {
    const { concurrency = 4 } = options;
    if (!(concurrency >= 1)) throw new RangeError(`Expected \`concurrency\` to be at least 1, got ${concurrency}.`);
    this.id = material.id;
    this.directory = material.directory;
    this.workflow = material.workflow;
    this.#material = material;
    this.#state = material.state;
    this.#executor = options.executor;
    this.#bus = options.bus;
    this.#concurrency = Math.min(concurrency, material.workflow.concurrency ?? Number.POSITIVE_INFINITY);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#outputs = new Outputs(material.directory);
    this.#results = new Results(material.directory, this.#outputs, options.cache);
    this.#leftovers = new Map(material.leftovers);
    this.finished = this.#run();
  }

  get state(): RunState {
    return this.#state;
  }

  /** The output of the task that the run is for; undefined before it has one. */
  async result(): Promise<JsonValue | undefined> {
    const { plan, tasks } = this.#state;
    if (tasks.length === 0 || tasks.get(plan.result).result === undefined) return undefined;
    return this.#outputs.of(this.#state, plan.result);
  }

  /**
   * Starts nothing more, ends the agents, and resolves when the run has ended; it can be resumed.
   * @param reason  `interrupted` by the user at the terminal, or `cancelled`
   */
  async stop(reason: 'interrupted' | 'cancelled'): Promise<RunState> {
    this.#track(this.#stop(reason));
    return this.finished;
  }

  /** Ends every agent at once, without a grace. */
  async kill(): Promise<void> {
    await killAttempts(this.#state, this.#material.marker);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('interrupted');
  }

  async #run(): Promise<RunState> {
    try {
      this.#takeUpLeftovers();
      await this.#loop();
      return this.#state;
    } catch (error) {
      this.#abort.abort(error);
      await Promise.allSettled(this.#work);
      throw error;
    } finally {
      await this.#material.journal.close();
    }
  }

  /** Before anything is started: they run already. */
  #takeUpLeftovers(): void {
    for (const number of this.#leftovers.keys()) {
      const task = this.#state.plan.tasks[number];
      if (task === undefined) continue;
      this.#busy.add(number);
      this.#track(this.#perform(task));
    }
  }

  async #loop(): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const changed = this.#nextChange();
      const moment = { now: this.#clock.now(), concurrency: this.#concurrency, busy: this.#busy };
      const timer = new AbortController();
      for (const command of decide(this.#state, moment)) {
        if (command.type === 'end') return this.#end(command.status);
        this.#track(this.#carryOut(command, timer.signal));
      }
      await changed;
      timer.abort();
    }
  }

  #carryOut(command: Exclude<Command, { type: 'end' }>, timer: AbortSignal): Promise<void> {
    switch (command.type) {
      case 'stop':
        return this.#stop(command.reason);
      case 'wait':
        return this.#wakeAt(command.until, timer);
      default: {
        const task = this.#state.plan.tasks[command.task];
        if (task === undefined) return Promise.resolve();
        this.#busy.add(command.task);
        return command.type === 'start' ? this.#perform(task) : this.#skip(task);
      }
    }
  }

  /** Resolves once the state has changed; changes of one turn of the event loop count as one. */
  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        setImmediate(resolve);
      };
    });
  }

  async #wakeAt(until: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.wait(Math.max(0, until - this.#clock.now()), signal);
    } catch (error) {
      // The loop has gone on and waits anew: waking it again would only make it turn.
      if (signal.aborted) return;
      throw error;
    }
    this.#wake?.();
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#failure ??= error instanceof Error ? error : new Error(String(error));
        this.#wake?.();
      })
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  async #append(...events: readonly RunEvent[]): Promise<void> {
    await this.#material.journal.append(...events);
    for (const event of events) {
      this.#state = apply(this.#state, event);
      this.#publish(`run.${this.id}.event`, event);
    }
    this.#wake?.();
  }

  #publish(subject: string, event: RunEvent | AgentEvent): void {
    if (this.#bus === undefined) return;
    const published = this.#bus.publish(subject, event);
    // A subscriber that asks publishers to wait slows nothing down here: the journal is what counts.
    if (published instanceof Promise) this.#track(published);
  }

  async #stop(reason: RunStopping['reason']): Promise<void> {
    if (this.#state.status !== 'running' || this.#abort.signal.aborted) return;
    this.#abort.abort(new Error(`The run is stopping (${reason}).`));
    await this.#append({ type: 'runStopping', at: this.#clock.now(), reason });
  }

  async #end(status: EndStatus): Promise<void> {
    await this.#append({ type: 'runEnded', at: this.#clock.now(), status });
    await Promise.allSettled(this.#work);
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #skip(task: PlannedTask): Promise<void> {
    await this.#append({ type: 'taskSkipped', at: this.#clock.now(), task: task.id, reason: 'needFailed' });
    this.#busy.delete(task.number);
    this.#wake?.();
  }

  /** Finds a result for a task, by looking it up or by one attempt. */
  async #perform(task: PlannedTask): Promise<void> {
    const definition = this.workflow.tasks[task.number];
    if (definition === undefined) return;
    const before = this.#state.tasks.get(task.number).attempt;
    let release: (() => void) | undefined;
    let leftover = this.#leftovers.get(task.number);
    this.#leftovers.delete(task.number);
    try {
      const question = await this.#ask(definition);
      if (question === undefined) {
        await this.#append({ type: 'taskSkipped', at: this.#clock.now(), task: task.id, reason: 'condition' });
        return;
      }
      const key = await this.#results.key(this.#state, task, question);
      if (key !== undefined) {
        release = await this.#results.claim(key);
        const reused = await this.#results.reuse(task, key);
        if (reused !== undefined) {
          await this.#append({ type: 'taskReused', at: this.#clock.now(), task: task.id, ...reused });
          return;
        }
      }
      // Who can't take an attempt up again need not know what it was asked.
      const asked =
        this.#executor.adopt === undefined
          ? undefined
          : (key ?? (await this.#results.asked(this.#state, task, question)));
      const asking: Asking = { task, question, key, asked };
      if (leftover !== undefined && leftover.asked === asked) {
        const { attempt } = leftover;
        leftover = undefined;
        if (await this.#adopt(asking, attempt)) return;
      }
      await leftover?.end();
      leftover = undefined;
      if (!this.#abort.signal.aborted) await this.#attempt(asking);
    } catch (error) {
      if (isFatal(error)) throw error;
      await this.#fail(task, error instanceof Error ? error.message : String(error));
    } finally {
      await leftover?.end();
      release?.();
      if (this.#state.tasks.get(task.number).attempt === before) this.#busy.delete(task.number);
      this.#outputs.release(this.#state, task);
      this.#wake?.();
    }
  }

  /** The task with its expressions evaluated; undefined when its condition is false. */
  async #ask(definition: TaskDefinition): Promise<Question | undefined> {
    const templates = [definition.prompt, definition.with, ...definition.reads, ...definition.writes];
    if (definition.cwd !== undefined) templates.push(definition.cwd);
    const references = templates.flatMap((template) => template.references);
    references.push(...(definition.when?.references ?? []));
    const scope: Scope = await this.#outputs.scope(this.#state, this.#material.inputs, references);
    if (definition.when !== undefined && definition.when.evaluate(scope) !== true) return undefined;
    return askQuestion(this.workflow, definition, scope);
  }

  async #attempt(asking: Asking): Promise<void> {
    const { task, asked } = asking;
    const number = this.#state.tasks.get(task.number).attempt + 1;
    const request = await this.#request(asking, number);
    const about = { task: task.id, attempt: number };
    await this.#append({
      type: 'attemptStarted',
      at: this.#clock.now(),
      ...about,
      ...(asked === undefined ? {} : { asked }),
    });
    this.#busy.delete(task.number);
    const observer = this.#observer(task, (process) =>
      this.#append({ type: 'attemptSpawned', at: this.#clock.now(), ...about, process }),
    );
    await this.#settle(asking, request, await this.#executor.execute(request, observer, this.#abort.signal));
  }

  /** False when the attempt never came to run. */
  async #adopt(asking: Asking, number: number): Promise<boolean> {
    const { task } = asking;
    const request = await this.#request(asking, number);
    const observer = this.#observer(task, async (process) => {
      await this.#append({ type: 'attemptAdopted', at: this.#clock.now(), task: task.id, attempt: number, process });
      this.#busy.delete(task.number);
    });
    const outcome = await this.#executor.adopt?.(request, observer, this.#abort.signal);
    if (outcome === undefined) return false;
    // It ended without a verdict while nobody could see why: the machine went down, or its disk was full. It is made again.
    const isLost = outcome.status === 'failed' && (outcome.reason === 'crash' || outcome.reason === 'noResult');
    await this.#settle(asking, request, outcome, isLost ? this.#clock.now() : undefined);
    return true;
  }

  /** @param retryAt  of a failure that is no fault of the agent's: another try whatever the task says of them */
  async #settle(asking: Asking, { number, directory }: Attempt, outcome: Outcome, retryAt?: number): Promise<void> {
    const settled: Verdict = {};
    if (outcome.status === 'succeeded') {
      const accepted = await this.#results.accept(this.#state, asking.task, asking.question, asking.key, outcome);
      if (typeof accepted !== 'string') settled.result = accepted;
      else settled.failure = this.#failureOf(asking, { reason: 'badOutput', message: accepted, retryable: true });
    } else if (retryAt === undefined || this.#abort.signal.aborted) {
      settled.failure = this.#failureOf(asking, outcome);
    } else {
      settled.failure = { reason: outcome.reason, message: outcome.message, retryAt };
    }
    const { durationMs, usage, cost, sessionId } = outcome;
    await this.#append({
      type: 'attemptSettled',
      at: this.#clock.now(),
      ...{ task: asking.task.id, attempt: number, durationMs, usage, cost },
      ...(sessionId === undefined ? {} : { sessionId }),
      ...settled,
    });
    // Not before: a crash in between would have nothing to take up again.
    if (this.#executor.forget !== undefined) this.#track(this.#executor.forget({ directory }));
  }

  async #request(asking: Asking, number: number): Promise<Attempt> {
    const { id, directory } = this;
    return attemptOf({ id, directory, marker: this.#material.marker }, asking, number, await this.#needs(asking.task));
  }

  #observer(task: PlannedTask, onSpawned: AttemptObserver['onSpawned']): AttemptObserver {
    return { onSpawned, onEvent: (event) => this.#publish(`run.${this.id}.task.${task.id}.event`, event) };
  }

  async #needs(task: PlannedTask): Promise<JsonValue> {
    const needs: Record<string, JsonValue> = {};
    for (const number of task.needs) {
      const { id } = this.#state.plan.tasks[number] ?? { id: '' };
      needs[id] = await this.#outputs.of(this.#state, number);
    }
    return needs;
  }

  #failureOf({ task, question }: Asking, failed: Failed): Failure {
    const { tries } = this.#state.tasks.get(task.number);
    const isStopping = this.#abort.signal.aborted;
    return failureOf(failed, question.task.retry, { tries, isStopping, now: this.#clock.now(), random: this.#random });
  }

  /** Settles a task whose attempt could not be made, or could not be carried through. */
  async #fail(task: PlannedTask, message: string): Promise<void> {
    const { phase, attempt } = this.#state.tasks.get(task.number);
    const isRunning = phase === 'running';
    const about = { at: this.#clock.now(), task: task.id, attempt: isRunning ? attempt : attempt + 1 };
    const settled: AttemptSettled = {
      type: 'attemptSettled',
      ...about,
      durationMs: 0,
      usage: noUsage,
      cost: { usd: 0, basis: 'none' },
      failure: { reason: 'invalidRequest', message },
    };
    await this.#append(...(isRunning ? [settled] : [{ type: 'attemptStarted', ...about } as const, settled]));
    this.#busy.delete(task.number);
  }
}

interface Verdict {
  result?: StoredResult;
  failure?: Failure;
}
