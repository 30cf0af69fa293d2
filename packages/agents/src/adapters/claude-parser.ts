/**
 * What Claude Code prints.
 *
 * Three traps of its stream. `subtype: "success"` with `is_error: true` is a failure. Its cost and token totals go on
 * counting when a session is resumed, so only the part since the last result is this attempt's. A refused key is retried
 * ten times over minutes like a busy server, so it makes the attempt hopeless at once.
 */
import type { Parser } from '../adapter.ts';
import type { AgentTask } from '../definition.ts';
import type { AgentEvent, FailureReason } from '../event.ts';
import { countOf, type Fields, fieldsOf, given, jsonOf, listOf, numberOf, sessionIdOf, textOf } from '../fields.ts';
import {
  type AttemptExit,
  type Failure,
  failure,
  failureByUs,
  failureWithoutResult,
  type Outcome,
} from '../outcome.ts';
import { parsedOutcome, toolEnded } from '../parsed-outcome.ts';
import type { PriceBook } from '../price.ts';
import { UnknownKinds } from '../unknown-kinds.ts';
import { ClaudeBill } from './claude-bill.ts';
import { describe, reasonOf, refusedToStart } from './claude-errors.ts';

export class ClaudeParser implements Parser {
  state: Parser['state'] = 'running';
  readonly #task: AgentTask;
  readonly #bill: ClaudeBill;
  readonly #toolNames = new Map<string, string>();
  readonly #unknown = new UnknownKinds();
  #sessionId: string | undefined;
  #model: string | undefined;
  #text = '';
  #apiError: { readonly code: string | undefined; readonly status: number | undefined } | undefined;
  #apiMessage = '';
  #retryAtMs: number | undefined;
  #result: Fields | undefined;

  constructor(task: AgentTask, prices: PriceBook) {
    this.#task = task;
    this.#bill = new ClaudeBill(prices);
  }

