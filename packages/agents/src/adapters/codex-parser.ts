/**
 * What Codex prints.
 *
 * Its `error` lines are not terminal: it prints them while it reconnects. Its token counts are the running total of the
 * thread, also over a resume, so the part before is subtracted. It reports neither money nor the model: cost comes from the
 * definition's model.
 */
import type { Parser } from '../adapter.ts';
import type { AgentTask, CodexAgentDefinition } from '../definition.ts';
import type { AgentEvent } from '../event.ts';
import { countOf, type Fields, fieldsOf, given, jsonOf, listOf, sessionIdOf, textOf } from '../fields.ts';
import { type AttemptExit, type Failure, failureWithoutResult, type Outcome } from '../outcome.ts';
import { parsedOutcome, toolEnded } from '../parsed-outcome.ts';
import type { PriceBook } from '../price.ts';
import { UnknownKinds } from '../unknown-kinds.ts';
import { type Cost, noUsage, subtractUsage, type TokenUsage } from '../usage.ts';
import { failureOf, reasonOf, refusedToStart } from './codex-errors.ts';

export class CodexParser implements Parser {
  state: Parser['state'] = 'running';
  readonly #definition: CodexAgentDefinition;
  readonly #task: AgentTask;
  readonly #prices: PriceBook;
  readonly #tools = new Set<string>();
  readonly #unknown = new UnknownKinds();
  #sessionId: string | undefined;
  #text = '';
  #lastError: string | undefined;
  #failed = false;
  /** The running total of the thread, as last reported. */
  #threadTotal: TokenUsage | undefined;

  constructor(definition: CodexAgentDefinition, task: AgentTask, prices: PriceBook) {
    this.#definition = definition;
    this.#task = task;
    this.#prices = prices;
  }

