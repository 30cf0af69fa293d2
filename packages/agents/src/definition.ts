/** What configures an agent, and what one attempt is asked to do. */
import type { JsonValue } from './event.ts';
import type { SessionTotal } from './usage.ts';

interface ProcessDefinition {
  /** Variables set for the program, over everything inherited. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Names of variables to inherit beside the adapter's own list; a trailing `*` stands for any ending. */
  readonly inheritEnvironment?: readonly string[];
}

/** A program that speaks the line protocol of this package (see the README). */
export interface JsonlAgentDefinition extends ProcessDefinition {
  readonly adapter: 'jsonl';
  readonly command: readonly string[];
}

/** Any program: prompt in, plain text out. */
export interface CommandAgentDefinition extends ProcessDefinition {
  readonly adapter: 'command';
  readonly command: readonly string[];
  /** @default 'stdin' */
  readonly promptVia?: 'stdin' | 'argument';
}

/** A function that runs in a worker thread. */
export interface ModuleAgentDefinition {
  readonly adapter: 'module';
  /** Absolute path or `file:` URL of an ES module. */
  readonly module: string;
  /** @default 'default' */
  readonly export?: string;
}

/** Claude Code. */
export interface ClaudeAgentDefinition extends ProcessDefinition {
  readonly adapter: 'claude';
  /** The program, or the program and what comes before our own arguments. @default 'claude' */
  readonly program?: string | readonly string[];
  readonly model?: string;
  readonly fallbackModel?: string;
  readonly effort?: 'low' | 'medium' | 'high' | 'xhigh' | 'max';
  readonly allowedTools?: readonly string[];
  readonly disallowedTools?: readonly string[];
  readonly permissionMode?: 'acceptEdits' | 'auto' | 'bypassPermissions' | 'manual' | 'dontAsk' | 'plan';
  readonly maxTurns?: number;
  /** The program checks it between calls to its model, so it is overshot by up to one call. */
  readonly maxBudgetUsd?: number;
  readonly systemPrompt?: string;
  readonly appendSystemPrompt?: string;
  readonly addDirectories?: readonly string[];
  /** File or JSON text, as `--mcp-config` takes it. */
  readonly mcpConfig?: string;
  /** Arguments added after ours, as they stand. */
  readonly extraArguments?: readonly string[];
}

/** Codex CLI. */
export interface CodexAgentDefinition extends ProcessDefinition {
  readonly adapter: 'codex';
  /** The program, or the program and what comes before our own arguments. @default 'codex' */
  readonly program?: string | readonly string[];
  /** Also what tokens are priced by: without it the cost is `unpriced`. */
  readonly model?: string;
  readonly reasoningEffort?: 'minimal' | 'low' | 'medium' | 'high' | 'xhigh';
  readonly sandbox?: 'read-only' | 'workspace-write' | 'danger-full-access';
  /** Run outside a git repository too. @default false */
  readonly skipGitRepoCheck?: boolean;
  readonly addDirectories?: readonly string[];
  /** Settings for `--config`: key to TOML text, for example `{ web_search: '"disabled"' }`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Arguments added after ours and before the prompt, as they stand. */
  readonly extraArguments?: readonly string[];
}

/** What a workflow file's `agents:` entry says. Paths are absolute by now. */
export type AgentDefinition =
  | JsonlAgentDefinition
  | CommandAgentDefinition
  | ModuleAgentDefinition
  | ClaudeAgentDefinition
  | CodexAgentDefinition;

export type AdapterName = AgentDefinition['adapter'];

export interface AgentTask {
  readonly prompt: string;
  /** Structured input. `jsonl` and `module` get it as it is; `claude` and `codex` find it below the prompt, marked as data. */
  readonly input?: JsonValue;
  readonly cwd: string;
  /** Added last, over the definition's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A JSON Schema that the agent is asked to meet. Whether it did is for the caller to check. */
  readonly outputSchema?: object;
  readonly resumeSessionId?: string;
  /** `sessionTotal` of the outcome that `resumeSessionId` came from; without it a resumed session's cost may be unpriced. */
  readonly resumeSessionTotal?: SessionTotal;
  /** @default Infinity */
  readonly timeoutMs?: number;
  /** Longest silence on stdout and stderr. Some agents are silent for minutes while they back off. @default Infinity */
  readonly idleTimeoutMs?: number;
  /** prompt.txt, input.json, stdout.raw, stderr.txt and exit.json are written here. Created when missing. */
  readonly attemptDirectory?: string;
}
