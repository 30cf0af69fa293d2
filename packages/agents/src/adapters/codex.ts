/** Codex CLI, one-shot: `codex exec --json … -`, the prompt on stdin. */
import { type Adapter, type LaunchPlan, type PlanContext, programOf } from '../adapter.ts';
import type { AgentTask, CodexAgentDefinition, McpServer } from '../definition.ts';
import { promptWithInput, requireSessionId } from '../task-text.ts';
import { CodexParser } from './codex-parser.ts';

export const codex: Adapter<CodexAgentDefinition> = {
  format: 'jsonl',
  dialogue: undefined,
  files: (_definition, { outputSchema }) =>
    outputSchema === undefined ? {} : { [schemaFile]: JSON.stringify(outputSchema) },
  plan,
  parse: (definition, task, prices) => new CodexParser(definition, task, prices),
};

const schemaFile = 'output-schema.json';

function plan(definition: CodexAgentDefinition, task: AgentTask, { pathOf }: PlanContext): LaunchPlan {
  const prompt = promptWithInput(task);
  const flags: string[] = [];
  const add = (flag: string, value: string | undefined) => {
    if (value !== undefined) flags.push(`--${flag}=${value}`);
  };
  const effort = definition.effort ?? definition.reasoningEffort;
  const { appendSystemPrompt, mcpServers = {} } = definition;
  add('model', definition.model);
  add('sandbox', definition.sandbox);
  for (const directory of definition.addDirectories ?? []) add('add-dir', directory);
  if (definition.skipGitRepoCheck) flags.push('--skip-git-repo-check');
  if (effort !== undefined) add('config', `model_reasoning_effort="${effort}"`);
  if (appendSystemPrompt !== undefined) add('config', `developer_instructions=${tomlText(appendSystemPrompt)}`);
  for (const [name, server] of Object.entries(mcpServers)) add('config', `mcp_servers.${name}=${tomlServer(server)}`);
  for (const [key, value] of Object.entries(definition.config ?? {})) add('config', `${key}=${value}`);
  if (task.outputSchema !== undefined) add('output-schema', pathOf(schemaFile));
  const sessionId = requireSessionId(task);
  return {
    command: [
      ...programOf(definition.program, 'codex'),
      ...['exec', '--json'],
      ...flags,
      ...(definition.extraArguments ?? []),
      // Options of `exec` are only understood before the word `resume`.
      ...(sessionId === undefined ? [] : ['resume', sessionId]),
      '-',
    ],
    environment: {},
    inheritEnvironment: ['CODEX_*', 'OPENAI_*'],
    neverInherit: [],
    stdin: prompt,
    prompt,
    howToInstall: 'Install Codex (npm install -g @openai/codex) or set `program` to its path.',
  };
}

function tomlServer(server: McpServer): string {
  if ('url' in server) return `{url=${tomlText(server.url)},http_headers=${tomlTable(server.headers ?? {})}}`;
  const [command = '', ...args] = server.command;
  const list = `[${args.map(tomlText).join(',')}]`;
  return `{command=${tomlText(command)},args=${list},env=${tomlTable(server.environment ?? {})}}`;
}

function tomlTable(values: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(values).map(([key, value]) => `${tomlText(key)}=${tomlText(value)}`);
  return `{${pairs.join(',')}}`;
}

/** TOML's basic strings are JSON's, but for DEL. */
function tomlText(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007F');
}
