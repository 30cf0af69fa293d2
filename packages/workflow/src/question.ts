/** A task with its expressions evaluated: what is asked, of whom, with what, about which files. */
import { resolve } from 'node:path';
import type { AgentDefinition } from '@cadre/agents';
import { WorkflowError } from './errors.ts';
import type { Template } from './expression.ts';
import type { JsonValue, Scope, TaskDefinition, Workflow } from './workflow.ts';

export interface Question {
  readonly task: TaskDefinition;
  readonly agent: AgentDefinition;
  readonly prompt: string;
  readonly with: JsonValue;
  /** The workflow's, from which relative patterns start. */
  readonly directory: string;
  /** Absolute. */
  readonly cwd: string;
  /** Glob patterns. */
  readonly reads: readonly string[];
  /** Absolute paths. */
  readonly writes: readonly string[];
}

/** @throws {WorkflowError} WORKFLOW_EXPRESSION_FAILED when an expression can't be evaluated or gives the wrong type. */
export function askQuestion(workflow: Workflow, task: TaskDefinition, scope: Scope): Question {
  const agent = workflow.agents[task.agent];
  if (agent === undefined) {
    throw new WorkflowError(
      'WORKFLOW_INVALID',
      `Task "${task.id}" names the agent "${task.agent}", which is not there.`,
    );
  }
  const text = (template: Template, key: string): string => {
    const value = template.evaluate(scope);
    if (typeof value === 'string') return value;
    if (key === 'prompt') return JSON.stringify(value);
    const message = `tasks.${task.id}.${key} must be text, and ${JSON.stringify(template.source)} gives ${JSON.stringify(value)}.`;
    throw new WorkflowError('WORKFLOW_EXPRESSION_FAILED', message);
  };
  const cwd = task.cwd === undefined ? workflow.directory : resolve(workflow.directory, text(task.cwd, 'cwd'));
  return {
    task,
    agent: agent.definition,
    prompt: text(task.prompt, 'prompt'),
    with: task.with.evaluate(scope),
    directory: workflow.directory,
    cwd,
    reads: task.reads.map((template, index) => text(template, `reads[${index}]`)),
    writes: task.writes.map((template, index) => resolve(workflow.directory, text(template, `writes[${index}]`))),
  };
}
