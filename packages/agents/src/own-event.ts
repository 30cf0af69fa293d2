/** The events that a program or function of the user's own may report: one reader for `jsonl` lines and `module` messages. */
import { type AgentEvent, failureReasons } from './event.ts';
import {
  countOf,
  type Fields,
  fieldsOf,
  given,
  isFields,
  jsonOf,
  numberOf,
  sessionIdOf,
  shortened,
  textOf,
} from './fields.ts';
import { type Failure, failure } from './outcome.ts';
import type { PriceBook } from './price.ts';
import type { Cost, TokenUsage } from './usage.ts';

/** The event that a line stands for, or a sentence that says what is wrong with it. */
export function ownEventOf(value: unknown, prices: PriceBook): AgentEvent | string {
  if (!isFields(value)) return 'not an object';
  switch (value.type) {
    case 'started':
      return { type: 'started', ...given({ sessionId: sessionIdOf(value.sessionId), model: textOf(value.model) }) };
    case 'text':
    case 'thinking':
      return typeof value.text === 'string' ? { type: value.type, text: value.text } : '`text` must be a string';
    case 'warning':
      return typeof value.message === 'string'
        ? { type: 'warning', message: value.message }
        : '`message` must be a string';
    case 'progress':
      return progressOf(value);
    case 'tool':
      return toolOf(value);
    case 'usage':
      return { type: 'usage', usage: usageOf(value), cost: costOf(value, prices) };
    default:
      return `type ${JSON.stringify(value.type)} is not known`;
  }
}

/** The failure that an `error` line states. */
export function statedFailureOf(line: Fields): Failure {
  const reason = failureReasons.find((known) => known === line.reason) ?? 'failed';
  const message = textOf(line.message) ?? 'The agent failed and gave no message.';
  const retryable = typeof line.retryable === 'boolean' ? { retryable: line.retryable } : {};
  return failure(reason, message, { ...retryable, retryAtMs: numberOf(line.retryAtMs) });
}

function progressOf(line: Fields): AgentEvent | string {
  const done = numberOf(line.done);
  const total = numberOf(line.total);
  if (done === undefined || done < 0) return '`done` must be a number of at least 0';
  return { type: 'progress', done, ...given({ total, message: textOf(line.message) }) };
}

function toolOf(line: Fields): AgentEvent | string {
  const id = textOf(line.id);
  const name = textOf(line.name);
  if (id === undefined) return '`id` must be a string';
  if (line.status === 'started') {
    return { type: 'toolStarted', id, name: name ?? 'unknown', ...given({ input: jsonOf(line.input) }) };
  }
  if (line.status !== 'ended') return '`status` must be "started" or "ended"';
  const output = typeof line.output === 'string' ? shortened(line.output) : undefined;
  return { type: 'toolEnded', id, failed: line.failed === true, ...given({ name, output }) };
}

function usageOf(line: Fields): TokenUsage {
  return {
    inputTokens: countOf(line.inputTokens),
    cachedInputTokens: countOf(line.cachedInputTokens),
    cacheWriteInputTokens: countOf(line.cacheWriteInputTokens),
    outputTokens: countOf(line.outputTokens),
    reasoningOutputTokens: countOf(line.reasoningOutputTokens),
  };
}

/** What the program says it cost, else the list price of the model it names. */
function costOf(line: Fields, prices: PriceBook): Cost {
  const reported = numberOf(line.costUsd);
  if (reported !== undefined && reported >= 0) return { usd: reported, basis: 'reported' };
  const model = textOf(line.model);
  const usd = model === undefined ? undefined : prices.ofSum(usageOf(fieldsOf(line)), model);
  return usd === undefined ? { usd: 0, basis: 'unpriced' } : { usd, basis: 'list' };
}
