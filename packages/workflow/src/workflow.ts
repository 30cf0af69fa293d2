/**
 * A workflow as the rest of the package knows it: what `load` makes of a file and `defineWorkflow` of an object. By now
 * every name has been resolved, every default filled in, every path made absolute and every expression compiled.
 */
import type { AgentDefinition, AgentLimits, FailureReason } from '@cadre/agents';
import type { Expression, Template } from './expression.ts';

/** What JSON can say. Inputs, `with`, outputs and results are such values. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export interface Workflow {
  readonly name: string;
  readonly description?: string;
  /** Absolute path of the file it was read from; undefined for one made by `defineWorkflow`. */
  readonly file?: string;
  /** The text it was read from: a run keeps a copy, so that it can be resumed after the file has changed. */
  readonly source: string;
  /** Absolute folder that relative paths in the workflow start from. */
  readonly directory: string;
  readonly inputs: Readonly<Record<string, InputDefinition>>;
  readonly agents: Readonly<Record<string, WorkflowAgent>>;
  /** In the order of the file. */
  readonly tasks: readonly TaskDefinition[];
  /** Attempts at once in this run. @default the caller's setting */
  readonly concurrency?: number;
  /** `continue`: tasks that don't need the failed one go on. `stop`: nothing new starts. @default 'continue' */
  readonly onFailure: 'continue' | 'stop';
  /** The task whose output is what the run is for. @default the last task of the file */
  readonly result: string;
}

export interface InputDefinition {
  readonly type: 'string' | 'number' | 'boolean' | 'path';
  readonly description?: string;
  /** Undefined: the caller must give a value. A relative `path` starts at the workflow's directory. */
  readonly default?: string | number | boolean;
  readonly choices?: readonly (string | number)[];
}

export interface WorkflowAgent {
  readonly name: string;
  readonly definition: AgentDefinition;
  /** Attempts of this agent at once. @default Infinity */
  readonly concurrency: number;
}

export interface TaskDefinition {
  readonly id: string;
  /** Key in `Workflow.agents`. */
  readonly agent: string;
  readonly group?: string;
  readonly description?: string;
  /** Ids of the tasks whose outputs this one needs. */
  readonly needs: readonly string[];
  readonly prompt: Template;
  /** Values handed to the agent as `input.with`. */
  readonly with: Template;
  /** Whether to run at all, once every need is settled. */
  readonly when?: Expression;
  /** Glob patterns of the files whose content the result depends on; `!` excludes. */
  readonly reads: readonly Template[];
  /** Files that the task writes: kept with its result and put back when the result is reused. */
  readonly writes: readonly Template[];
  /** Folder in which the agent runs. @default the workflow's directory */
  readonly cwd?: Template;
  /** @default Infinity */
  readonly timeoutMs: number;
  /** Longest silence of the agent. @default Infinity */
  readonly idleTimeoutMs: number;
  /** What the agent's program may take. @default no limits */
  readonly limits?: AgentLimits;
  readonly retry: RetryPolicy;
  /** Whether an equal result of an earlier run is reused. @default true */
  readonly cache: boolean;
  /** JSON Schema that the output must meet. */
  readonly output?: Readonly<Record<string, JsonValue>>;
}

export interface RetryPolicy {
  /** Tries in all, the first included; at least 1. @default 3 */
  readonly attempts: number;
  /** Failures worth another try. @default whatever the outcome itself calls retryable */
  readonly on?: readonly FailureReason[];
  readonly baseMs: number;
  readonly maxMs: number;
}

/** What expressions can see. */
export interface Scope {
  readonly inputs: Readonly<Record<string, JsonValue>>;
  readonly tasks: Readonly<Record<string, { readonly status: string; readonly output: JsonValue }>>;
}