  read(value: unknown): readonly AgentEvent[] {
    const line = fieldsOf(value);
    switch (line.type) {
      case 'thread.started': {
        this.#sessionId = sessionIdOf(line.thread_id) ?? this.#sessionId;
        return [{ type: 'started', ...given({ sessionId: this.#sessionId, model: this.#definition.model }) }];
      }
      case 'item.started':
      case 'item.updated':
      case 'item.completed':
        return this.#item(fieldsOf(line.item), line.type === 'item.completed', value);
      case 'error':
        return this.#error(textOf(line.message) ?? 'an error without a message');
      case 'turn.completed': {
        this.state = 'finished';
        this.#failed = false;
        this.#threadTotal = usageOf(fieldsOf(line.usage));
        const { usage, cost } = this.#bill();
        return [{ type: 'usage', usage, cost }];
      }
      case 'turn.failed':
        this.state = 'finished';
        this.#failed = true;
        this.#lastError = textOf(fieldsOf(line.error).message) ?? this.#lastError ?? 'no message';
        return [];
      case 'turn.started':
        return [];
      default:
        return [this.#unknown.meet(textOf(line.type) ?? 'without a type', value)];
    }
  }

  readStderr(): readonly AgentEvent[] {
    return [];
  }

  end(exit: AttemptExit): Outcome {
    const sessionTotal = this.#threadTotal === undefined ? undefined : { usage: this.#threadTotal };
    return parsedOutcome(this.#task, exit, {
      ...{ text: this.#text, sessionId: this.#sessionId, sessionTotal, model: this.#definition.model },
      ...{ ...this.#bill(), unknown: this.#unknown, verdict: this.#verdict(exit) },
    });
  }

  #item(item: Fields, completed: boolean, line: unknown): readonly AgentEvent[] {
    const text = textOf(item.text);
    switch (item.type) {
      case 'agent_message':
        if (!completed || text === undefined) return [];
        this.#text = text;
        return [{ type: 'text', text }];
      case 'reasoning':
        return completed && text !== undefined ? [{ type: 'thinking', text }] : [];
      case 'todo_list':
        return [progressOf(item)];
      case 'error':
        return completed ? [{ type: 'warning', message: textOf(item.message) ?? 'an error without a message' }] : [];
      case 'command_execution':
        return this.#tool(item, completed, 'shell', { command: item.command });
      case 'file_change':
        return this.#tool(item, completed, 'file_change', { changes: item.changes });
      case 'web_search':
        return this.#tool(item, completed, 'web_search', { query: item.query });
      case 'mcp_tool_call':
        return this.#tool(
          item,
          completed,
          `${textOf(item.server) ?? 'mcp'}.${textOf(item.tool) ?? 'tool'}`,
          item.arguments,
        );
      case 'collab_tool_call':
        return this.#tool(item, completed, textOf(item.tool) ?? 'collab_tool_call', item.arguments);
      default:
        return [this.#unknown.meet(`item/${textOf(item.type) ?? 'without a type'}`, line)];
    }
  }

  /** Some items are only seen completed: both events are given then. */
  #tool(item: Fields, completed: boolean, name: string, input: unknown): readonly AgentEvent[] {
    const id = textOf(item.id);
    if (id === undefined) return [];
    const events: AgentEvent[] = [];
    if (!this.#tools.has(id)) {
      this.#tools.add(id);
      events.push({ type: 'toolStarted', id, name, ...given({ input: jsonOf(input) }) });
    }
    if (!completed) return events;
    this.#tools.delete(id);
    if (item.status === 'declined') events.push({ type: 'permissionAsked', tool: name, denied: true });
    const failed = item.status === 'failed' || item.status === 'declined';
    events.push(toolEnded(id, name, { failed, said: saidByTool(item) }));
    return events;
  }

  #error(message: string): readonly AgentEvent[] {
    const retry = /^Reconnecting\.\.\.\s*(\d+)\/(\d+)\s*(?:\((.*)\))?\s*$/s.exec(message);
    if (retry === null) {
      this.#lastError = message;
      return [{ type: 'warning', message }];
    }
    const why = retry[3] ?? message;
    const reason = reasonOf(why);
    if (reason === 'authentication') {
      this.state = 'hopeless';
      this.#lastError = why;
    }
    return [{ type: 'retrying', attempt: Number(retry[1]), maxAttempts: Number(retry[2]), reason, message: why }];
  }

  #verdict(exit: AttemptExit): Failure | undefined {
    if (this.state === 'finished') return this.#failed ? failureOf(this.#lastError ?? '') : undefined;
    if (this.state === 'hopeless' && this.#lastError !== undefined) return failureOf(this.#lastError);
    const general = failureWithoutResult(exit, '`turn.completed` line');
    if (general.reason !== 'crash') return general;
    if (this.#lastError !== undefined && exit.endedBy === 'exit') return failureOf(this.#lastError);
    return refusedToStart(exit) ?? general;
  }

  #bill(): { readonly usage: TokenUsage; readonly cost: Cost; readonly warnings: readonly string[] } {
    const total = this.#threadTotal;
    if (total === undefined) return { usage: noUsage, cost: { usd: 0, basis: 'unpriced' }, warnings: [] };
    const resumed = this.#task.resumeSessionId !== undefined;
    const earlier = this.#task.resumeSessionTotal?.usage;
    if (resumed && earlier === undefined) {
      const message =
        'The agent reports only the whole thread, and what it took before is not known: tokens are a ceiling.';
      return { usage: total, cost: { usd: 0, basis: 'unpriced' }, warnings: [message] };
    }
    const usage = resumed && earlier !== undefined ? subtractUsage(total, earlier) : total;
    const model = this.#definition.model;
    const usd = model === undefined ? undefined : this.#prices.ofSum(usage, model, 'openai');
    return { usage, cost: usd === undefined ? { usd: 0, basis: 'unpriced' } : { usd, basis: 'list' }, warnings: [] };
  }
}

function usageOf(usage: Fields): TokenUsage {
  return {
    inputTokens: countOf(usage.input_tokens),
    cachedInputTokens: countOf(usage.cached_input_tokens),
    cacheWriteInputTokens: countOf(usage.cache_write_input_tokens),
    outputTokens: countOf(usage.output_tokens),
    reasoningOutputTokens: countOf(usage.reasoning_output_tokens),
  };
}

function progressOf(item: Fields): AgentEvent {
  const items = listOf(item.items).map(fieldsOf);
  const current = items.find((entry) => entry.completed !== true);
  const message = textOf(current?.text);
  const done = items.filter((entry) => entry.completed === true).length;
  return { type: 'progress', done, total: items.length, ...given({ message }) };
}

function saidByTool(item: Fields): string | undefined {
  const printed = textOf(item.aggregated_output) ?? textOf(fieldsOf(item.error).message);
  if (printed !== undefined) return printed;
  const blocks = listOf(fieldsOf(item.result).content).map((block) => textOf(fieldsOf(block).text) ?? '');
  return blocks.length === 0 ? undefined : blocks.join('');
}
