/** The values that a run is given, checked against the workflow's inputs and filled up with their defaults. */
import { resolve } from 'node:path';
import { WorkflowInvalidError } from './errors.ts';
import { formatPath, type Problem } from './problems.ts';
import { suggest } from './suggest.ts';
import { describe } from './validate.ts';
import type { InputDefinition, JsonValue, Workflow } from './workflow.ts';

/**
 * The value of every input. Text given for a number or a truth value is converted, as a command line gives text only. A
 * given path is taken from `cwd`, a default one from the workflow's directory; both come out absolute.
 * @throws {WorkflowInvalidError} WORKFLOW_INVALID with every value that is unknown, missing, of another type or none of
 * the choices.
 */
export function resolveInputs(
  workflow: Pick<Workflow, 'name' | 'inputs' | 'directory'>,
  given: Readonly<Record<string, JsonValue>>,
  options: { readonly cwd: string },
): Readonly<Record<string, JsonValue>> {
  const problems: Problem[] = [];
  const report = (name: string, message: string, suggestion?: string) => {
    const problem = { message, file: undefined, line: 0, column: 0, path: formatPath(['inputs', name]) };
    problems.push(suggestion === undefined ? problem : { ...problem, suggestion });
  };
  const names = Object.keys(workflow.inputs);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(workflow.inputs, name)) continue;
    const suggestion = suggest(name, names);
    const known = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
    report(name, `the workflow has no input "${name}"${suggestion === undefined ? `; ${known}` : ''}`, suggestion);
  }
  const values: Record<string, JsonValue> = Object.create(null);
  for (const [name, definition] of Object.entries(workflow.inputs)) {
    const isGiven = Object.hasOwn(given, name) && given[name] !== undefined;
    const value = isGiven ? convert(definition, given[name] ?? null) : definition.default;
    if (value === undefined) {
      const about = definition.description === undefined ? '' : ` (${definition.description})`;
      report(name, `the input "${name}"${about} has no default: give it a value`);
      continue;
    }
    const fault = inputFault(definition, value);
    if (fault !== undefined) report(name, `the input "${name}" ${fault.message}`, fault.suggestion);
    else values[name] = isPath(definition, value) ? resolve(isGiven ? options.cwd : workflow.directory, value) : value;
  }
  if (problems.length > 0) throw new WorkflowInvalidError(`What is given to the workflow "${workflow.name}"`, problems);
  return values;
}

/** Why a value can't be one of the input, as the end of a sentence. */
export function inputFault(
  { type, choices }: Pick<InputDefinition, 'type' | 'choices'>,
  value: JsonValue,
): { readonly message: string; readonly suggestion?: string } | undefined {
  const expected = type === 'path' ? 'string' : type;
  if (typeof value !== expected) {
    const words = { string: 'text', path: 'a path', number: 'a number', boolean: 'true or false' };
    const message = `must be ${words[type]}, not ${describe(value)}`;
    const suggestion = type === 'boolean' ? truthWords[String(value).toLowerCase()] : undefined;
    return suggestion === undefined ? { message } : { message, suggestion };
  }
  if (type === 'number' && !Number.isFinite(value)) return { message: `must be a finite number, not ${String(value)}` };
  if (type === 'path' && (value === '' || String(value).includes('\0')))
    return { message: 'must be a path, and is empty or holds a NUL' };
  if (choices === undefined || choices.some((choice) => choice === value)) return undefined;
  const message = `must be one of ${choices.join(', ')}, not ${describe(value)}`;
  const suggestion = suggest(String(value), choices.map(String));
  return suggestion === undefined ? { message } : { message, suggestion };
}

const truthWords: Readonly<Record<string, string>> = {
  yes: 'true',
  on: 'true',
  '1': 'true',
  no: 'false',
  off: 'false',
  '0': 'false',
};

/** Text as the type asked for, where it is unmistakably one; otherwise as it is, to be refused. */
function convert({ type }: InputDefinition, value: JsonValue): JsonValue {
  if (typeof value !== 'string') return value;
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  if (type === 'number' && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value.trim())) return Number(value);
  return value;
}

function isPath(definition: InputDefinition, value: JsonValue): value is string {
  return definition.type === 'path' && typeof value === 'string';
}
