/**
 * A function of the user's own, in a worker thread. It has no process, so it is no `Adapter`: the value it returns is the
 * output, what it throws is the failure, and what it emits are events.
 */
import { ThreadError, type ThreadPool } from '@cadre/spawner';
import type { AgentTask, ModuleAgentDefinition } from '../definition.ts';
import type { AgentEvent, FailureReason, JsonValue } from '../event.ts';
import { fieldsOf } from '../fields.ts';
import { type Failure, failure, type Outcome, outcomeOf } from '../outcome.ts';
import { ownEventOf, statedFailureOf } from '../own-event.ts';
import type { PriceBook } from '../price.ts';
import { refuseSessionId } from '../task-text.ts';
import { TextTail } from '../text-tail.ts';
import { type Cost, noCost, noUsage, type TokenUsage } from '../usage.ts';

/** What the module's function is called with. */
export interface ModuleTask {
  readonly prompt: string;
  readonly input: JsonValue;
  readonly cwd: string;
}

/** The function itself: `export default async function (task, context) { … }`. */
export type ModuleAgent = (
  task: ModuleTask,
  context: { emit(event: ModuleEvent): void; readonly signal: AbortSignal },
) => JsonValue | Promise<JsonValue>;

/**
 * What a module may emit: the same as a line of the `jsonl` protocol, without `result`. An `error` says why the function is
 * about to throw, where a message alone would not do.
 */
export type ModuleEvent =
  | { readonly type: 'text' | 'thinking'; readonly text: string }
  | { readonly type: 'progress'; readonly done: number; readonly total?: number; readonly message?: string }
  | { readonly type: 'warning'; readonly message: string }
  | {
      readonly type: 'tool';
      readonly id: string;
      readonly name?: string;
      readonly status: 'started' | 'ended';
      readonly input?: JsonValue;
      readonly failed?: boolean;
      readonly output?: string;
    }
  | {
      readonly type: 'error';
      readonly message: string;
      readonly reason?: FailureReason;
      readonly retryable?: boolean;
      readonly retryAtMs?: number;
    }
  | ({ readonly type: 'usage'; readonly model?: string; readonly costUsd?: number } & Partial<TokenUsage>);

export interface ModuleRun {
  readonly threads: ThreadPool;
  readonly signal: AbortSignal | undefined;
  readonly maxOutputBytes: number;
  readonly prices: PriceBook;
  readonly onEvent: (event: AgentEvent) => void;
}

export async function runModule(agent: ModuleAgentDefinition, task: AgentTask, run: ModuleRun): Promise<Outcome> {
  refuseSessionId(task, 'module', 'give it what was said before as its input');
  const startedAt = performance.now();
  let bill: { usage: TokenUsage; cost: Cost } = { usage: noUsage, cost: noCost };
  let stated: Failure | undefined;
  const said = new TextTail();
  const silence = watchSilence(task.idleTimeoutMs);
  const stop = joinSignals(run.signal, silence.signal);
  const onMessage = (value: unknown) => {
    silence.restart();
    if (fieldsOf(value).type === 'error') {
      stated = statedFailureOf(fieldsOf(value));
      return;
    }
    const event = ownEventOf(value, run.prices);
    if (typeof event === 'string') {
      run.onEvent({ type: 'warning', message: `An emitted event was ignored: ${event}.` });
      return;
    }
    if (event.type === 'text') said.push(event.text);
    if (event.type === 'usage') bill = { usage: event.usage, cost: event.cost ?? noCost };
    run.onEvent(event);
  };
  const finish = (output: JsonValue, verdict: Failure | undefined) =>
    outcomeOf(
      {
        text: typeof output === 'string' ? output : said.text(),
        output,
        ...bill,
        durationMs: performance.now() - startedAt,
        warnings: [],
      },
      verdict,
    );
  try {
    const argument: ModuleTask = { prompt: task.prompt, input: task.input ?? null, cwd: task.cwd };
    const value = await run.threads.run<unknown>({
      module: agent.module,
      ...(agent.export === undefined ? {} : { exportName: agent.export }),
      argument,
      onMessage,
      signal: stop.signal,
      ...(task.timeoutMs === undefined || task.timeoutMs === Infinity ? {} : { timeoutMs: task.timeoutMs }),
    });
    const read = jsonValueOf(value, run.maxOutputBytes);
    return 'failure' in read ? finish(null, read.failure) : finish(read.output, undefined);
  } catch (error) {
    if (error instanceof ThreadError && error.code === 'THREAD_CALLBACK_FAILED') throw error.cause;
    if (run.signal?.aborted === true) return finish(null, failure('cancelled', 'The agent was cancelled.'));
    if (silence.signal.aborted) return finish(null, failure('idle', silentTooLong));
    return finish(null, verdictOf(error, agent, stated));
  } finally {
    silence.close();
    stop.close();
  }
}

