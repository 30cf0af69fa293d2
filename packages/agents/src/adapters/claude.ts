/**
 * Claude Code: `claude -p --output-format stream-json --verbose`, the prompt on stdin. Where somebody answers permissions
 * its stdin is a stream of JSON lines that stays open, and it asks there.
 */
import { type Adapter, type LaunchPlan, type PlanContext, programOf } from '../adapter.ts';
import type { AgentTask, ClaudeAgentDefinition, McpServer } from '../definition.ts';
import { promptWithInput, requireSessionId } from '../task-text.ts';
import { claudeDialogue } from './claude-dialogue.ts';
import { ClaudeParser } from './claude-parser.ts';

export const claude: Adapter<ClaudeAgentDefinition> = {
  format: 'jsonl',
  dialogue: claudeDialogue,
  // In a file, since the arguments of a program are for everybody to see.
  files: ({ mcpServers }) => (mcpServers === undefined ? {} : { [serversFile]: serversText(mcpServers) }),
  plan,
  parse: (_definition, task, prices) => new ClaudeParser(task, prices),
};

const serversFile = 'mcp-servers.json';

function plan(definition: ClaudeAgentDefinition, task: AgentTask, { pathOf, asks }: PlanContext): LaunchPlan {
  const prompt = promptWithInput(task);
  const flags: string[] = [];
  // `--flag=value` throughout: a value that begins with a dash stays a value.
  const add = (flag: string, value: string | number | undefined) => {
    if (value !== undefined) flags.push(`--${flag}=${value}`);
  };
  if (asks) flags.push('--input-format=stream-json', '--permission-prompt-tool=stdio');
  add('model', definition.model);
  add('fallback-model', definition.fallbackModel);
  add('effort', definition.effort);
  add('permission-mode', definition.permissionMode);
  for (const tool of definition.allowedTools ?? []) add('allowedTools', tool);
  for (const tool of definition.disallowedTools ?? []) add('disallowedTools', tool);
  add('max-turns', definition.maxTurns);
  add('max-budget-usd', definition.maxBudgetUsd);
  add('system-prompt', definition.systemPrompt);
  add('append-system-prompt', definition.appendSystemPrompt);
  for (const directory of definition.addDirectories ?? []) add('add-dir', directory);
  add('mcp-config', definition.mcpConfig);
  if (definition.mcpServers !== undefined) add('mcp-config', pathOf(serversFile));
  if (task.outputSchema !== undefined) add('json-schema', JSON.stringify(task.outputSchema));
  add('resume', requireSessionId(task));
  return {
    command: [
      ...programOf(definition.program, 'claude'),
      ...['-p', '--output-format', 'stream-json', '--verbose'],
      ...flags,
      ...(definition.extraArguments ?? []),
    ],
    // A fleet must not change its own version in mid-run.
    environment: { DISABLE_AUTOUPDATER: '1' },
    inheritEnvironment: ['ANTHROPIC_*', 'CLAUDE_*', 'API_TIMEOUT_MS', 'DISABLE_TELEMETRY', 'DISABLE_ERROR_REPORTING'],
    // They would make it believe that it runs inside another Claude Code, or talks to that one's editor.
    neverInherit: ['CLAUDECODE', 'CLAUDE_CODE_ENTRYPOINT', 'CLAUDE_CODE_SSE_PORT'],
    stdin: asks ? claudeDialogue.turn(prompt) : prompt,
    prompt,
    howToInstall: 'Install Claude Code (npm install -g @anthropic-ai/claude-code) or set `program` to its path.',
  };
}

function serversText(servers: Readonly<Record<string, McpServer>>): string {
  const mcpServers = Object.entries(servers).map(([name, server]) => [
    name,
    'url' in server
      ? { type: 'http', url: server.url, headers: server.headers ?? {} }
      : { command: server.command[0], args: server.command.slice(1), env: server.environment ?? {} },
  ]);
  return JSON.stringify({ mcpServers: Object.fromEntries(mcpServers) }, null, 2);
}
