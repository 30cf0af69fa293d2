/**
 * What it takes to speak to one kind of agent program: how to start it, and what its output means.
 *
 * Adapters are pure. They start nothing, read no clock and no file, so every one is tested by replaying recorded streams;
 * `runAgent` is the only place where a process exists.
 */
import type { AgentDefinition, AgentTask } from './definition.ts';
import type { AgentEvent, JsonValue } from './event.ts';
import type { AttemptExit, Outcome } from './outcome.ts';
import type { PriceBook } from './price.ts';

export interface LaunchPlan {
  /** The program and its arguments. */
  readonly command: readonly string[];
  /** Variables to set. */
  readonly environment: Readonly<Record<string, string>>;
  /** Names of variables to inherit; a trailing `*` stands for any ending. */
  readonly inheritEnvironment: readonly string[];
  /** Names that stay out although a pattern lets them in. */
  readonly neverInherit: readonly string[];
  /** Written to the program; then end of input, unless it is `live`. */
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
  /** Takes one line of stderr, where some programs say what they don't say on stdout. Never throws. */
  readStderr(line: string): readonly AgentEvent[];
  /** The verdict. Called once, after the last `read`. Its warnings are only those that were no event before. */
  end(exit: AttemptExit): Outcome;
}

export interface PlanContext {
  /** Where a file of `files` lies. */
  pathOf(name: string): string;
  /** Whether somebody answers permissions: the program is told to ask, and its stdin stays open. */
  readonly asks: boolean;
}

export interface Adapter<Definition extends AgentDefinition = AgentDefinition> {
  /** `jsonl`: the parser gets values; `text`: it gets strings. */
  readonly format: 'jsonl' | 'text';
  /** How it is spoken to while it runs; undefined for a program that listens only at its start. */
  readonly dialogue: Dialogue | undefined;
  /** Files that the program is to find beside the attempt: name to content. */
  files(definition: Definition, task: AgentTask): Readonly<Record<string, string>>;
  /** @throws {TypeError} when the definition or the task can't be expressed as arguments */
  plan(definition: Definition, task: AgentTask, context: PlanContext): LaunchPlan;
  parse(definition: Definition, task: AgentTask, prices: PriceBook): Parser;
}

/** What is written to a program that listens while it runs: each a line, with its newline. */
export interface Dialogue {
  turn(prompt: string): string;
  /** The answer to what a program asks that no host is asked about, so that it never waits; undefined where it asks nothing. */
  automatic(value: unknown): string | undefined;
  /** The id of a question that the program takes back. */
  withdrawn(value: unknown): string | undefined;
  answer(id: string, input: JsonValue | undefined, answer: PermissionAnswer): string;
  /** Asks it to end its turn and stay. */
  interrupt(id: string): string;
}

/** What a host says to an agent that asks whether it may use a tool. */
export type PermissionAnswer =
  /** @param input instead of what the agent wanted to call the tool with */
  | { readonly allow: true; readonly input?: JsonValue }
  /** @param message for the agent, which goes on without the tool */
  | { readonly allow: false; readonly message?: string };

/** A program given as one name or as a list with leading arguments. */
export function programOf(program: string | readonly string[] | undefined, byDefault: string): readonly string[] {
  const command = typeof program === 'string' ? [program] : (program ?? [byDefault]);
  if (command.length === 0 || command[0] === '') {
    throw new TypeError(`Expected \`program\` to name a program, got ${JSON.stringify(program)}.`);
  }
  return command;
}

export const noFiles: Adapter['files'] = () => ({});
