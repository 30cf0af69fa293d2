/**
 * Gemini CLI, one-shot: `gemini -o stream-json`, the prompt on stdin.
 *
 * Its traps: it exits 0 after a signal without having said anything, so only its `result` line is a success; it waits for
 * minutes in silence while it retries, which only stderr tells. A limit of turns and MCP servers it takes only from settings
 * of the user or of the machine, which are not ours to write (a file that GEMINI_CLI_SYSTEM_DEFAULTS_PATH names counts only
 * where it and the folders above it are root's).
 */
import { type Adapter, type LaunchPlan, type PlanContext, programOf } from '../adapter.ts';
import type { AgentTask, GeminiAgentDefinition } from '../definition.ts';
import { promptWithSchema, requireSessionId } from '../task-text.ts';
import { GeminiParser } from './gemini-parser.ts';

export const gemini: Adapter<GeminiAgentDefinition> = {
  format: 'jsonl',
  dialogue: undefined,
  files: ({ disallowedTools = [] }) =>
    disallowedTools.length === 0 ? {} : { [policyFile]: disallowedTools.map(denyRule).join('\n') },
  plan,
  parse: (definition, task, prices) => new GeminiParser(definition, task, prices),
};

const policyFile = 'gemini-policy.toml';

function plan(definition: GeminiAgentDefinition, task: AgentTask, { pathOf }: PlanContext): LaunchPlan {
  const prompt = promptWithSchema(task);
  const flags: string[] = [];
  const add = (flag: string, value: string | undefined) => {
    if (value !== undefined) flags.push(`--${flag}=${value}`);
  };
  add('model', definition.model);
  add('approval-mode', definition.permissionMode);
  for (const tool of definition.allowedTools ?? []) add('allowed-tools', tool);
  if ((definition.disallowedTools ?? []).length > 0) add('policy', pathOf(policyFile));
  for (const directory of definition.addDirectories ?? []) add('include-directories', directory);
  if (definition.trustFolder === true) flags.push('--skip-trust');
  add('resume', requireSessionId(task));
  return {
    command: [
      ...programOf(definition.program, 'gemini'),
      ...['--output-format=stream-json', ...flags],
      ...(definition.extraArguments ?? []),
    ],
    // Without it a parent process stays that ignores TERM.
    environment: { GEMINI_CLI_NO_RELAUNCH: 'true' },
    inheritEnvironment: ['GEMINI_*', 'GOOGLE_*'],
    // The mark of an enclosing session.
    neverInherit: ['GEMINI_CLI'],
    stdin: prompt,
    prompt,
    howToInstall: 'Install Gemini CLI (npm install -g @google/gemini-cli) or set `program` to its path.',
  };
}

/** A rule of its policy engine, above those that a mode or the user brings. */
function denyRule(tool: string): string {
  return `[[rule]]\ntoolName = ${JSON.stringify(tool)}\ndecision = "deny"\npriority = 999\n`;
}
