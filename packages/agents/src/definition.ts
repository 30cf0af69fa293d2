/** What configures an agent, and what one attempt is asked to do. */
import type { Containment } from '@cadre/spawner';
import type { JsonValue } from './event.ts';
import type { ModelPrice } from './price.ts';
import type { SessionTotal } from './usage.ts';

interface ProcessDefinition {
  /** Variables set for the program, over everything inherited. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Names of variables to inherit beside the adapter's own list; a trailing `*` stands for any ending. */
  readonly inheritEnvironment?: readonly string[];
}

/** What all programs of vendors have. */
interface VendorDefinition extends ProcessDefinition {
  /** The program, or the program and what comes before our own arguments. @default the adapter's name, found on PATH */
  readonly program?: string | readonly string[];
  readonly model?: string;
  /** What the tokens of `model` cost, instead of public list prices. */
  readonly price?: ModelPrice;
  /** MCP servers by name, beside those that the program has of its own. */
  readonly mcpServers?: Readonly<Record<string, McpServer>>;
  /** Arguments added after ours, as they stand. */
  readonly extraArguments?: readonly string[];
}

/** A server of the Model Context Protocol: a program that speaks over its stdin and stdout, or an address. */
export type McpServer =
  | { readonly command: readonly string[]; readonly environment?: Readonly<Record<string, string>> }
  | { readonly url: string; readonly headers?: Readonly<Record<string, string>> };

/** A program that speaks the line protocol of this package (see docs/line-protocol.md). */
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
export interface ClaudeAgentDefinition extends VendorDefinition {
  readonly adapter: 'claude';
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
}

/** Codex CLI. Its `model` is also what tokens are priced by: without it the cost is `unpriced`. */
export interface CodexAgentDefinition extends VendorDefinition {
  readonly adapter: 'codex';
  readonly effort?: 'minimal' | 'low' | 'medium' | 'high' | 'xhigh';
  /** The same as `effort`, in the program's own word. */
  readonly reasoningEffort?: 'minimal' | 'low' | 'medium' | 'high' | 'xhigh';
  readonly sandbox?: 'read-only' | 'workspace-write' | 'danger-full-access';
  /** Added to the system prompt. */
  readonly appendSystemPrompt?: string;
  /** Run outside a git repository too. @default false */
  readonly skipGitRepoCheck?: boolean;
  readonly addDirectories?: readonly string[];
  /** Settings for `--config`: key to TOML text, for example `{ web_search: '"disabled"' }`. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Gemini CLI. MCP servers, a limit of turns and the way to log in are settings of its own (`~/.gemini/settings.json`). */
export interface GeminiAgentDefinition extends Omit<VendorDefinition, 'mcpServers'> {
  readonly adapter: 'gemini';
  /** `auto_edit` lets it edit, `yolo` everything; in `default` it has no shell tool when nobody is there to ask. */
  readonly permissionMode?: 'default' | 'auto_edit' | 'yolo' | 'plan';
  readonly allowedTools?: readonly string[];
  readonly disallowedTools?: readonly string[];
  readonly addDirectories?: readonly string[];
  /** Work in a folder that the user has not said to trust; it refuses to start there otherwise. @default false */
  readonly trustFolder?: boolean;
}

/** OpenCode. Its `model` is `provider/model`. */
export interface OpencodeAgentDefinition extends VendorDefinition {
  readonly adapter: 'opencode';
  /** What it calls a variant of the model, such as `high`. */
  readonly effort?: string;
  /** `auto` approves everything that is not denied; else what would be asked is refused. @default 'ask' */
  readonly permissionMode?: 'ask' | 'auto';
  /** Tools that it does not have at all. */
  readonly disallowedTools?: readonly string[];
  /** Which of its own agents answers, such as `build` or `plan`. */
  readonly agent?: string;
}

/**
 * A provider's API, called directly: a prompt in, a text or a structured value out; no tools. Key and address come from
 * the user's environment alone, `<environmentPrefix>_API_KEY` and `<environmentPrefix>_BASE_URL`, so that no project file
 * can send a key elsewhere.
 */
export interface ModelAgentDefinition {
  readonly adapter: 'model';
  /** `openai` speaks chat completions, which many other providers offer too. */
  readonly provider: 'anthropic' | 'openai' | 'gemini';
  readonly model: string;
  /** @default ANTHROPIC, OPENAI or GEMINI, by the provider */
  readonly environmentPrefix?: string;
  readonly systemPrompt?: string;
  readonly effort?: 'low' | 'medium' | 'high';
  /** @default 8192 */
  readonly maxOutputTokens?: number;
  /** Tries after the first, of what the provider says is worth another. @default 3 */
  readonly maxRetries?: number;
  /** A longer wait than this is not waited for: the attempt fails and says when to try again. @default 60,000 */
  readonly maxRetryWaitMs?: number;
  readonly price?: ModelPrice;
}

/** What a workflow file's `agents:` entry says. Paths are absolute by now. */
export type AgentDefinition =
  | JsonlAgentDefinition
  | CommandAgentDefinition
  | ModuleAgentDefinition
  | ClaudeAgentDefinition
  | CodexAgentDefinition
  | GeminiAgentDefinition
  | OpencodeAgentDefinition
  | ModelAgentDefinition;

/** How an agent is spoken to, by name: `claude`, `codex`, `gemini`, `opencode`, `command`, `jsonl`, `module` or `model`. */
export type AdapterName = AgentDefinition['adapter'];

/** What a program may take together with everything it starts. */
export interface AgentLimits {
  /** Resident, in bytes, seen at samples four times a second; beyond it the agent is ended: `memory`. @default Infinity */
  readonly memoryBytes?: number;
  /** In bytes, on stdout and stderr together, over the life of its process; beyond it the agent is ended: `badOutput`. @default Infinity */
  readonly outputBytes?: number;
  /** The processors it may use, by number (Linux). @default those that this process may use */
  readonly cpus?: readonly number[];
  /**
   * What ending it reaches, or several such in order of preference, as `@cadre/spawner` has them: with `strong` nothing that it
   * starts can get away. @default 'tree'
   */
  readonly containment?: Containment | readonly Containment[];
}

export interface AgentTask {
  readonly prompt: string;
  /**
   * Structured input. `jsonl` and `module` get it as it is; agents that read text find it below the prompt, marked as
   * data; a `command` does not get it.
   */
  readonly input?: JsonValue;
  readonly cwd: string;
  /** Added last, over the definition's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A JSON Schema that the output must meet: the agent is asked to, and the output is checked whatever the program can do. */
  readonly outputSchema?: object;
  readonly resumeSessionId?: string;
  /** `sessionTotal` of the outcome that `resumeSessionId` came from; without it a resumed session's cost may be unpriced. */
  readonly resumeSessionTotal?: SessionTotal;
  /** @default Infinity */
  readonly timeoutMs?: number;
  /** Longest silence on stdout and stderr. Some agents are silent for minutes while they back off. @default Infinity */
  readonly idleTimeoutMs?: number;
  /** Of an agent that is a program: a `module` and a `model` have none, and refuse them. */
  readonly limits?: AgentLimits;
  /** prompt.txt, input.json, stdout.raw, stderr.txt and exit.json are written here. Created when missing. */
  readonly attemptDirectory?: string;
}
