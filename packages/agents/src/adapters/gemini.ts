/**
 * Gemini CLI, one-shot: `gemini -o stream-json`, the prompt on stdin.
 *
 * Its traps: it exits 0 after a signal without having said anything, so only its `result` line is a success; it waits for
 * minutes in silence while it retries, which only stderr tells; a login by key at another address must be named in its
 * settings, and those and a limit of turns can be given to it only as a file.
 */
import { type Adapter, type LaunchPlan, type PlanContext, programOf } from '../adapter.ts';
import type { AgentTask, GeminiAgentDefinition } from '../definition.ts';
import { promptWithSchema, requireSessionId } from '../task-text.ts';
import { GeminiParser } from './gemini-parser.ts';

export const gemini: Adapter<GeminiAgentDefinition> = {
  format: 'jsonl',
  dialogue: undefined,
  files: (definition) => {
    const settings = settingsOf(definition);
    return settings === undefined ? {} : { [settingsFile]: JSON.stringify(settings, null, 2) };
  },
  plan,
  parse: (definition, task, prices) => new GeminiParser(definition, task, prices),
};

const settingsFile = 'gemini-settings.json';

function plan(definition: GeminiAgentDefinition, task: AgentTask, { pathOf }: PlanContext): LaunchPlan {
  const prompt = promptWithSchema(task);
  const flags: string[] = [];
  const add = (flag: string, value: string | undefined) => {
    if (value !== undefined) flags.push(`--${flag}=${value}`);
  };
  add('model', definition.model);
  add('approval-mode', definition.permissionMode);
  for (const directory of definition.addDirectories ?? []) add('include-directories', directory);
  if (definition.trustFolder === true) flags.push('--skip-trust');
  add('resume', requireSessionId(task));
  const settings =
    settingsOf(definition) === undefined ? {} : { GEMINI_CLI_SYSTEM_SETTINGS_PATH: pathOf(settingsFile) };
  return {
    command: [
      ...programOf(definition.program, 'gemini'),
      ...['--output-format=stream-json', ...flags],
      ...(definition.extraArguments ?? []),
    ],
    // Without it a parent process stays that ignores TERM.
    environment: { GEMINI_CLI_NO_RELAUNCH: 'true', ...settings },
    inheritEnvironment: ['GEMINI_*', 'GOOGLE_*'],
    // The mark of an enclosing session.
    neverInherit: ['GEMINI_CLI'],
    stdin: prompt,
    prompt,
    howToInstall: 'Install Gemini CLI (npm install -g @google/gemini-cli) or set `program` to its path.',
  };
}

/** What it takes only from a file; undefined where there is nothing of the kind. */
function settingsOf(definition: GeminiAgentDefinition): object | undefined {
  const { maxTurns, allowedTools, disallowedTools, auth } = definition;
  const mcpServers = Object.entries(definition.mcpServers ?? {}).map(([name, server]) => [
    name,
    'url' in server
      ? { httpUrl: server.url, ...(server.headers === undefined ? {} : { headers: server.headers }) }
      : { command: server.command[0], args: server.command.slice(1), env: server.environment ?? {} },
  ]);
  const settings = {
    ...(maxTurns === undefined ? {} : { model: { maxSessionTurns: maxTurns } }),
    ...(allowedTools === undefined && disallowedTools === undefined
      ? {}
      : { tools: { allowed: allowedTools, exclude: disallowedTools } }),
    ...(auth === undefined ? {} : { security: { auth: { selectedType: auth } } }),
    ...(mcpServers.length === 0 ? {} : { mcpServers: Object.fromEntries(mcpServers) }),
  };
  return Object.keys(settings).length === 0 ? undefined : settings;
}
