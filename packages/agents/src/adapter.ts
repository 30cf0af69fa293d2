/**
 * What it takes to speak to one kind of agent program: how to start it, and what its output means.
 *
 * Adapters are pure. They start nothing, read no clock and no file, so every one is tested by replaying recorded streams;
 * `runAgent` is the only place where a process exists.
 */
import type { AgentDefinition, AgentTask } from './definition.ts';
import type { AgentEvent } from './event.ts';
import type { AttemptExit, Outcome } from './outcome.ts';

export interface LaunchPlan {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Variables to set. */
  readonly environment: Readonly<Record<string, string>>;
  /** Names of variables to inherit; a trailing `*` stands for any ending. */
  readonly inheritEnvironment: readonly string[];
  /** Names that stay out although a pattern lets them in. */
  readonly neverInherit: readonly string[];
  /** Written to the program, then end of input. */
  readonly stdin: string;
  /** What the agent is asked, as it is recorded. */
  readonly prompt: string;
  /** What to do when the program can't be found. */
  readonly howToInstall: string;
}

export interface Parser {
  /**
   * `running` until the terminal line; `finished` after it; `hopeless` when going on can only cost time or money (a key
   * that the provider refuses), so that the caller ends the program.
   */
  readonly state: 'running' | 'finished' | 'hopeless';
  /** Takes one value of a `jsonl` stream or one piece of a `text` stream. Never throws. */
  read(value: unknown): readonly AgentEvent[];
  /** The verdict. Called once, after the last `read`. Its warnings are only those that were no event before. */
  end(exit: AttemptExit): Outcome;
}

export interface Adapter<Definition extends AgentDefinition = AgentDefinition> {
  /** `jsonl`: the parser gets values; `text`: it gets strings. */
  readonly format: 'jsonl' | 'text';
  /** Whether `outputSchemaFile` must be the path of a file that holds the task's output schema. */
  readonly wantsSchemaFile: boolean;
  /** @throws {TypeError} when the definition or the task can't be expressed as arguments */
  plan(definition: Definition, task: AgentTask, outputSchemaFile: string | undefined): LaunchPlan;
  parse(definition: Definition, task: AgentTask): Parser;
}

/** A program given as one name or as a list with leading arguments. */
export function programOf(program: string | readonly string[] | undefined, byDefault: string): readonly string[] {
  const command = typeof program === 'string' ? [program] : (program ?? [byDefault]);
  if (command.length === 0 || command[0] === '') {
    throw new TypeError(`Expected \`program\` to name a program, got ${JSON.stringify(program)}.`);
  }
  return command;
}
