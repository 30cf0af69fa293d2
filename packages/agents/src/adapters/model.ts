/**
 * A provider's API, called directly. It has no process, so it is no `Adapter`. What the provider calls worth another try is
 * tried again when it says so; a stream that was cut off after it began is not, since that would be paid for twice in
 * silence: the attempt fails as retryable.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { AgentTask, ModelAgentDefinition } from '../definition.ts';
import type { JsonValue } from '../event.ts';
import { fieldsOf, isFields, listOf, textOf } from '../fields.ts';
import { accountOf } from '../model/account.ts';
import { anthropic } from '../model/anthropic.ts';
import { post } from '../model/connection.ts';
import { openEventStream } from '../model/event-stream.ts';
import { gemini } from '../model/gemini.ts';
import { openai } from '../model/openai.ts';
import type { ModelAnswer, ModelMessage, ModelQuestion, Piece, Provider } from '../model/provider.ts';
import { openTextRedactor } from '../model/text-redactor.ts';
import { type Failure, failure, type Outcome, outcomeOf, reasonOfStatus } from '../outcome.ts';
import { durationMs, retryHintMs, shouldRetry } from '../retry-hint.ts';
import type { RunSettings } from '../run-options.ts';
import { promptWithInput, promptWithSchema, refuseSessionId, structuredOutput } from '../task-text.ts';
import { type Cost, noUsage } from '../usage.ts';

const providers: Readonly<Record<ModelAgentDefinition['provider'], Provider>> = { anthropic, openai, gemini };
const priceNames = { anthropic: 'anthropic', openai: 'openai', gemini: 'google' };

/** @param earlier what was said before in the same session */
export async function runModel(
  agent: ModelAgentDefinition,
  task: AgentTask,
  run: RunSettings,
  earlier: readonly ModelMessage[] = [],
): Promise<Outcome> {
  const startedAt = performance.now();
  const provider = providers[agent.provider];
  if (provider === undefined) throw new TypeError(`Expected \`provider\` to be anthropic, openai or gemini.`);
  const { maxRetries = 3, maxRetryWaitMs = 60_000, environmentPrefix = provider.prefix } = agent;
  if (!/^[A-Z][A-Z0-9_]{0,63}$/.test(environmentPrefix)) {
    throw new TypeError(
      `Expected \`environmentPrefix\` to be capital letters, digits and _, got ${JSON.stringify(environmentPrefix)}.`,
    );
  }
  refuseSessionId(task, 'model', 'open one with `openAgentSession`');
  const call = new ModelCall(provider, questionOf(agent, task, earlier), run, task);
  const finish = (verdict: Failure | undefined) => {
    const { answer, text, value } = call;
    const structured = verdict === undefined ? structuredOutput(task, answerIn(value), text) : { output: null };
    const usage = answer.usage ?? noUsage;
    const name = environmentPrefix === provider.prefix ? priceNames[agent.provider] : environmentPrefix.toLowerCase();
    const usd = answer.usage === undefined ? undefined : run.prices.ofRequest(usage, agent.model, name);
    // Where nothing was answered nothing was charged; where it broke off, nobody says what was.
    const isFree = answer.usage === undefined && !call.began;
    const cost: Cost = usd !== undefined ? { usd, basis: 'list' } : { usd: 0, basis: isFree ? 'none' : 'unpriced' };
    const durationMs = performance.now() - startedAt;
    const base = {
      text,
      output: structured.output,
      usage,
      cost,
      durationMs,
      warnings: [],
      model: answer.model ?? agent.model,
    };
    if (answer.usage !== undefined) run.onEvent({ type: 'usage', usage, cost });
    return outcomeOf(base, verdict ?? structured.failure);
  };
  const account = accountOf(provider, environmentPrefix, run.inheritFrom);
  if ('reason' in account) return finish(account);
  run.onEvent({ type: 'started', model: agent.model });
  try {
    for (let attempt = 1; ; attempt += 1) {
      const refusal = await call.ask(account);
      if (refusal === undefined) return finish(undefined);
      const { verdict, waitMs } = refusal;
      const pauseMs = waitMs ?? backOffMs(attempt);
      if (!verdict.retryable || call.began || attempt > maxRetries || pauseMs > maxRetryWaitMs) {
        return finish(waitMs === undefined ? verdict : { ...verdict, retryAtMs: Date.now() + waitMs });
      }
      const { reason, message } = verdict;
      run.onEvent({ type: 'retrying', attempt, maxAttempts: maxRetries, delayMs: pauseMs, reason, message });
      await delay(pauseMs, undefined, { signal: call.signal });
    }
  } catch (error) {
    const ending = call.endedBy(error);
    if (ending === undefined) throw error;
    return finish(ending);
  } finally {
    call.close();
  }
}

