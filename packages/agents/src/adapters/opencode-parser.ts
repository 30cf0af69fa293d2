/** What OpenCode prints, and what its errors mean. */
import type { Parser } from '../adapter.ts';
import type { AgentTask, OpencodeAgentDefinition } from '../definition.ts';
import type { AgentEvent } from '../event.ts';
import { countOf, type Fields, fieldsOf, given, jsonOf, numberOf, sessionIdOf, textOf } from '../fields.ts';
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
import { retryHintMs } from '../retry-hint.ts';
import { UnknownKinds } from '../unknown-kinds.ts';
import { addUsage, type Cost, noUsage, type TokenUsage } from '../usage.ts';

export class OpencodeParser implements Parser {
  state: Parser['state'] = 'running';
  readonly #task: AgentTask;
  readonly #prices: PriceBook;
  readonly #model: string | undefined;
  readonly #unknown = new UnknownKinds();
  #sessionId: string | undefined;
  #started = false;
  #text: string[] = [];
  #usage: TokenUsage = noUsage;
  #cost: Cost = { usd: 0, basis: 'unpriced' };
  #steps = 0;
  #error: Failure | undefined;
  #refusedTool: string | undefined;

  constructor(definition: OpencodeAgentDefinition, task: AgentTask, prices: PriceBook) {
    this.#task = task;
    this.#prices = prices;
    this.#model = definition.model;
  }

