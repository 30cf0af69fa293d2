/** The adapter that belongs to a definition, with the two of them and the task tied together. */
import type { Adapter, LaunchPlan, Parser } from './adapter.ts';
import { claude } from './adapters/claude.ts';
import { codex } from './adapters/codex.ts';
import { command } from './adapters/command.ts';
import { jsonl } from './adapters/jsonl.ts';
import type { AgentDefinition, AgentTask, ModuleAgentDefinition } from './definition.ts';
import { agentSchemas } from './schema.ts';

/** An agent that is a program. */
export type ProcessAgent = Exclude<AgentDefinition, ModuleAgentDefinition>;

export interface BoundAdapter {
  readonly format: 'jsonl' | 'text';
  readonly wantsSchemaFile: boolean;
  plan(schemaFile: string | undefined): LaunchPlan;
  parse(): Parser;
}

/** @throws {TypeError} when the definition names no adapter of ours */
export function boundAdapter(agent: ProcessAgent, task: AgentTask): BoundAdapter {
  switch (agent.adapter) {
    case 'jsonl':
      return bind(jsonl, agent, task);
    case 'command':
      return bind(command, agent, task);
    case 'claude':
      return bind(claude, agent, task);
    case 'codex':
      return bind(codex, agent, task);
    default:
      throw new TypeError(`Expected \`adapter\` to be one of ${Object.keys(agentSchemas).join(', ')}.`);
  }
}

function bind<D extends AgentDefinition>(adapter: Adapter<D>, agent: D, task: AgentTask): BoundAdapter {
  return {
    format: adapter.format,
    wantsSchemaFile: adapter.wantsSchemaFile,
    plan: (schemaFile) => adapter.plan(agent, task, schemaFile),
    parse: () => adapter.parse(agent, task),
  };
}
