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
  GeminiAgentDefinition,
  JsonlAgentDefinition,
  ModelAgentDefinition,
  ModuleAgentDefinition,
  OpencodeAgentDefinition,
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

const usd = (description: string) => ({ type: 'number', minimum: 0, description });

const price = {
  type: 'object',
  description: 'US dollars per million tokens of the model, instead of public list prices.',
  required: ['inputUsd', 'outputUsd'],
  additionalProperties: false,
  properties: {
    inputUsd: usd('Input.'),
    outputUsd: usd('Output.'),
    cachedInputUsd: usd('Input read from a cache. Default: inputUsd.'),
    cacheWriteUsd: usd('Input written to a cache. Default: inputUsd.'),
  },
};

const texted = { type: 'object', additionalProperties: { type: 'string' } };

const mcpServers = {
  type: 'object',
  description: 'MCP servers by name: a command, or a url.',
  propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$' },
  additionalProperties: {
    anyOf: [
      {
        type: 'object',
        required: ['command'],
        additionalProperties: false,
        properties: {
          command: command('A server that speaks over its stdin and stdout.'),
          environment: { ...texted, description: 'Environment variables set for the server.' },
        },
      },
      {
        type: 'object',
        required: ['url'],
        additionalProperties: false,
        properties: {
          url: { type: 'string', pattern: '^https?://', description: 'Where the server listens.' },
          headers: { ...texted, description: 'Headers sent with each request.' },
        },
      },
    ],
  },
};

const vendorProperties = { price, mcpServers, extraArguments: texts('Further arguments, passed as they stand.') };

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
    ...vendorProperties,
    ...processProperties,
  }),
  codex: definition<CodexAgentDefinition>('codex', 'Codex CLI.', [], {
    program: program('codex'),
    model: text('Model id; also what tokens are priced by.'),
    effort: choice('How hard the model thinks.', ['minimal', 'low', 'medium', 'high', 'xhigh']),
    reasoningEffort: choice('The same as effort.', ['minimal', 'low', 'medium', 'high', 'xhigh']),
    appendSystemPrompt: text('Added to the system prompt.'),
    sandbox: choice('What its commands may touch.', ['read-only', 'workspace-write', 'danger-full-access']),
    skipGitRepoCheck: { type: 'boolean', description: 'Run outside a git repository too. Default: false.' },
    addDirectories: texts('Further directories the agent may work in.'),
    config: {
      type: 'object',
      additionalProperties: { type: 'string' },
      description: 'Settings of the program: key to TOML text.',
    },
    ...vendorProperties,
    ...processProperties,
  }),
  gemini: definition<GeminiAgentDefinition>('gemini', 'Gemini CLI.', [], {
    program: program('gemini'),
    model: text('Model id, for example gemini-2.5-pro.'),
    permissionMode: choice('What it may do unasked: auto_edit edits, yolo does everything. Default: default.', [
      'default',
      'auto_edit',
      'yolo',
      'plan',
    ]),
    allowedTools: texts('Tools that need no permission, for example run_shell_command(git).'),
    disallowedTools: texts('Tools that it does not have.'),
    addDirectories: texts('Further directories the agent may work in.'),
    trustFolder: { type: 'boolean', description: 'Work in a folder that is not trusted yet. Default: false.' },
    price,
    extraArguments: texts('Further arguments, passed as they stand.'),
    ...processProperties,
  }),
  opencode: definition<OpencodeAgentDefinition>('opencode', 'OpenCode.', [], {
    program: program('opencode'),
    model: text('Provider and model, for example anthropic/claude-sonnet-4-5.'),
    effort: text('Variant of the model, such as high.'),
    permissionMode: choice('Refuse what would be asked (ask, the default) or approve it (auto).', ['ask', 'auto']),
    disallowedTools: texts('Tools that it does not have.'),
    agent: text('Which of its own agents answers, such as build or plan.'),
    ...vendorProperties,
    ...processProperties,
  }),
  model: definition<ModelAgentDefinition>(
    'model',
    "A provider's API, called directly: a prompt in, a text or a structured value out; no tools.",
    ['provider', 'model'],
    {
      provider: choice('Which API it speaks; openai means chat completions, which many providers offer.', [
        'anthropic',
        'openai',
        'gemini',
      ]),
      model: text('Model id.'),
      environmentPrefix: {
        type: 'string',
        pattern: '^[A-Z][A-Z0-9_]{0,63}$',
        description:
          'Key and address are read from <prefix>_API_KEY and <prefix>_BASE_URL. Default: ANTHROPIC, OPENAI or GEMINI.',
      },
      systemPrompt: text('The system prompt.'),
      effort: choice('How hard the model thinks.', ['low', 'medium', 'high']),
      maxOutputTokens: { type: 'integer', minimum: 1, description: 'Longest answer. Default: 8192.' },
      maxRetries: { type: 'integer', minimum: 0, maximum: 20, description: 'Tries after the first. Default: 3.' },
      maxRetryWaitMs: {
        type: 'integer',
        minimum: 0,
        description: 'Longest wait for another try, in milliseconds; beyond it the attempt fails. Default: 60000.',
      },
      price,
    },
  ),
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
