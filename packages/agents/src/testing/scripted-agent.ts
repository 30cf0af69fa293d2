/**
 * For tests of what runs agents: an agent that does as the script says.
 *
 * It is a real program, started like any other, so what is tested is the whole road: arguments, environment, pipes, signals,
 * parsing. Only the model behind it is missing. A script is a list of lines or a recorded stream of a real agent program.
 */
import { fileURLToPath } from 'node:url';
import type {
  ClaudeAgentDefinition,
  CodexAgentDefinition,
  CommandAgentDefinition,
  GeminiAgentDefinition,
  JsonlAgentDefinition,
  OpencodeAgentDefinition,
} from '../definition.ts';
import { AgentError } from '../errors.ts';
import type { JsonValue } from '../event.ts';

export interface AgentScript {
  /** Printed in order: a string as it stands, anything else as JSON; each with a newline. */
  readonly lines?: readonly JsonValue[];
  /**
   * Printed after `lines`: a file, or a folder that holds `stdout.jsonl` and may hold `stderr.txt` and `exit-code.txt`,
   * which then are the defaults of `stderr` and `exitCode`.
   */
  readonly recording?: string | URL;
  /** Before each line: the same for all, or one for each; lines beyond the list come at once. @default 0 */
  readonly delaysMs?: number | readonly number[];
  readonly stderr?: string;
  /** @default 0 */
  readonly exitCode?: number;
  /** What it does after the last line. `hang`: it stays until it is ended. @default 'exit' */
  readonly afterwards?: 'exit' | 'hang';
  /** `ignore`: only KILL ends it. @default 'obey' */
  readonly terminate?: 'obey' | 'ignore';
  /** A file into which it writes what it was given: `{ arguments, stdin, environment, cwd, pid }` (`ReceivedByScript`). */
  readonly received?: string;
}

/** What a scripted agent writes to the file named by `received`. */
export interface ReceivedByScript {
  readonly arguments: readonly string[];
  readonly stdin: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly pid: number;
}

/** What a scripted agent can be spoken to through: all that start a program. */
export type ScriptedAdapter = ScriptedAgent['adapter'];

/** The definition of an agent that a script can stand in for: one whose program is spoken to by its output. */
export type ScriptedAgent =
  | JsonlAgentDefinition
  | CommandAgentDefinition
  | ClaudeAgentDefinition
  | CodexAgentDefinition
  | GeminiAgentDefinition
  | OpencodeAgentDefinition;

/** An agent whose program plays `script`, to be spoken to through `adapter`. */
export function scriptedAgent(script: AgentScript, adapter?: 'jsonl'): JsonlAgentDefinition;
export function scriptedAgent(script: AgentScript, adapter: 'command'): CommandAgentDefinition;
export function scriptedAgent(script: AgentScript, adapter: 'claude'): ClaudeAgentDefinition;
export function scriptedAgent(script: AgentScript, adapter: 'codex'): CodexAgentDefinition;
export function scriptedAgent(script: AgentScript, adapter: 'gemini'): GeminiAgentDefinition;
export function scriptedAgent(script: AgentScript, adapter: 'opencode'): OpencodeAgentDefinition;
export function scriptedAgent(script: AgentScript, adapter?: ScriptedAdapter): ScriptedAgent;
export function scriptedAgent(script: AgentScript, adapter: ScriptedAdapter = 'jsonl'): ScriptedAgent {
  const command = scriptedCommand(script);
  return adapter === 'jsonl' || adapter === 'command' ? { adapter, command } : { adapter, program: command };
}

/**
 * The program and arguments of a scripted agent.
 * @throws {AgentError} AGENT_SCRIPT_TOO_LARGE when the script is over 100,000 bytes, the room an argument has
 */
export function scriptedCommand(script: AgentScript): readonly string[] {
  const recording = script.recording instanceof URL ? fileURLToPath(script.recording) : script.recording;
  const text = JSON.stringify({ ...script, recording });
  const bytes = Buffer.byteLength(text);
  if (bytes > largestScript) {
    const message = `The script is ${bytes} bytes, over ${largestScript}; put its lines into a file and name it as \`recording\`.`;
    throw new AgentError('AGENT_SCRIPT_TOO_LARGE', message);
  }
  return [process.execPath, fileURLToPath(entry), text];
}

const largestScript = 100_000;

const entry = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/scripted-entry.js' : './scripted-entry.js',
  import.meta.url,
);
