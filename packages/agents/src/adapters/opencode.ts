/**
 * OpenCode, one-shot: `opencode run --format json`, the prompt on stdin.
 *
 * Its traps: a permission that nobody can give is refused with a word on stderr and exit code 0, without a final text; a
 * busy provider makes it silent for minutes; a model that it has no price for costs 0 by its own count.
 */
import { type Adapter, type LaunchPlan, type PlanContext, programOf } from '../adapter.ts';
import type { AgentTask, OpencodeAgentDefinition } from '../definition.ts';
import { promptWithSchema, requireSessionId } from '../task-text.ts';
import { OpencodeParser } from './opencode-parser.ts';

export const opencode: Adapter<OpencodeAgentDefinition> = {
  format: 'jsonl',
  dialogue: undefined,
  files: (definition) => {
    const settings = settingsOf(definition);
    return settings === undefined ? {} : { [settingsFile]: JSON.stringify(settings, null, 2) };
  },
  plan,
  parse: (definition, task, prices) => new OpencodeParser(definition, task, prices),
};

const settingsFile = 'opencode.json';

function plan(definition: OpencodeAgentDefinition, task: AgentTask, { pathOf }: PlanContext): LaunchPlan {
  const prompt = promptWithSchema(task);
  const flags: string[] = [];
  const add = (flag: string, value: string | undefined) => {
    if (value !== undefined) flags.push(`--${flag}=${value}`);
  };
  add('model', definition.model);
  add('variant', definition.effort);
  add('agent', definition.agent);
  if (definition.permissionMode === 'auto') flags.push('--auto');
  add('session', requireSessionId(task));
  const settings = settingsOf(definition) === undefined ? {} : { OPENCODE_CONFIG: pathOf(settingsFile) };
  return {
    command: [
      ...programOf(definition.program, 'opencode'),
      ...['run', '--format=json', ...flags],
      ...(definition.extraArguments ?? []),
    ],
    // A fleet must not change its own version in mid-run.
    environment: { OPENCODE_DISABLE_AUTOUPDATE: '1', ...settings },
    inheritEnvironment: ['OPENCODE_*', 'ANTHROPIC_*', 'OPENAI_*', 'GEMINI_*', 'GOOGLE_*', 'OPENROUTER_*'],
    neverInherit: [],
    stdin: prompt,
    prompt,
    howToInstall: 'Install OpenCode (npm install -g opencode-ai) or set `program` to its path.',
  };
}

/** What it takes only from a file; undefined where there is nothing of the kind. */
function settingsOf(definition: OpencodeAgentDefinition): object | undefined {
  const servers = Object.entries(definition.mcpServers ?? {}).map(([name, server]) => [
    name,
    'url' in server
      ? { type: 'remote', url: server.url, ...(server.headers === undefined ? {} : { headers: server.headers }) }
      : { type: 'local', command: server.command, environment: server.environment ?? {} },
  ]);
  const tools = (definition.disallowedTools ?? []).map((tool) => [tool, false]);
  const settings = {
    ...(servers.length === 0 ? {} : { mcp: Object.fromEntries(servers) }),
    ...(tools.length === 0 ? {} : { tools: Object.fromEntries(tools) }),
  };
  return Object.keys(settings).length === 0 ? undefined : settings;
}
