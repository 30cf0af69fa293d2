/**
 * From the values of a workflow file to the workflow, reporting what a schema can't see on the way. Reads defensively: a
 * value of the wrong type has been reported already, and must not hide what is wrong elsewhere.
 */
import { buildAgents } from './build-agents.ts';
import { buildTasks } from './build-tasks.ts';
import { checkNeeds } from './check-needs.ts';
import { checkReferences } from './check-references.ts';
import { inputFault } from './inputs.ts';
import type { Findings } from './problems.ts';
import { suggest } from './suggest.ts';
import { type JsonRecord, numberOf, optional, recordOf, textOf } from './untyped.ts';
import { validate } from './validate.ts';
import type { InputDefinition, JsonValue, Workflow } from './workflow.ts';

export interface WorkflowOrigin {
  readonly file: string | undefined;
  readonly source: string;
  /** Absolute. */
  readonly directory: string;
  /** Whether the files of agents are looked for. */
  readonly checkFiles: boolean;
}

/** The workflow is only good for use when `findings` is still empty afterwards. */
export function buildWorkflow(value: JsonValue, origin: WorkflowOrigin, findings: Findings): Workflow {
  validate(value, findings);
  const root = recordOf(value);
  const inputs = buildInputs(recordOf(root.inputs), findings);
  const agents = buildAgents(recordOf(root.agents), origin, findings);
  const given = recordOf(root.tasks);
  const { tasks, references } = buildTasks(given, recordOf(root.defaults), agents, findings);
  for (const { id, agent } of tasks) {
    if (agent === '' || Object.hasOwn(agents, agent)) continue;
    const names = Object.keys(agents);
    const suggestion = findings.roomy ? suggest(agent, names) : undefined;
    const hint =
      suggestion === undefined && names.length > 0 ? `; the agents are ${names.slice(0, 20).join(', ')}` : '';
    findings.add({
      path: ['tasks', id, 'agent'],
      absence: true,
      message: `there is no agent "${agent}"${hint}`,
      suggestion,
    });
  }
  const graph = checkNeeds(tasks, given, findings);
  checkReferences(references, inputs, graph, findings);
  return {
    name: textOf(root.name) ?? '',
    ...optional('description', textOf(root.description)),
    ...optional('file', origin.file),
    source: origin.source,
    directory: origin.directory,
    inputs,
    agents,
    tasks,
    ...optional('concurrency', numberOf(root.concurrency)),
    onFailure: root.onFailure === 'stop' ? 'stop' : 'continue',
    result: resultOf(root, findings),
  };
}

function buildInputs(given: JsonRecord, findings: Findings): Readonly<Record<string, InputDefinition>> {
  const inputs: Record<string, InputDefinition> = Object.create(null);
  for (const [name, raw] of Object.entries(given)) {
    const { type: typeGiven, description, default: fallback, choices } = recordOf(raw);
    const type = (['number', 'boolean', 'path'] as const).find((known) => known === typeGiven) ?? 'string';
    const definition: InputDefinition = {
      type,
      ...optional('description', textOf(description)),
      ...(isScalar(fallback) ? { default: fallback } : {}),
      ...(Array.isArray(choices) ? { choices: choices.filter(isChoice) } : {}),
    };
    inputs[name] = definition;
    checkInput(name, definition, findings);
  }
  return inputs;
}

function checkInput(name: string, definition: InputDefinition, findings: Findings): void {
  const { choices = [], default: fallback } = definition;
  const { choices: _, ...unlimited } = definition;
  for (const [index, choice] of choices.entries()) {
    const fault = inputFault(unlimited, choice);
    if (fault !== undefined)
      findings.add({ path: ['inputs', name, 'choices', index], message: `this choice ${fault.message}` });
  }
  const fault = fallback === undefined ? undefined : inputFault(definition, fallback);
  if (fault === undefined) return;
  const { message, suggestion } = fault;
  findings.add({ path: ['inputs', name, 'default'], message: `the default ${message}`, suggestion });
}

function resultOf(root: JsonRecord, findings: Findings): string {
  const ids = Object.keys(recordOf(root.tasks));
  const result = textOf(root.result);
  if (result === undefined) return ids.at(-1) ?? '';
  if (!Object.hasOwn(recordOf(root.tasks), result)) {
    const suggestion = findings.roomy ? suggest(result, ids) : undefined;
    findings.add({ path: ['result'], absence: true, message: `there is no task "${result}"`, suggestion });
  }
  return result;
}

function isScalar(value: JsonValue | undefined): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function isChoice(value: JsonValue): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
