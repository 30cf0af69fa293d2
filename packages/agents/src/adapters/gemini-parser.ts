/** What Gemini CLI prints, and what its exit codes mean. */
import type { Parser } from '../adapter.ts';
import type { AgentTask, GeminiAgentDefinition } from '../definition.ts';
import type { AgentEvent, FailureReason } from '../event.ts';
import { countOf, type Fields, fieldsOf, given, isFields, jsonOf, sessionIdOf, textOf } from '../fields.ts';
import {
  type AttemptExit,
  type Failure,
  failure,
  failureWithoutResult,
  lastWords,
  type Outcome,
  reasonOfStatus,
} from '../outcome.ts';
import { parsedOutcome, statedFailure, toolEnded } from '../parsed-outcome.ts';
import type { PriceBook } from '../price.ts';
import { UnknownKinds } from '../unknown-kinds.ts';
import { addUsage, type Cost, noUsage, type TokenUsage } from '../usage.ts';

export class GeminiParser implements Parser {
  state: Parser['state'] = 'running';
  readonly #task: AgentTask;
  readonly #prices: PriceBook;
  readonly #toolNames = new Map<string, string>();
  readonly #unknown = new UnknownKinds();
  #sessionId: string | undefined;
  #model: string | undefined;
  /** What was said since the last tool: the answer, once it ends. */
  #text: string[] = [];
  #lastRetry: FailureReason | undefined;
  #result: Fields | undefined;

  constructor(definition: GeminiAgentDefinition, task: AgentTask, prices: PriceBook) {
    this.#task = task;
    this.#prices = prices;
    this.#model = definition.model;
  }