  read(value: unknown): readonly AgentEvent[] {
    const line = fieldsOf(value);
    this.#sessionId = sessionIdOf(line.session_id) ?? this.#sessionId;
    switch (line.type) {
      case 'system':
        return this.#system(line);
      case 'assistant':
        return this.#assistant(line);
      case 'user':
        return this.#toolResults(line);
      case 'rate_limit_event':
        return this.#rateLimit(fieldsOf(line.rate_limit_info));
      case 'result':
        return this.#finish(line);
      case 'control_request':
        return question(line);
      default: {
        const kind = textOf(line.type) ?? 'without a type';
        return known.has(kind) ? [] : [this.#unknown.meet(kind, value)];
      }
    }
  }

  readStderr(): readonly AgentEvent[] {
    return [];
  }

  end(exit: AttemptExit): Outcome {
    const { usage, cost, sessionTotal, warnings } = this.#bill.settle(this.#task, this.#result);
    return parsedOutcome(this.#task, exit, {
      text: textOf(this.#result?.result) ?? this.#text,
      structured: jsonOf(this.#result?.structured_output),
      ...{ sessionId: this.#sessionId, sessionTotal, model: this.#model },
      ...{ usage, cost, warnings, unknown: this.#unknown },
      verdict: this.#result === undefined ? this.#withoutResult(exit) : this.#verdict(this.#result, exit),
    });
  }

  #system(line: Fields): readonly AgentEvent[] {
    if (line.subtype === 'init') {
      this.#model = textOf(line.model) ?? this.#model;
      return [{ type: 'started', ...given({ sessionId: this.#sessionId, model: this.#model }) }];
    }
    if (line.subtype === 'api_retry') {
      const code = textOf(line.error);
      const status = numberOf(line.error_status);
      // Without a code or a status it could not be reached, or was cut off.
      const reason = code === 'unknown' && status === undefined ? 'overloaded' : reasonOf(code, status);
      if (reason === 'authentication' || reason === 'budget') {
        this.state = 'hopeless';
        this.#apiError = { code, status };
      }
      const maxAttempts = numberOf(line.max_retries);
      const delayMs = numberOf(line.retry_delay_ms);
      const message = describe(code, status);
      return [
        { type: 'retrying', attempt: countOf(line.attempt), reason, message, ...given({ maxAttempts, delayMs }) },
      ];
    }
    if (line.subtype === 'permission_denied') {
      const message = textOf(line.message);
      return [
        { type: 'permissionAsked', tool: textOf(line.tool_name) ?? 'unknown', denied: true, ...given({ message }) },
      ];
    }
    const kind = textOf(line.subtype) ?? 'without a subtype';
    return knownOfSystem.has(kind) ? [] : [this.#unknown.meet(`system/${kind}`, line)];
  }

  #assistant(line: Fields): readonly AgentEvent[] {
    const message = fieldsOf(line.message);
    const blocks = listOf(message.content).map(fieldsOf);
    if (line.is_api_error_message === true || message.model === '<synthetic>') {
      this.#apiError = { code: textOf(line.error), status: numberOf(line.api_error_status) };
      this.#apiMessage = blocks.map((block) => textOf(block.text) ?? '').join('');
      return this.#apiMessage === '' ? [] : [{ type: 'warning', message: this.#apiMessage }];
    }
    const model = textOf(message.model);
    this.#model ??= model;
    const events: AgentEvent[] = [];
    if (this.#bill.addRequest(textOf(message.id), model, fieldsOf(message.usage))) {
      events.push({ type: 'usage', ...this.#bill.soFar() });
    }
    for (const block of blocks) events.push(...this.#block(block, line.parent_tool_use_id));
    return events;
  }

  #block(block: Fields, parent: unknown): readonly AgentEvent[] {
    if (block.type === 'text' && typeof block.text === 'string') {
      if (typeof parent !== 'string') this.#text = block.text;
      return [{ type: 'text', text: block.text }];
    }
    if (block.type === 'thinking' && typeof block.thinking === 'string') {
      return [{ type: 'thinking', text: block.thinking }];
    }
    if (block.type === 'tool_use' && typeof block.id === 'string') {
      const name = textOf(block.name) ?? 'unknown';
      this.#toolNames.set(block.id, name);
      return [{ type: 'toolStarted', id: block.id, name, ...given({ input: jsonOf(block.input) }) }];
    }
    return [];
  }

  #toolResults(line: Fields): readonly AgentEvent[] {
    const events: AgentEvent[] = [];
    for (const block of listOf(fieldsOf(line.message).content).map(fieldsOf)) {
      const id = textOf(block.tool_use_id);
      if (block.type !== 'tool_result' || id === undefined) continue;
      const name = this.#toolNames.get(id);
      this.#toolNames.delete(id);
      events.push(toolEnded(id, name, { failed: block.is_error === true, said: contentText(block.content) }));
    }
    return events;
  }

  #rateLimit(info: Fields): readonly AgentEvent[] {
    if (info.status !== 'rejected' && info.status !== 'allowed_warning') return [];
    const resetsAt = numberOf(info.resetsAt);
    const kind = textOf(info.rateLimitType) ?? 'unnamed';
    const until = resetsAt === undefined ? '' : `; it resets at ${isoTime(resetsAt)}`;
    if (info.status === 'rejected') {
      this.#retryAtMs = resetsAt === undefined ? undefined : milliseconds(resetsAt);
      return [{ type: 'warning', message: `The ${kind} rate limit is used up${until}.` }];
    }
    return [{ type: 'warning', message: `The ${kind} rate limit is nearly used up${until}.` }];
  }

  #finish(line: Fields): readonly AgentEvent[] {
    this.#result = line;
    this.state = 'finished';
    this.#bill.addResult(line);
    const { usage, cost } = this.#bill.settle(this.#task, line);
    return [{ type: 'usage', usage, cost }];
  }

  #verdict(result: Fields, exit: AttemptExit): Failure | undefined {
    if (result.subtype === 'success' && result.is_error !== true) return undefined;
    const errors = listOf(result.errors).filter((entry) => typeof entry === 'string');
    const message = [textOf(result.result) ?? '', ...errors].filter((part) => part !== '').join('; ') || 'no message';
    switch (result.subtype) {
      case 'success': {
        const error = this.#apiError;
        const status = numberOf(result.api_error_status) ?? error?.status;
        return this.#apiFailure(reasonOf(error?.code, status), message);
      }
      case 'error_max_turns':
        return failure('turns', `The agent used up its turns: ${message}. Raise maxTurns or split the task.`);
      case 'error_max_budget_usd':
        return failure('budget', `The agent used up its budget: ${message}. Raise maxBudgetUsd or split the task.`);
      case 'error_max_structured_output_retries':
        return failure('badOutput', `The agent never met the output schema: ${message}.`);
      default:
        return this.#executionFailure(result, message, exit);
    }
  }

  #executionFailure(result: Fields, message: string, exit: AttemptExit): Failure {
    if (textOf(result.terminal_reason)?.startsWith('aborted')) {
      return failureByUs(exit) ?? failure('cancelled', 'The agent was interrupted from outside.');
    }
    if (message.includes('No conversation found')) {
      return failure('invalidRequest', `${message}. Start without resumeSessionId.`);
    }
    return failureByUs(exit) ?? failure('failed', `The agent failed: ${message}.`, { retryable: true });
  }

  #withoutResult(exit: AttemptExit): Failure {
    if (this.state === 'hopeless' && this.#apiError !== undefined) {
      const { code, status } = this.#apiError;
      return this.#apiFailure(
        reasonOf(code, status),
        `${describe(code, status)}; ended early, it would have been retried`,
      );
    }
    const general = failureWithoutResult(exit, '`result` line');
    if (general.reason !== 'crash') return general;
    if (this.#apiError !== undefined) {
      return this.#apiFailure(reasonOf(this.#apiError.code, this.#apiError.status), this.#apiMessage);
    }
    return refusedToStart(exit) ?? general;
  }

  #apiFailure(reason: FailureReason, message: string): Failure {
    const advice = reason === 'authentication' ? '. Log in with `claude` or set ANTHROPIC_API_KEY' : '';
    const retryAtMs = reason === 'rateLimit' ? this.#retryAtMs : undefined;
    return failure(reason, `The model API refused: ${message}${advice}.`, { retryAtMs });
  }
}

/** Lines that say nothing an event would tell. */
const known = new Set([
  ...['stream_event', 'tool_progress', 'auth_status', 'conversation_reset', 'command_lifecycle'],
  ...['control_response', 'control_cancel_request', 'tool_use_summary', 'prompt_suggestion', 'keep_alive'],
]);
const knownOfSystem = new Set([
  ...['status', 'compact_boundary', 'task_started', 'task_progress', 'task_updated', 'task_notification'],
  ...['session_state_changed', 'hook_started', 'hook_progress', 'hook_response', 'ui_invalidate', 'files_persisted'],
  ...['local_command_output', 'elicitation_complete', 'without a subtype'],
]);

/** It waits for the answer to this one; see `claude-dialogue.ts` for the others. */
function question(line: Fields): readonly AgentEvent[] {
  const { subtype, tool_name, input, description, decision_reason } = fieldsOf(line.request);
  const id = textOf(line.request_id);
  if (subtype !== 'can_use_tool' || id === undefined) return [];
  const message = textOf(decision_reason) ?? textOf(description);
  const tool = textOf(tool_name) ?? 'unknown';
  return [{ type: 'permissionAsked', tool, denied: false, id, ...given({ input: jsonOf(input), message }) }];
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return listOf(content)
    .map((block) => textOf(fieldsOf(block).text) ?? '')
    .join('');
}

function milliseconds(time: number): number {
  // Seconds since 1970 in the versions seen; a value this large can only be milliseconds.
  return time > 1e11 ? time : time * 1000;
}

function isoTime(time: number): string {
  const date = new Date(milliseconds(time));
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString();
}