/** A value that crossed the thread boundary may hold dates, maps or nothing at all: only what JSON can say goes on. */
function jsonValueOf(value: unknown, maxBytes: number): { output: JsonValue } | { failure: Failure } {
  if (value === undefined) return { output: null };
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      failure: failure('badOutput', `The module's result can't be written as JSON: ${why}.`, { retryable: false }),
    };
  }
  if (text === undefined) {
    const message = `The module's result is a ${typeof value}, which JSON can't say.`;
    return { failure: failure('badOutput', message, { retryable: false }) };
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > maxBytes) {
    const message = `The module's result is ${bytes} bytes, over maxOutputBytes (${maxBytes}); return less or write a file.`;
    return { failure: failure('badOutput', message, { retryable: false }) };
  }
  const output: JsonValue = JSON.parse(text);
  return { output };
}

const silentTooLong =
  'The module was ended because it had emitted nothing for its idle time limit; emit progress or raise it.';

function verdictOf(error: unknown, agent: ModuleAgentDefinition, stated: Failure | undefined): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof ThreadError ? error.code : undefined;
  switch (code) {
    case 'THREAD_TIMEOUT':
      return failure('timeout', `${message} Raise the timeout or split the task.`);
    case 'THREAD_CRASHED':
      return failure('crash', message);
    case 'THREAD_MODULE_NOT_FOUND':
      return failure('programNotFound', `${message} Correct \`module\` (${agent.module}).`);
    case 'THREAD_NOT_CLONEABLE':
      return failure('badOutput', message, { retryable: false });
    case 'THREAD_POOL_CLOSED':
      return failure('cancelled', message);
    case 'THREAD_POOL_FULL':
      return failure('overloaded', message);
    case 'THREAD_TASK_FAILED':
      return (
        stated ?? failure('failed', `The module threw: ${error instanceof ThreadError ? causeOf(error) : message}`)
      );
    default:
      throw error;
  }
}

function causeOf(error: ThreadError): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** Counts from the first event on: when a shared pool begins the task is not known before. */
function watchSilence(idleTimeoutMs: number | undefined) {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const restart = () => {
    clearTimeout(timer);
    if (idleTimeoutMs === undefined || idleTimeoutMs === Infinity) return;
    timer = setTimeout(() => controller.abort(), Math.min(idleTimeoutMs, longestTimer));
  };
  return { signal: controller.signal, restart, close: () => clearTimeout(timer) };
}

/** `setTimeout` takes no more than this, about 25 days. */
const longestTimer = 2 ** 31 - 1;

/** As `AbortSignal.any`, but it holds nothing of a long-lived signal once closed. */
function joinSignals(first: AbortSignal | undefined, second: AbortSignal) {
  const controller = new AbortController();
  const abort = () => controller.abort();
  if (first?.aborted === true || second.aborted) abort();
  first?.addEventListener('abort', abort, { once: true });
  second.addEventListener('abort', abort, { once: true });
  const close = () => {
    first?.removeEventListener('abort', abort);
    second.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, close };
}
