/** The adapter that belongs to a definition, with the two of them and the task tied together. */
import type { Adapter, Dialogue, LaunchPlan, Parser, PlanContext } from './adapter.ts';
import { claude } from './adapters/claude.ts';
import { codex } from './adapters/codex.ts';
import { command } from './adapters/command.ts';
import { gemini } from './adapters/gemini.ts';
import { jsonl } from './adapters/jsonl.ts';
import { opencode } from './adapters/opencode.ts';
import type { AgentDefinition, AgentTask, ModelAgentDefinition, ModuleAgentDefinition } from './definition.ts';
import type { PriceBook } from './price.ts';
import { agentSchemas } from './schema.ts';

/** An agent that is a program. */
export type ProcessAgent = Exclude<AgentDefinition, ModuleAgentDefinition | ModelAgentDefinition>;

export interface BoundAdapter {
  readonly format: 'jsonl' | 'text';
  readonly dialogue: Dialogue | undefined;
  readonly files: Readonly<Record<string, string>>;
  plan(context: PlanContext): LaunchPlan;
  parse(prices: PriceBook): Parser;
}

export function isProcessAgent(agent: AgentDefinition): agent is ProcessAgent {
  return agent.adapter !== 'module' && agent.adapter !== 'model';
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
    case 'gemini':
      return bind(gemini, agent, task);
    case 'opencode':
      return bind(opencode, agent, task);
    default:
      throw new TypeError(`Expected \`adapter\` to be one of ${Object.keys(agentSchemas).join(', ')}.`);
  }
}

function bind<D extends AgentDefinition>(adapter: Adapter<D>, agent: D, task: AgentTask): BoundAdapter {
  return {
    format: adapter.format,
    dialogue: adapter.dialogue,
    files: adapter.files(agent, task),
    plan: (context) => adapter.plan(agent, task, context),
    parse: (prices) => adapter.parse(agent, task, prices),
  };
}