  read(value: unknown): readonly AgentEvent[] {
    const line = fieldsOf(value);
    const events: AgentEvent[] = [];
    this.#sessionId = sessionIdOf(line.sessionID) ?? this.#sessionId;
    if (!this.#started && this.#sessionId !== undefined) {
      this.#started = true;
      events.push({ type: 'started', ...given({ sessionId: this.#sessionId, model: this.#model }) });
    }
    const part = fieldsOf(line.part);
    const text = textOf(part.text);
    switch (line.type) {
      case 'step_start':
        this.#text = [];
        break;
      case 'text':
        if (text !== undefined) {
          this.#text.push(text);
          events.push({ type: 'text', text });
        }
        break;
      case 'reasoning':
        if (text !== undefined) events.push({ type: 'thinking', text });
        break;
      case 'tool_use':
        events.push(...this.#tool(part));
        break;
      case 'step_finish':
        events.push(this.#step(part));
        break;
      case 'error':
        this.state = 'finished';
        this.#error = failureOf(fieldsOf(line.error), numberOf(line.timestamp));
        break;
      default:
        events.push(this.#unknown.meet(textOf(line.type) ?? 'without a type', value));
    }
    return events;
  }

  readStderr(line: string): readonly AgentEvent[] {
    const asked = /permission requested: (.+?)(?:; auto-rejecting|$)/.exec(line);
    if (asked === null) return [];
    this.#refusedTool = asked[1]?.trim() ?? 'unknown';
    return [{ type: 'permissionAsked', tool: this.#refusedTool.slice(0, 200), denied: true }];
  }

  end(exit: AttemptExit): Outcome {
    return parsedOutcome(this.#task, exit, {
      ...{ text: this.#text.join('\n'), sessionId: this.#sessionId, model: this.#model },
      ...{ usage: this.#usage, cost: this.#cost, unknown: this.#unknown, verdict: this.#verdict(exit) },
    });
  }

  /** Only the final state of a tool is printed: both events are given then. */
  #tool(part: Fields): readonly AgentEvent[] {
    const id = textOf(part.callID);
    if (id === undefined) return [];
    const state = fieldsOf(part.state);
    const input = jsonOf(state.input);
    // A tool that the model was not given comes under this name, with the wanted one in its input.
    const isInvalid = part.tool === 'invalid';
    const name = (isInvalid ? textOf(fieldsOf(state.input).tool) : textOf(part.tool)) ?? 'unknown';
    const failed = isInvalid || state.status === 'error';
    const said = textOf(state.output) ?? textOf(state.error);
    const events: AgentEvent[] = [{ type: 'toolStarted', id, name, ...given({ input }) }];
    if (isInvalid || /permission|rejected/i.test(textOf(state.error) ?? '')) {
      events.push({ type: 'permissionAsked', tool: name, denied: true, ...given({ message: said }) });
    }
    events.push(toolEnded(id, name, { failed, said }));
    return events;
  }

  #step(part: Fields): AgentEvent {
    const usage = usageOf(fieldsOf(part.tokens));
    this.#usage = addUsage(this.#usage, usage);
    const { usd, basis } = this.#priceOf(usage, numberOf(part.cost));
    const isPriced = basis !== 'unpriced' && (this.#steps === 0 || this.#cost.basis !== 'unpriced');
    const isReported = basis === 'reported' && (this.#steps === 0 || this.#cost.basis === 'reported');
    this.#cost = { usd: this.#cost.usd + usd, basis: !isPriced ? 'unpriced' : isReported ? 'reported' : 'list' };
    this.#steps += 1;
    if (part.reason !== 'tool-calls') this.state = 'finished';
    return { type: 'usage', usage: this.#usage, cost: this.#cost };
  }

  /** It counts 0 for a model that it has no price of: then ours, or none. */
  #priceOf(usage: TokenUsage, reported: number | undefined): Cost {
    if (reported !== undefined && reported > 0) return { usd: reported, basis: 'reported' };
    if (usage.inputTokens + usage.outputTokens === 0) return { usd: 0, basis: 'reported' };
    const model = this.#model ?? '';
    const usd =
      this.#prices.ofRequest(usage, model) ?? this.#prices.ofRequest(usage, model.slice(model.indexOf('/') + 1));
    return usd === undefined ? { usd: 0, basis: 'unpriced' } : { usd, basis: 'list' };
  }

  #verdict(exit: AttemptExit): Failure | undefined {
    if (this.#error !== undefined) return this.#error;
    if (this.state === 'finished') return undefined;
    const general = failureWithoutResult(exit, 'final `step_finish` line');
    if (general.reason === 'noResult' && this.#refusedTool !== undefined) {
      const advice = "Set permissionMode to auto, or allow it in the program's own configuration.";
      return failure('permission', `The agent was refused ${this.#refusedTool} and said nothing more. ${advice}`);
    }
    if (general.reason !== 'crash') return general;
    if (!/Session not found|Unknown argument|Invalid values/.test(exit.stderr)) return general;
    return failure('invalidRequest', `The agent refused to start${lastWords(exit.stderr)}.`);
  }
}

function failureOf(error: Fields, timestampMs: number | undefined): Failure {
  const data = fieldsOf(error.data);
  const message = textOf(data.message) ?? textOf(error.name) ?? 'no message';
  const status = numberOf(data.statusCode);
  const reason = status === undefined ? 'failed' : reasonOfStatus(status);
  const headers = fieldsOf(data.responseHeaders);
  const waitMs = timestampMs === undefined ? undefined : retryHintMs((name) => textOf(headers[name]), timestampMs);
  const retryAtMs = waitMs === undefined || timestampMs === undefined ? undefined : timestampMs + waitMs;
  const retryable = data.isRetryable === true ? { retryable: true } : {};
  return statedFailure(reason, message, 'Log in with `opencode auth login`', { ...retryable, retryAtMs });
}

function usageOf(tokens: Fields): TokenUsage {
  const cache = fieldsOf(tokens.cache);
  const cachedInputTokens = countOf(cache.read);
  const cacheWriteInputTokens = countOf(cache.write);
  return {
    inputTokens: countOf(tokens.input) + cachedInputTokens + cacheWriteInputTokens,
    cachedInputTokens,
    cacheWriteInputTokens,
    outputTokens: countOf(tokens.output) + countOf(tokens.reasoning),
    reasoningOutputTokens: countOf(tokens.reasoning),
  };
}
