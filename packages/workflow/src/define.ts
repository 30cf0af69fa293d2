/** Workflows made in code: the same shape as the file, checked the same way, without lines and columns. */
import { resolve } from 'node:path';
import type { AgentDefinition, AgentLimits, FailureReason } from '@cadre/agents';
import { buildWorkflow } from './build.ts';
import { WorkflowInvalidError } from './errors.ts';
import { Findings, formatPath, type PathSegment } from './problems.ts';
import type { InputDefinition, JsonValue, Workflow } from './workflow.ts';
import { maxDepth } from './yaml-values.ts';

/** What a workflow file says, as an object. Durations are texts such as `30s`; expressions are `${{ … }}` in strings. */
export interface WorkflowDefinition {
  readonly name: string;
  readonly description?: string;
  /** @default type 'string' */
  readonly inputs?: Readonly<Record<string, Partial<InputDefinition>>>;
  readonly agents: Readonly<Record<string, WorkflowAgentInput>>;
  readonly tasks: Readonly<Record<string, TaskInput>>;
  readonly concurrency?: number;
  /** @default 'continue' */
  readonly onFailure?: 'continue' | 'stop';
  /** @default the last task */
  readonly result?: string;
  readonly defaults?: {
    readonly timeout?: string;
    readonly limits?: LimitsInput;
    readonly retry?: RetryInput;
    readonly cache?: boolean;
  };
}

/** An agent of a workflow made in code; `concurrency` bounds how many of its tasks run at once. */
export type WorkflowAgentInput = AgentDefinition & { readonly description?: string; readonly concurrency?: number };

export interface TaskInput {
  readonly agent: string;
  readonly group?: string;
  readonly description?: string;
  readonly needs?: string | readonly string[];
  /** @default '' */
  readonly prompt?: string;
  readonly with?: Readonly<Record<string, JsonValue>>;
  readonly when?: string;
  readonly reads?: string | readonly string[];
  readonly writes?: string | readonly string[];
  readonly cwd?: string;
  readonly timeout?: string;
  readonly idleTimeout?: string;
  /** Of agents that are programs. */
  readonly limits?: LimitsInput;
  readonly retry?: RetryInput;
  /** @default true */
  readonly cache?: boolean;
  readonly output?: Readonly<Record<string, JsonValue>>;
}

export interface DefineWorkflowOptions {
  /** Where relative paths start. */
  readonly directory: string;
  /** Whether programs and modules given by a relative path must be there. @default true */
  readonly checkFiles?: boolean;
}

/** Sizes are written `512KiB`, `100MiB`, `2GiB`. */
export interface LimitsInput extends Pick<AgentLimits, 'cpus' | 'containment'> {
  readonly memory?: string;
  readonly output?: string;
}

/** A number is the tries in all. */
export type RetryInput =
  | number
  | {
      readonly attempts?: number;
      readonly on?: FailureReason | readonly FailureReason[];
      readonly base?: string;
      readonly max?: string;
    };

/**
 * The workflow of an object of the file's shape. The object is copied; `Workflow.source` is its JSON text, and
 * `defineWorkflow(JSON.parse(source), …)` gives the same workflow again.
 * @throws {WorkflowInvalidError} WORKFLOW_INVALID with every problem in it (1,000 at most).
 * Cost: linear in its size, 6 to 14 µs a task.
 */
export function defineWorkflow(definition: WorkflowDefinition, options: DefineWorkflowOptions): Workflow {
  const findings = new Findings();
  const value = copyJson(definition, [], findings);
  const { directory, checkFiles = true } = options;
  const origin = { file: undefined, source: '', directory: resolve(directory), checkFiles };
  const workflow = buildWorkflow(value, origin, findings);
  if (findings.list.length > 0) {
    const problems = findings.list.map(({ message, path, suggestion }) => {
      const problem = { message, file: undefined, line: 0, column: 0, path: formatPath(path) };
      return suggestion === undefined ? problem : { ...problem, suggestion };
    });
    throw new WorkflowInvalidError('The workflow', problems);
  }
  return { ...workflow, source: JSON.stringify(value) };
}

/** A copy as JSON would have it: keys of the value undefined are left out. `path` is where it stands, changed on the way. */
function copyJson(value: unknown, path: PathSegment[], findings: Findings): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (path.length > maxDepth) {
    return refuse(`this is nested more than ${maxDepth} levels deep, or holds itself`, path, findings);
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => {
      path.push(index);
      const copy = copyJson(item, path, findings);
      path.pop();
      return copy;
    });
  }
  if (!isPlainObject(value)) {
    return refuse(`a workflow holds what JSON can say, and this is ${nameOf(value)}`, path, findings);
  }
  const copy: Record<string, JsonValue> = {};
  for (const key of Object.keys(value)) {
    if (value[key] === undefined) continue;
    path.push(key);
    if (key === '__proto__') refuse('the key "__proto__" is refused; use another name', path, findings);
    else copy[key] = copyJson(value[key], path, findings);
    path.pop();
  }
  return copy;
}

function refuse(message: string, path: readonly PathSegment[], findings: Findings): null {
  findings.add({ path: [...path], message });
  return null;
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function nameOf(value: unknown): string {
  if (typeof value === 'number' || value === undefined) return String(value);
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  return `a ${value.constructor?.name ?? 'object'}`;
}