  read(value: unknown): readonly AgentEvent[] {
    const line = fieldsOf(value);
    switch (line.type) {
      case 'init':
        this.#sessionId = sessionIdOf(line.session_id) ?? this.#sessionId;
        this.#model = textOf(line.model) ?? this.#model;
        return [{ type: 'started', ...given({ sessionId: this.#sessionId, model: this.#model }) }];
      case 'message':
        return this.#message(line);
      case 'tool_use':
        return this.#toolUse(line);
      case 'tool_result':
        return this.#toolResult(line);
      case 'error':
        return [{ type: 'warning', message: textOf(line.message) ?? 'an error without a message' }];
      case 'result': {
        this.state = 'finished';
        this.#result = line;
        return [{ type: 'usage', ...this.#bill() }];
      }
      default:
        return [this.#unknown.meet(textOf(line.type) ?? 'without a type', value)];
    }
  }

  readStderr(line: string): readonly AgentEvent[] {
    const retry = /^Attempt (\d+) failed(?: with status (\d+))?\. Retrying with backoff/.exec(line);
    if (retry === null) return [];
    // Without a status it could not be reached.
    const reason = retry[2] === undefined ? 'overloaded' : reasonOfStatus(Number(retry[2]));
    this.#lastRetry = reason;
    const message = line.slice(0, 300);
    return [{ type: 'retrying', attempt: Number(retry[1]), reason, message }];
  }

  end(exit: AttemptExit): Outcome {
    return parsedOutcome(this.#task, exit, {
      ...{ text: this.#text.join(''), sessionId: this.#sessionId, model: this.#model },
      ...{ ...this.#bill(), unknown: this.#unknown, verdict: this.#verdict(exit) },
    });
  }

  #message(line: Fields): readonly AgentEvent[] {
    const text = textOf(line.content);
    if (line.role !== 'assistant' || text === undefined || text === '') return [];
    if (line.delta !== true) this.#text = [];
    this.#text.push(text);
    return [{ type: 'text', text }];
  }

  #toolUse(line: Fields): readonly AgentEvent[] {
    const id = textOf(line.tool_id);
    if (id === undefined) return [];
    const name = textOf(line.tool_name) ?? 'unknown';
    this.#text = [];
    this.#toolNames.set(id, name);
    return [{ type: 'toolStarted', id, name, ...given({ input: jsonOf(line.parameters) }) }];
  }

  #toolResult(line: Fields): readonly AgentEvent[] {
    const id = textOf(line.tool_id);
    if (id === undefined) return [];
    const name = this.#toolNames.get(id);
    this.#toolNames.delete(id);
    const error = fieldsOf(line.error);
    const said = textOf(line.output) ?? textOf(error.message);
    const events: AgentEvent[] = [];
    // In its default mode a tool that would have to be asked for is not there at all.
    if (error.type === 'tool_not_registered' || /denied|policy/i.test(textOf(error.type) ?? '')) {
      events.push({ type: 'permissionAsked', tool: name ?? 'unknown', denied: true, ...given({ message: said }) });
    }
    events.push(toolEnded(id, name, { failed: line.status !== 'success', said }));
    return events;
  }

  #verdict(exit: AttemptExit): Failure | undefined {
    if (this.#result === undefined) return this.#withoutResult(exit);
    if (this.#result.status === 'success') return undefined;
    const error = fieldsOf(this.#result.error);
    const message = textOf(error.message) ?? 'no message';
    if (/TurnLimit/.test(textOf(error.type) ?? '') || exit.exitCode === turnLimitExit) return turnLimit(message);
    const status = Number(/"code":\s*(\d{3})\b/.exec(message)?.[1] ?? Number.NaN);
    // An API error makes it exit with the status modulo 256, which is a sign where the message has none.
    const known = Number.isNaN(status) ? [400, 401, 403, 404, 429, 500, 503].find(isExitOf(exit)) : status;
    const reason = known === undefined ? 'failed' : reasonOfStatus(known);
    return statedFailure(reason, message, 'Log in with `gemini` or set GEMINI_API_KEY');
  }

  #withoutResult(exit: AttemptExit): Failure {
    const general = failureWithoutResult(exit, '`result` line');
    if (general.reason !== 'crash') return general;
    const said = lastWords(exit.stderr);
    switch (exit.exitCode) {
      case 41:
        return failure('authentication', `The agent could not log in${said}. Run \`gemini\`, or set GEMINI_API_KEY.`);
      case 42:
      case 52:
        return failure('invalidRequest', `The agent refused to start${said}.`);
      case turnLimitExit:
        return turnLimit(exit.stderr.trim().slice(-500));
      case 55:
        return failure('invalidRequest', `The agent refused to start${said}. Trust the folder or set trustFolder.`);
      case 130:
        return failure('cancelled', 'The agent was interrupted from outside.');
    }
    if (this.#lastRetry === undefined) return general;
    return failure(this.#lastRetry, `The agent ended while it retried${said}.`);
  }

  #bill(): { readonly usage: TokenUsage; readonly cost: Cost } {
    const stats = fieldsOf(this.#result?.stats);
    if (!isFields(this.#result?.stats)) return { usage: noUsage, cost: { usd: 0, basis: 'unpriced' } };
    let usage = noUsage;
    let usd = 0;
    let basis: Cost['basis'] = 'list';
    const models = isFields(stats.models) ? Object.entries(stats.models) : [[this.#model ?? '', stats] as const];
    for (const [model, spent] of models) {
      const part = usageOf(fieldsOf(spent));
      const price = this.#prices.ofSum(part, model, 'google');
      if (price === undefined) basis = 'unpriced';
      usage = addUsage(usage, part);
      usd += price ?? 0;
    }
    return { usage, cost: { usd, basis } };
  }
}

const turnLimitExit = 53;

function turnLimit(message: string): Failure {
  return failure('turns', `The agent used up its turns: ${message}. Raise maxTurns or split the task.`);
}

function isExitOf(exit: AttemptExit): (status: number) => boolean {
  return (status) => exit.exitCode === status % 256;
}

/** Its `output_tokens` leave out thinking; what the total has beyond the input is all of the output. */
function usageOf(stats: Fields): TokenUsage {
  const inputTokens = countOf(stats.input_tokens);
  const outputTokens = Math.max(countOf(stats.output_tokens), countOf(stats.total_tokens) - inputTokens);
  return {
    inputTokens,
    cachedInputTokens: Math.min(inputTokens, countOf(stats.cached)),
    cacheWriteInputTokens: 0,
    outputTokens,
    reasoningOutputTokens: outputTokens - countOf(stats.output_tokens),
  };
}
