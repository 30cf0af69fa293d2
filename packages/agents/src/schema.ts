/**
 * JSON Schemas of the definitions, for a workflow file's own schema and for editors. Written in the part that draft-07 and
 * 2020-12 share.
 */
import type {
  AdapterName,
  AgentDefinition,
  ClaudeAgentDefinition,
  CodexAgentDefinition,
  CommandAgentDefinition,
  JsonlAgentDefinition,
  ModuleAgentDefinition,
} from './definition.ts';

const text = (description: string) => ({ type: 'string', minLength: 1, description });
const texts = (description: string) => ({ type: 'array', items: { type: 'string' }, description });
const choice = (description: string, values: readonly string[]) => ({ type: 'string', enum: values, description });

const program = (name: string) => ({
  description: `The program to start, or a list: the program and its leading arguments. Default: ${name}, looked up on PATH.`,
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'array', items: { type: 'string' }, minItems: 1 },
  ],
});

const command = (description: string) => ({
  type: 'array',
  items: { type: 'string' },
  minItems: 1,
  description: `${description} The first entry is the program, the rest its arguments; no shell is involved.`,
});

const processProperties = {
  environment: {
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'Environment variables set for the program, over everything it inherits.',
  },
  inheritEnvironment: texts(
    'Names of further environment variables the program inherits; a trailing * stands for any ending, as in AWS_*.',
  ),
};

/** The schema of each adapter's definition: an object that refuses unknown keys. */
export const agentSchemas: Readonly<Record<AdapterName, object>> = {
  jsonl: definition<JsonlAgentDefinition>('jsonl', 'A program that prints JSON lines.', ['command'], {
    command: command('The program that gets the task as one JSON line on stdin.'),
    ...processProperties,
  }),
  command: definition<CommandAgentDefinition>('command', 'Any program: prompt in, plain text out.', ['command'], {
    command: command('The program that is run.'),
    promptVia: choice('How the program gets the prompt: on stdin (default) or as its last argument.', [
      'stdin',
      'argument',
    ]),
    ...processProperties,
  }),
  module: definition<ModuleAgentDefinition>(
    'module',
    'A function of an ES module, run in a worker thread.',
    ['module'],
    {
      module: text('Path of the ES module, relative to the workflow file.'),
      export: text('Name of the exported function. Default: default.'),
    },
  ),
  claude: definition<ClaudeAgentDefinition>('claude', 'Claude Code.', [], {
    program: program('claude'),
    model: text('Model alias or id, for example sonnet.'),
    fallbackModel: text('Model to use when the first is overloaded.'),
    effort: choice('How hard the model thinks.', ['low', 'medium', 'high', 'xhigh', 'max']),
    allowedTools: texts('Tools that need no permission, for example Read or Bash(git log *).'),
    disallowedTools: texts('Tools that are refused.'),
    permissionMode: choice('What happens when a tool needs permission.', [
      'acceptEdits',
      'auto',
      'bypassPermissions',
      'manual',
      'dontAsk',
      'plan',
    ]),
    maxTurns: { type: 'integer', minimum: 1, description: 'Most turns of the model before the attempt fails.' },
    maxBudgetUsd: {
      type: 'number',
      exclusiveMinimum: 0,
      description: 'Most US dollars; checked between calls, so overshot by up to one call.',
    },
    systemPrompt: text('Replaces the system prompt.'),
    appendSystemPrompt: text('Added to the system prompt.'),
    addDirectories: texts('Further directories the agent may work in.'),
    mcpConfig: text('MCP servers: a file or JSON text.'),
    extraArguments: texts('Further arguments, passed as they stand.'),
    ...processProperties,
  }),
  codex: definition<CodexAgentDefinition>('codex', 'Codex CLI.', [], {
    program: program('codex'),
    model: text('Model id; also what tokens are priced by.'),
    reasoningEffort: choice('How hard the model thinks.', ['minimal', 'low', 'medium', 'high', 'xhigh']),
    sandbox: choice('What its commands may touch.', ['read-only', 'workspace-write', 'danger-full-access']),
    skipGitRepoCheck: { type: 'boolean', description: 'Run outside a git repository too. Default: false.' },
    addDirectories: texts('Further directories the agent may work in.'),
    config: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Settings of the program: key to TOML text.',
    },
    extraArguments: texts('Further arguments, passed as they stand.'),
    ...processProperties,
  }),
};

/** The type sees to it that a schema has exactly the keys of its definition. */
function definition<Definition extends AgentDefinition>(
  adapter: Definition['adapter'],
  description: string,
  required: readonly (keyof Definition)[],
  properties: Readonly<Record<Exclude<keyof Definition, 'adapter'>, object>>,
): object {
  return {
    type: 'object',
    description,
    required: ['adapter', ...required],
    additionalProperties: false,
    properties: { adapter: { const: adapter, description: 'How to speak to the program.' }, ...properties },
  };
}
