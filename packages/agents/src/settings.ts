/**
 * What a program can't be told. A setting that users know from one program and that another has no way to keep is refused by
 * name when a workflow is read, with what to do instead: never taken and ignored.
 */
import type { AdapterName } from './definition.ts';
import { isFields } from './fields.ts';
import { agentSchemas } from './schema.ts';

export interface SettingProblem {
  /** Key in the definition. */
  readonly key: string;
  readonly message: string;
}

/**
 * Why `key` can't be set for an adapter; undefined for a key that it takes, and for one that no program has.
 * Cost: two look-ups.
 */
export function unsupportedSetting(adapter: string, key: string): string | undefined {
  if (!isAdapter(adapter) || propertiesOf(adapter).has(key)) return undefined;
  const own = refusals[adapter]?.[key];
  const what = names[adapter];
  if (own !== undefined) return `${what} ${own}`;
  return Object.hasOwn(common, key) ? `${what} has no way to ${common[key]}` : undefined;
}

/** Everything in a definition that its program can't do, and settings that contradict each other. */
export function settingProblems(definition: unknown): readonly SettingProblem[] {
  if (!isFields(definition) || typeof definition.adapter !== 'string') return [];
  const { adapter } = definition;
  const problems = Object.keys(definition).flatMap((key): SettingProblem[] => {
    const message = definition[key] === undefined ? undefined : unsupportedSetting(adapter, key);
    return message === undefined ? [] : [{ key, message }];
  });
  if (adapter === 'codex' && definition.effort !== undefined && definition.reasoningEffort !== undefined) {
    problems.push({ key: 'reasoningEffort', message: 'is the same as effort; give one of them' });
  }
  if (adapter !== 'claude' && definition.price !== undefined && definition.model === undefined) {
    problems.push({ key: 'price', message: 'is of the model, and no model is named' });
  }
  return problems;
}

const names: Readonly<Record<AdapterName, string>> = {
  claude: 'Claude Code',
  codex: 'Codex',
  gemini: 'Gemini CLI',
  opencode: 'OpenCode',
  command: 'a command',
  jsonl: 'a program of the line protocol',
  module: 'a module',
  model: 'a model',
};

/** What users set for agents, as it goes on after "has no way to". */
const common: Readonly<Record<string, string>> = {
  program: 'be another program; give its command',
  model: 'choose a model; pass it in its own arguments',
  fallbackModel: 'fall back to another model',
  effort: 'set the effort',
  maxTurns: 'limit its turns; set a timeout on the task',
  maxBudgetUsd: 'limit its cost; set a budget on the task or the run',
  permissionMode: 'ask for permissions',
  allowedTools: 'be given tools by name',
  disallowedTools: 'be refused tools by name',
  systemPrompt: 'replace its system prompt; put it into the prompt of the task',
  appendSystemPrompt: 'add to its system prompt; put it into the prompt of the task',
  addDirectories: 'be given further directories',
  mcpServers: 'use MCP servers',
  mcpConfig: 'read an MCP configuration; give mcpServers',
  extraArguments: 'take further arguments; put them into its command',
  sandbox: 'choose a sandbox',
  price: 'be priced; it reports its cost itself',
  environment: 'have an environment of its own',
  inheritEnvironment: 'inherit variables',
};

const refusals: Readonly<Partial<Record<AdapterName, Readonly<Record<string, string>>>>> = {
  codex: {
    permissionMode: 'never asks for permissions; choose a sandbox',
    allowedTools: 'has no list of tools; choose a sandbox',
    disallowedTools: 'has no list of tools; choose a sandbox',
    systemPrompt: 'keeps its system prompt; use appendSystemPrompt',
  },
  gemini: {
    effort: 'has no way to set the effort; choose another model',
    maxTurns: 'takes a limit of turns only from its own settings (model.maxSessionTurns); set a timeout on the task',
    mcpServers: 'takes MCP servers only from its own settings; add them with `gemini mcp add`',
  },
  opencode: {
    allowedTools: 'allows tools in its own configuration; set permissionMode to auto, or allow them there',
    addDirectories: "works in the task's folder alone; allow others in its own configuration",
  },
  model: {
    environment: 'reads key and address from the environment of the user alone; set environmentPrefix',
    inheritEnvironment: 'reads key and address from the environment of the user alone; set environmentPrefix',
    appendSystemPrompt: 'has no system prompt of its own to add to; use systemPrompt',
    program: 'is no program; set provider and model',
    maxTurns: 'answers in one turn',
    permissionMode: 'uses no tools',
    allowedTools: 'uses no tools',
    disallowedTools: 'uses no tools',
  },
};

function isAdapter(adapter: string): adapter is AdapterName {
  return Object.hasOwn(agentSchemas, adapter);
}

function propertiesOf(adapter: AdapterName): ReadonlySet<string> {
  const schema = agentSchemas[adapter];
  return new Set('properties' in schema && isFields(schema.properties) ? Object.keys(schema.properties) : []);
}
