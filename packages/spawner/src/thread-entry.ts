/** A pool's thread: takes tasks in the order they came, one at a time, and keeps every module it has imported. */
import { isNativeError } from 'node:util/types';
import { workerData } from 'node:worker_threads';
import {
  type FromThread,
  reply,
  sharedClock,
  slotState,
  slotWord,
  type ThreadStart,
  type ThrownValue,
  type ToThread,
  viewSharedSlots,
} from './thread-protocol.ts';

type TaskFunction = (argument: unknown, context: TaskContext) => unknown;

interface FunctionPlace {
  readonly module: string;
  readonly exportName: string;
  loaded?: TaskFunction;
}

class ModuleNotFound extends Error {}

class TaskContext {
  readonly #slot: number;
  readonly #generation: number;
  #abort: AbortController | undefined;

  constructor(slot: number, generation: number) {
    this.#slot = slot;
    this.#generation = generation;
  }

  /** Made on first use: most tasks never look at it. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  emit = (value: unknown): void => {
    post([this.#slot, this.#generation, reply.emitted, value]);
  };

  abortIf(slot: number, generation: number): void {
    if (slot !== this.#slot || generation !== this.#generation) return;
    this.#abort ??= new AbortController();
    this.#abort.abort();
  }
}

const { port, slots: shared }: ThreadStart = workerData;
const slots = viewSharedSlots(shared);
const nowMs = sharedClock();
const functions: FunctionPlace[] = [];
const queue: unknown[] = [];
let next = 0;
let running: TaskContext | undefined;
let state: 'waiting' | 'working' = 'waiting';

port.on('message', (message: ToThread) => {
  if (message.type === 'define') functions[message.id] = { module: message.module, exportName: message.exportName };
  else if (message.type === 'abort') running?.abortIf(message.slot, message.generation);
  else {
    for (const part of message.tasks) queue.push(part);
    if (state === 'waiting') void work();
  }
});
post('ready');

async function work(): Promise<void> {
  state = 'working';
  while (next < queue.length) {
    const [slot, generation, id, argument] = [queue[next], queue[next + 1], queue[next + 2], queue[next + 3]];
    next += 4;
    if (next === queue.length) {
      queue.length = 0;
      next = 0;
    }
    const step = runTask(Number(slot), Number(generation), Number(id), argument);
    // Awaiting what is no promise would cost every small task a turn of the microtask queue.
    if (step !== undefined) await step;
  }
  state = 'waiting';
}

function runTask(slot: number, generation: number, id: number, argument: unknown): Promise<void> | undefined {
  const sent = slotWord(generation, slotState.sent);
  slots.startedAtMs[slot] = nowMs();
  if (Atomics.compareExchange(slots.words, slot, sent, slotWord(generation, slotState.claimed)) !== sent) {
    return undefined;
  }
  running = new TaskContext(slot, generation);
  const place = functions[id];
  if (place?.loaded === undefined) return runAfterLoading(slot, generation, place, argument, running);
  try {
    const value = place.loaded(argument, running);
    if (isThenable(value)) return finishLater(slot, generation, value);
    finish(slot, generation, value);
  } catch (error) {
    fail(slot, generation, error);
  }
  return undefined;
}

async function runAfterLoading(
  slot: number,
  generation: number,
  place: FunctionPlace | undefined,
  argument: unknown,
  context: TaskContext,
): Promise<void> {
  try {
    if (place === undefined) throw new Error('The pool sent a task for a function it had not named.');
    place.loaded ??= await load(place);
    finish(slot, generation, await place.loaded(argument, context));
  } catch (error) {
    fail(slot, generation, error);
  }
}

async function finishLater(slot: number, generation: number, value: PromiseLike<unknown>): Promise<void> {
  try {
    finish(slot, generation, await value);
  } catch (error) {
    fail(slot, generation, error);
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

function finish(slot: number, generation: number, value: unknown): void {
  running = undefined;
  try {
    post([slot, generation, reply.done, value]);
  } catch (error) {
    post([slot, generation, reply.notCloneable, isNativeError(error) ? error.message : String(error)]);
  }
}

function fail(slot: number, generation: number, error: unknown): void {
  running = undefined;
  if (error instanceof ModuleNotFound) {
    post([slot, generation, reply.moduleNotFound, error.message]);
    return;
  }
  const thrown = thrownValue(error);
  try {
    post([slot, generation, reply.failed, thrown]);
  } catch {
    // Only a thrown value that is no Error may be unfit to travel; what it says of itself is.
    post([slot, generation, reply.failed, { type: 'value', value: String(error) }]);
  }
}

function thrownValue(error: unknown): ThrownValue {
  if (!isNativeError(error) && !(error instanceof Error)) return { type: 'value', value: error };
  return {
    type: 'error',
    name: String(error.name),
    message: String(error.message),
    ...(typeof error.stack === 'string' && { stack: error.stack }),
    ...('code' in error && typeof error.code === 'string' && { code: error.code }),
  };
}

function post(message: FromThread): void {
  port.postMessage(message);
}