interface Refusal {
  readonly verdict: Failure;
  /** What the provider asks for. */
  readonly waitMs?: number | undefined;
}

/** The tries of one question, and what came of them. */
class ModelCall {
  answer: ModelAnswer = nothingYet();
  text = '';
  value = '';
  /** Whether anything of an answer came: from then on it may be charged. */
  began = false;
  readonly signal: AbortSignal;
  readonly #provider: Provider;
  readonly #question: ModelQuestion;
  readonly #run: RunSettings;
  readonly #stop = new AbortController();
  readonly #task: AgentTask;
  readonly #onAbort = () => this.#end('cancelled');
  /** The caller's own `onEvent` threw: that is no matter of the network. */
  #hostFailed = false;
  #ending: 'cancelled' | 'timeout' | 'idle' | undefined;
  #timer: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(provider: Provider, question: ModelQuestion, run: RunSettings, task: AgentTask) {
    this.#provider = provider;
    this.#question = question;
    this.#run = run;
    this.#task = task;
    this.signal = this.#stop.signal;
    run.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (run.signal?.aborted === true) this.#onAbort();
    this.#timer = timerFor(task.timeoutMs, () => this.#end('timeout'));
    this.#listenAgain();
  }

  /** One try. Resolves to why it failed, or to nothing once the answer is whole. */
  async ask({ key, baseUrl }: { readonly key: string; readonly baseUrl: string }): Promise<Refusal | undefined> {
    const provider = this.#provider;
    const url = new URL(`${baseUrl}${provider.path(this.#question)}`);
    let response: Awaited<ReturnType<typeof post>>;
    try {
      response = await post(url, provider.headers(key), provider.body(this.#question), this.signal);
    } catch (error) {
      if (this.signal.aborted) throw error;
      return { verdict: unreachable(url, error) };
    }
    this.#listenAgain();
    const status = response.statusCode ?? 0;
    try {
      if (status !== 200) return refusalOf(status, response.headers, await this.#bodyOf(response));
      return await this.#listen(response);
    } catch (error) {
      if (this.signal.aborted || this.#hostFailed) throw error;
      const why = error instanceof Error ? error.message : String(error);
      return { verdict: failure('overloaded', `The model API cut its answer off: ${why}.`) };
    } finally {
      // Read to its end the connection goes back to the pool; else it is of no use any more.
      if (!response.complete) response.destroy();
    }
  }

  /** The verdict when an error is our own ending of the call; undefined when it is a real one. */
  endedBy(error: unknown): Failure | undefined {
    if (this.#hostFailed) throw error;
    switch (this.#ending) {
      case 'cancelled':
        return failure('cancelled', 'The agent was cancelled.');
      case 'timeout':
        return failure('timeout', 'The model did not answer within the time limit; raise the timeout.');
      case 'idle':
        return failure('idle', 'The model API was silent for longer than the idle time limit; raise it.');
      default:
        return undefined;
    }
  }

  close(): void {
    this.#run.signal?.removeEventListener('abort', this.#onAbort);
    clearTimeout(this.#timer);
    clearTimeout(this.#idleTimer);
  }

  async #listen(response: AsyncIterable<Uint8Array>): Promise<Refusal | undefined> {
    const stream = openEventStream();
    const redactors = {
      text: openTextRedactor(this.#run.openRedactor),
      thinking: openTextRedactor(this.#run.openRedactor),
    };
    let bytes = 0;
    for await (const chunk of response) {
      this.#listenAgain();
      bytes += chunk.length;
      if (bytes > this.#run.maxOutputBytes) {
        const message = `The answer is over maxOutputBytes (${this.#run.maxOutputBytes}); ask for less or raise it.`;
        return { verdict: failure('badOutput', message, { retryable: false }) };
      }
      for (const event of stream.push(chunk)) this.#take(event, redactors);
    }
    for (const event of stream.end()) this.#take(event, redactors);
    this.#say({ type: 'text', text: redactors.text.end() });
    this.#say({ type: 'thinking', text: redactors.thinking.end() });
    return this.#verdict();
  }

  #take(
    event: ReturnType<typeof fieldsOf>,
    redactors: Readonly<Record<'text' | 'thinking', ReturnType<typeof openTextRedactor>>>,
  ): void {
    this.began = true;
    for (const piece of this.#provider.read(event, this.answer)) {
      if (piece.type === 'value') this.value += piece.text;
      else this.#say({ type: piece.type, text: redactors[piece.type].push(piece.text) });
    }
  }

  #say({ type, text }: Piece): void {
    if (text === '' || type === 'value') return;
    if (type === 'text') this.text += text;
    try {
      this.#run.onEvent({ type, text });
    } catch (error) {
      this.#hostFailed = true;
      throw error;
    }
  }

  #verdict(): Refusal | undefined {
    const { error, finish } = this.answer;
    if (error !== undefined) {
      const reason = error.status === undefined ? 'overloaded' : reasonOfStatus(error.status);
      return { verdict: failure(reason, `The model API broke off: ${error.message}.`) };
    }
    switch (finish) {
      case 'stop':
        return undefined;
      case 'length': {
        const message = `The answer is longer than maxOutputTokens (${this.#question.maxOutputTokens}); ask for less or raise it.`;
        return { verdict: failure('badOutput', message, { retryable: false }) };
      }
      case 'refused':
        return { verdict: failure('failed', 'The model refused to answer.', { retryable: false }) };
      default:
        return { verdict: failure('noResult', 'The answer ended without being complete.') };
    }
  }

  async #bodyOf(response: AsyncIterable<Uint8Array>): Promise<string> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response) {
      bytes += chunk.length;
      if (bytes > longestErrorBody) break;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString();
  }

  #end(cause: 'cancelled' | 'timeout' | 'idle'): void {
    this.#ending ??= cause;
    this.#stop.abort();
  }

  #listenAgain(): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = timerFor(this.#task.idleTimeoutMs, () => this.#end('idle'));
  }
}

const longestErrorBody = 65_536;
const longestTimer = 2 ** 31 - 1;

function timerFor(limitMs: number | undefined, act: () => void): NodeJS.Timeout | undefined {
  return limitMs === undefined || limitMs > longestTimer ? undefined : setTimeout(act, limitMs);
}

function nothingYet(): ModelAnswer {
  return { id: undefined, model: undefined, usage: undefined, finish: undefined, error: undefined };
}

function questionOf(agent: ModelAgentDefinition, task: AgentTask, earlier: readonly ModelMessage[]): ModelQuestion {
  // Anthropic has the schema as a tool that must be called; elsewhere the words help a provider that ignores the format.
  const isForced = agent.provider === 'anthropic' && agent.effort === undefined;
  const text = isForced ? promptWithInput(task) : promptWithSchema(task);
  const { model, effort, maxOutputTokens = 8192, systemPrompt } = agent;
  const messages: readonly ModelMessage[] = [...earlier, { role: 'user', text }];
  return { model, messages, system: systemPrompt, effort, maxOutputTokens, schema: task.outputSchema };
}

/** The JSON of a structured answer; what does not parse is left to be judged as text. */
function answerIn(text: string): JsonValue | undefined {
  if (text === '') return undefined;
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch {
    // Cut off: the missing end of the answer has been seen already, and an empty text fails as no JSON.
    return undefined;
  }
}

function unreachable(url: URL, error: unknown): Failure {
  const why = error instanceof Error ? error.message : String(error);
  return failure('overloaded', `The model API at ${url.origin} could not be reached: ${why}.`);
}

function refusalOf(
  status: number,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: string,
): Refusal {
  const header = (name: string) => textOf(headers[name]);
  const error = errorIn(body);
  const message = textOf(error.message) ?? body.trim().slice(0, 500);
  const isSpent = /insufficient_quota|billing/i.test(`${String(error.code)} ${String(error.type)}`);
  const reason = isSpent ? 'budget' : reasonOfStatus(status);
  const retryable = isSpent
    ? false
    : (shouldRetry(header) ?? (status === 408 || status === 409 || status === 429 || status >= 500));
  const advice = reason === 'authentication' ? ' Check the key in the environment.' : '';
  const verdict = failure(reason, `The model API answered ${status}: ${message}.${advice}`, { retryable });
  return { verdict, waitMs: retryable ? (retryHintMs(header, Date.now()) ?? retryInfoMs(error)) : undefined };
}

function errorIn(body: string): ReturnType<typeof fieldsOf> {
  try {
    const value: unknown = JSON.parse(body);
    const first = Array.isArray(value) ? value[0] : value;
    const { error } = fieldsOf(first);
    return isFields(error) ? error : fieldsOf(first);
  } catch {
    // A page of a proxy in between: its text is the message.
    return {};
  }
}

/** Google says it in the body. */
function retryInfoMs(error: ReturnType<typeof fieldsOf>): number | undefined {
  const info = listOf(error.details)
    .map(fieldsOf)
    .find((detail) => typeof detail.retryDelay === 'string');
  return durationMs(textOf(info?.retryDelay) ?? '');
}

/** Half a second doubling to eight, less up to a quarter, so that a fleet does not come back as one. */
function backOffMs(attempt: number): number {
  return Math.min(500 * 2 ** (attempt - 1), 8000) * (1 - Math.random() * 0.25);
}
