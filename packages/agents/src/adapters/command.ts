/**
 * Any program at all: it gets the prompt, and what it prints is the answer. Its exit code is its verdict, since plain text
 * has no terminal line: 0 is success, 75 (`EX_TEMPFAIL` of sysexits.h) a failure worth retrying, any other a failure that
 * is not.
 */
import { type Adapter, type LaunchPlan, noFiles, type Parser } from '../adapter.ts';
import type { AgentTask, CommandAgentDefinition } from '../definition.ts';
import type { AgentEvent } from '../event.ts';
import {
  type AttemptExit,
  type Failure,
  failure,
  failureByUs,
  lastWords,
  type Outcome,
  outcomeOf,
} from '../outcome.ts';
import { refuseSessionId, requireCommand, structuredOutput } from '../task-text.ts';
import { noCost, noUsage } from '../usage.ts';

export const command: Adapter<CommandAgentDefinition> = {
  format: 'text',
  dialogue: undefined,
  files: noFiles,
  plan,
  parse: (_definition, task) => new TextParser(task),
};

function plan(definition: CommandAgentDefinition, task: AgentTask): LaunchPlan {
  const program = requireCommand(definition.command);
  refuseSessionId(task, 'command', 'say in its prompt what was said before');
  const asArgument = definition.promptVia === 'argument';
  return {
    command: asArgument ? [...program, task.prompt] : program,
    environment: {},
    inheritEnvironment: [],
    neverInherit: [],
    prompt: task.prompt,
    stdin: asArgument ? '' : task.prompt,
    howToInstall: 'Correct `command`, or install what it names.',
  };
}

class TextParser implements Parser {
  readonly state = 'running';
  readonly #task: AgentTask;
  readonly #pieces: string[] = [];

  constructor(task: AgentTask) {
    this.#task = task;
  }

  read(value: unknown): readonly AgentEvent[] {
    if (typeof value !== 'string' || value === '') return [];
    this.#pieces.push(value);
    return [{ type: 'text', text: value }];
  }

  readStderr(): readonly AgentEvent[] {
    return [];
  }

  end(exit: AttemptExit): Outcome {
    const text = this.#pieces.join('').replace(/\r?\n$/, '');
    const structured = structuredOutput(this.#task, undefined, text);
    return outcomeOf(
      {
        text,
        output: structured.output,
        usage: noUsage,
        cost: noCost,
        durationMs: exit.durationMs,
        exitCode: exit.exitCode,
        warnings: [],
      },
      verdictOf(exit) ?? structured.failure,
    );
  }
}

const temporaryFailure = 75;

function verdictOf(exit: AttemptExit): Failure | undefined {
  const byUs = failureByUs(exit);
  if (byUs !== undefined) return byUs;
  if (exit.exitCode === 0) return undefined;
  const said = lastWords(exit.stderr);
  if (exit.exitCode === null)
    return failure('crash', `The command was ended by ${exit.signalName ?? 'a signal'}${said}.`);
  const retryable = exit.exitCode === temporaryFailure;
  return failure('failed', `The command exited with code ${exit.exitCode}${said}.`, { retryable });
}
