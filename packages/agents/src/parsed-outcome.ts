/**
 * What the parsers of agent programs have in common at the end of an attempt: from what the lines said and how the program
 * ended to the outcome.
 */
import type { AgentTask } from './definition.ts';
import type { AgentEvent, FailureReason, JsonValue } from './event.ts';
import { given, shortened } from './fields.ts';
import { type AttemptExit, type Failure, failure, lastWords, type Outcome, outcomeOf } from './outcome.ts';
import { structuredOutput } from './task-text.ts';
import type { UnknownKinds } from './unknown-kinds.ts';
import type { Cost, SessionTotal, TokenUsage } from './usage.ts';

export interface ParsedLines {
  readonly text: string;
  /** What the program printed as the structured result; else the text is read as one where the task asks for it. */
  readonly structured?: JsonValue | undefined;
  readonly sessionId: string | undefined;
  readonly sessionTotal?: SessionTotal | undefined;
  readonly model: string | undefined;
  readonly usage: TokenUsage;
  readonly cost: Cost;
  readonly warnings?: readonly string[];
  readonly unknown: UnknownKinds;
  /** Undefined for success. */
  readonly verdict: Failure | undefined;
}

/** A success that is followed by a failing exit stays one, with a warning: it was paid for. */
export function parsedOutcome(task: AgentTask, exit: AttemptExit, parsed: ParsedLines): Outcome {
  const { text, sessionId, sessionTotal, model, usage, cost, verdict } = parsed;
  const structured = structuredOutput(task, parsed.structured, text);
  const warnings = [...(parsed.warnings ?? [])];
  if (verdict === undefined && exit.exitCode !== 0 && exit.endedBy === 'exit') {
    warnings.push(`The agent reported success and then exited with code ${exit.exitCode}${lastWords(exit.stderr)}.`);
  }
  return outcomeOf(
    {
      ...{ text, output: structured.output, usage, cost, warnings },
      ...{ durationMs: exit.durationMs, exitCode: exit.exitCode },
      ...given({ sessionId, sessionTotal, model }),
      ...parsed.unknown.counted(),
    },
    verdict ?? structured.failure,
  );
}

/** A failure that the program stated itself. @param logIn what to do about a refused key, as a clause */
export function statedFailure(
  reason: FailureReason,
  message: string,
  logIn: string,
  options?: Parameters<typeof failure>[2],
): Failure {
  const advice = reason === 'authentication' ? ` ${logIn}.` : '';
  return failure(reason, `The agent failed: ${message.replace(/\.$/, '')}.${advice}`, options);
}

/** @param said what the tool gave or why it failed, as far as it was printed */
export function toolEnded(
  id: string,
  name: string | undefined,
  { failed, said }: { readonly failed: boolean; readonly said: string | undefined },
): AgentEvent {
  const output = said === undefined ? undefined : shortened(said);
  return { type: 'toolEnded', id, failed, ...given({ name, output }) };
}
