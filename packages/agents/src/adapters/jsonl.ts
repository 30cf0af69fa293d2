/**
 * Our own line protocol, for agents that are programs of the user's own; `docs/line-protocol.md` is its specification.
 *
 * Events come as they happen; exactly one line, `result` or `error`, is the verdict. Without it the attempt failed, whatever
 * the exit code: a program that was cut off must never pass for one that had nothing to say.
 */
import { type Adapter, type LaunchPlan, noFiles, type Parser } from '../adapter.ts';
import type { AgentTask, JsonlAgentDefinition } from '../definition.ts';
import type { AgentEvent, JsonValue } from '../event.ts';
import { type Fields, fieldsOf, given, jsonOf, textOf } from '../fields.ts';
import { type AttemptExit, type Failure, failureWithoutResult, type Outcome, outcomeOf } from '../outcome.ts';
import { ownEventOf, statedFailureOf } from '../own-event.ts';
import type { PriceBook } from '../price.ts';
import { requireCommand } from '../task-text.ts';
import { TextTail } from '../text-tail.ts';
import { type Cost, noCost, noUsage, type TokenUsage } from '../usage.ts';

export const jsonl: Adapter<JsonlAgentDefinition> = {
  format: 'jsonl',
  dialogue: undefined,
  files: noFiles,
  plan,
  parse: (_definition, _task, prices) => new JsonlParser(prices),
};

function plan(definition: JsonlAgentDefinition, task: AgentTask): LaunchPlan {
  const { prompt, input = null, outputSchema, resumeSessionId } = task;
  return {
    command: requireCommand(definition.command),
    environment: {},
    inheritEnvironment: [],
    neverInherit: [],
    prompt,
    stdin: `${JSON.stringify({ type: 'task', prompt, input, outputSchema, resumeSessionId })}\n`,
    howToInstall: 'Correct `command`, or install what it names.',
  };
}

class JsonlParser implements Parser {
  state: Parser['state'] = 'running';
  readonly #prices: PriceBook;
  readonly #texts = new TextTail();
  #sessionId: string | undefined;
  #model: string | undefined;
  #bill: { usage: TokenUsage; cost: Cost } = { usage: noUsage, cost: noCost };
  #terminal: { text: string | undefined; output: JsonValue; failure: Failure | undefined } | undefined;

  constructor(prices: PriceBook) {
    this.#prices = prices;
  }

  read(value: unknown): readonly AgentEvent[] {
    const line = fieldsOf(value);
    if (line.type === 'result' || line.type === 'error') return this.#finish(line);
    const event = ownEventOf(value, this.#prices);
    if (typeof event === 'string') return [{ type: 'warning', message: `A line was ignored: ${event}.` }];
    if (event.type === 'text') this.#texts.push(event.text);
    if (event.type === 'usage') this.#bill = { usage: event.usage, cost: event.cost ?? noCost };
    if (event.type === 'started') {
      this.#sessionId = event.sessionId ?? this.#sessionId;
      this.#model = event.model ?? this.#model;
    }
    return [event];
  }

  readStderr(): readonly AgentEvent[] {
    return [];
  }

  end(exit: AttemptExit): Outcome {
    const terminal = this.#terminal;
    const warnings: string[] = [];
    if (terminal !== undefined && terminal.failure === undefined && exit.exitCode !== 0 && exit.endedBy === 'exit') {
      warnings.push(`The agent gave its result and then exited with code ${exit.exitCode}.`);
    }
    const output = terminal?.output ?? null;
    return outcomeOf(
      {
        text: terminal?.text ?? (typeof output === 'string' ? output : this.#texts.text()),
        output,
        ...given({ sessionId: this.#sessionId, model: this.#model }),
        ...this.#bill,
        durationMs: exit.durationMs,
        exitCode: exit.exitCode,
        warnings,
      },
      terminal === undefined ? failureWithoutResult(exit, '`result` or `error` line') : terminal.failure,
    );
  }

  #finish(line: Fields): readonly AgentEvent[] {
    if (this.#terminal !== undefined) {
      return [
        {
          type: 'warning',
          message: `A second terminal line (${String(line.type)}) was ignored: the first one counts.`,
        },
      ];
    }
    this.state = 'finished';
    const failed = line.type === 'error' ? statedFailureOf(line) : undefined;
    const output = failed === undefined ? jsonOf(line.output) : undefined;
    this.#terminal = { text: textOf(line.text), output: output ?? null, failure: failed };
    return [];
  }
}
