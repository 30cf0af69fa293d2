/** What a task becomes on its way to a model, and what a model's text becomes on its way back. */
import type { AgentTask } from './definition.ts';
import type { JsonValue } from './event.ts';
import { isSessionId } from './fields.ts';
import { type Failure, failure } from './outcome.ts';
import { wrapUntrusted } from './untrusted.ts';

/** The prompt, and below it the input as data that the prompt may speak of but that is no instruction. */
export function promptWithInput(task: AgentTask): string {
  if (task.input === undefined || task.input === null) return task.prompt;
  return `${task.prompt}\n\nThe input, as JSON:\n${wrapUntrusted(JSON.stringify(task.input, null, 2))}\n`;
}

/** The same for a program that has no flag for the schema of its answer. */
export function promptWithSchema(task: AgentTask): string {
  const prompt = promptWithInput(task);
  if (task.outputSchema === undefined) return prompt;
  const rule = 'Your last message must be one JSON value that meets this JSON Schema, and nothing else:';
  return `${prompt}\n\n${rule}\n${JSON.stringify(task.outputSchema)}\n`;
}

export function requireSessionId(task: AgentTask): string | undefined {
  const id = task.resumeSessionId;
  if (id === undefined || isSessionId(id)) return id;
  throw new TypeError(
    `Expected \`resumeSessionId\` to be letters, digits and .:_- (at most 200, not beginning with a dash), got ${JSON.stringify(id)}.`,
  );
}

/** Of an agent that answers once: an id that it can't resume by is refused, not ignored. @param instead what to do */
export function refuseSessionId(task: AgentTask, agent: string, instead: string): void {
  if (task.resumeSessionId === undefined) return;
  throw new TypeError(`Expected no \`resumeSessionId\`: a ${agent} keeps no session; ${instead}.`);
}

/** Of an agent that is no program of its own: limits that nobody would hold it to are refused. */
export function refuseLimits(task: AgentTask, agent: 'module' | 'model'): void {
  if (task.limits === undefined) return;
  const what = agent === 'module' ? 'runs in a thread of this process' : 'is asked over the network';
  throw new TypeError(`Expected no \`limits\`: a ${agent} ${what}; make it a program to limit what it takes.`);
}

export function requireCommand(command: readonly string[]): readonly string[] {
  if (command.length > 0 && command[0] !== '') return command;
  throw new TypeError(`Expected \`command\` to begin with the name of a program, got ${JSON.stringify(command)}.`);
}

/** Models like to put JSON between the marks of a code block. */
const fenced = /^\s*```(?:json)?\s*\n([\s\S]*)\n\s*```\s*$/;

/** The structured result of a task that asked for one: what the agent gave as such, else its text read as JSON. */
export function structuredOutput(
  task: AgentTask,
  given: JsonValue | undefined,
  text: string,
): { readonly output: JsonValue; readonly failure?: Failure } {
  if (given !== undefined) return { output: given };
  if (task.outputSchema === undefined) return { output: null };
  try {
    const output: JsonValue = JSON.parse(fenced.exec(text)?.[1] ?? text);
    return { output };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      output: null,
      failure: failure('badOutput', `The task has an output schema, but the agent's answer is not JSON: ${why}.`),
    };
  }
}
