/** What runs functions of modules inside a worker, thread or process: one at a time, each module imported once. */
import { isNativeError } from 'node:util/types';
import { reply, type ThrownValue } from './task-protocol.ts';

type TaskFunction = (argument: unknown, context: TaskContext) => unknown;

/** Tells the pool: slot, generation, one of `reply`, and a value; throws what can't be sent. */
export type Report = (slot: number, generation: number, kind: number, value: unknown) => void;

interface FunctionPlace {
  readonly module: string;
  readonly exportName: string;
  loaded?: TaskFunction;
}

class ModuleNotFound extends Error {}

/** What a function is given beside its argument. */
class TaskContext {
  readonly #slot: number;
  readonly #generation: number;
  readonly #report: Report;
  #abort: AbortController | undefined;

  constructor(slot: number, generation: number, report: Report) {
    this.#slot = slot;
    this.#generation = generation;
    this.#report = report;
  }

  /** Made on first use: most tasks never look at it. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  emit = (value: unknown): void => {
    this.#report(this.#slot, this.#generation, reply.emitted, value);
  };

  abortIf(slot: number, generation: number): void {
    if (slot !== this.#slot || generation !== this.#generation) return;
    this.#abort ??= new AbortController();
    this.#abort.abort();
  }
}

export interface TaskRunnerOptions {
  readonly report: Report;
  /** The memory that counts against `recycleAboveBytes`. */
  readonly memoryBytes: () => number;
  readonly recycleAboveBytes: number;
}

export class TaskRunner {
  readonly #options: TaskRunnerOptions;
  readonly #report: Report;
  readonly #functions: FunctionPlace[] = [];
  #running: TaskContext | undefined;
  /** `watched`: to be measured after each task. */
  #growth: 'unbounded' | 'watched' | 'reported';

  constructor(options: TaskRunnerOptions) {
    this.#options = options;
    this.#report = options.report;
    this.#growth = options.recycleAboveBytes === Infinity ? 'unbounded' : 'watched';
  }

  /** It holds more than it may, and has said so. */
  get hasGrown(): boolean {
    return this.#growth === 'reported';
  }

  define(id: number, module: string, exportName: string): void {
    this.#functions[id] = { module, exportName };
  }

  abortIf(slot: number, generation: number): void {
    this.#running?.abortIf(slot, generation);
  }

  /** Runs a task and reports how it ended; undefined when that was at once. */
  run(slot: number, generation: number, id: number, argument: unknown): Promise<void> | undefined {
    const context = new TaskContext(slot, generation, this.#report);
    this.#running = context;
    const place = this.#functions[id];
    if (place?.loaded === undefined) return this.#runAfterLoading(slot, generation, place, argument, context);
    try {
      const value = place.loaded(argument, context);
      if (isThenable(value)) return this.#finishLater(slot, generation, value);
      this.#finish(slot, generation, value);
    } catch (error) {
      this.#fail(slot, generation, error);
    }
    return undefined;
  }

  async #runAfterLoading(
    slot: number,
    generation: number,
    place: FunctionPlace | undefined,
    argument: unknown,
    context: TaskContext,
  ): Promise<void> {
    try {
      if (place === undefined) throw new Error('The pool sent a task for a function it had not named.');
      place.loaded ??= await load(place);
      this.#finish(slot, generation, await place.loaded(argument, context));
    } catch (error) {
      this.#fail(slot, generation, error);
    }
  }

  async #finishLater(slot: number, generation: number, value: PromiseLike<unknown>): Promise<void> {
    try {
      this.#finish(slot, generation, await value);
    } catch (error) {
      this.#fail(slot, generation, error);
    }
  }

  #finish(slot: number, generation: number, value: unknown): void {
    this.#running = undefined;
    if (this.#growth === 'watched') this.#measure(slot, generation);
    try {
      this.#report(slot, generation, reply.done, value);
    } catch (error) {
      this.#report(slot, generation, reply.notCloneable, isNativeError(error) ? error.message : String(error));
    }
  }

  #fail(slot: number, generation: number, error: unknown): void {
    this.#running = undefined;
    if (this.#growth === 'watched') this.#measure(slot, generation);
    if (error instanceof ModuleNotFound) {
      this.#report(slot, generation, reply.moduleNotFound, error.message);
      return;
    }
    try {
      this.#report(slot, generation, reply.failed, thrownValue(error));
    } catch {
      // Only a thrown value that is no Error may be unfit to travel; what it says of itself is.
      this.#report(slot, generation, reply.failed, { type: 'value', value: String(error) });
    }
  }

  /** Before the task's own report, so that the pool sends nothing more. */
  #measure(slot: number, generation: number): void {
    const bytes = this.#options.memoryBytes();
    if (bytes <= this.#options.recycleAboveBytes) return;
    this.#growth = 'reported';
    this.#report(slot, generation, reply.grown, bytes);
  }
}

async function load(place: FunctionPlace): Promise<TaskFunction> {
  let module: Readonly<Record<string, unknown>>;
  try {
    module = await import(place.module);
  } catch (cause) {
    const code = isNativeError(cause) && 'code' in cause ? cause.code : undefined;
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'ERR_UNSUPPORTED_DIR_IMPORT') throw cause;
    throw new ModuleNotFound(`${place.module} can't be imported: ${isNativeError(cause) ? cause.message : ''}`);
  }
  const loaded = module[place.exportName];
  if (isTaskFunction(loaded)) return loaded;
  const names = Object.keys(module).join(', ');
  throw new ModuleNotFound(
    `${place.module} has no exported function ${JSON.stringify(place.exportName)}; it exports ${names === '' ? 'nothing' : names}.`,
  );
}

function isTaskFunction(value: unknown): value is TaskFunction {
  return typeof value === 'function';
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

export function thrownValue(error: unknown): ThrownValue {
  if (!isNativeError(error) && !(error instanceof Error)) return { type: 'value', value: error };
  return {
    type: 'error',
    name: String(error.name),
    message: String(error.message),
    ...(typeof error.stack === 'string' && { stack: error.stack }),
    ...('code' in error && typeof error.code === 'string' && { code: error.code }),
  };
}
