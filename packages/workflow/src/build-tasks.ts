/** The tasks of a workflow: defaults filled in, durations read, expressions compiled. */
import type { AgentDefinition, AgentLimits, FailureReason } from '@cadre/agents';
import type { Containment } from '@cadre/spawner';
import { longestDurationMs, parseDuration } from './duration.ts';
import {
  type CompileOptions,
  compileCondition,
  compileTemplate,
  type Expression,
  holdsExpression,
  type Reference,
  type Template,
} from './expression.ts';
import { schemaFaults } from './output-schema.ts';
import type { Finding, Findings, Path } from './problems.ts';
import { durationPattern } from './schema.ts';
import { parseSize } from './size.ts';
import { isRecord, type JsonRecord, numberOf, optional, recordOf, textOf, textsOf } from './untyped.ts';
import type { JsonValue, RetryPolicy, TaskDefinition, WorkflowAgent } from './workflow.ts';

/** What one task reads of the scope. */
export interface TaskReference extends Reference {
  /** Its number in the order of the file. */
  readonly task: number;
}

export interface BuiltTasks {
  readonly tasks: readonly TaskDefinition[];
  readonly references: readonly TaskReference[];
}

export function buildTasks(
  given: JsonRecord,
  defaults: JsonRecord,
  agents: Readonly<Record<string, WorkflowAgent>>,
  findings: Findings,
): BuiltTasks {
  const references: TaskReference[] = [];
  const schemas = new Set<string>();
  const common: CommonSettings = {
    timeoutMs: duration(defaults.timeout, ['defaults', 'timeout'], findings) ?? Infinity,
    retry: retryOf(defaults.retry, ['defaults', 'retry'], defaultRetry, findings),
    cache: defaults.cache !== false,
    limits: limitsOf(defaults.limits),
  };
  const tasks = Object.keys(given).map((id, task) => {
    const onReference = (reference: Reference) => references.push({ ...reference, task });
    const fields = recordOf(given[id]);
    const definition = agents[textOf(fields.agent) ?? '']?.definition;
    return new TaskBuilder(id, fields, definition, findings, onReference).build(common, schemas);
  });
  return { tasks, references };
}

interface CommonSettings {
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  readonly cache: boolean;
  readonly limits: AgentLimits | undefined;
}

const noText = compileTemplate('');
const noValues = compileTemplate({});
const noTemplates: readonly Template[] = [];

class TaskBuilder {
  readonly #id: string;
  readonly #fields: JsonRecord;
  /** Of its agent; undefined where there is none, which others report. */
  readonly #definition: AgentDefinition | undefined;
  readonly #findings: Findings;
  readonly #onReference: (reference: Reference) => void;

  constructor(
    id: string,
    fields: JsonRecord,
    definition: AgentDefinition | undefined,
    findings: Findings,
    onReference: (reference: Reference) => void,
  ) {
    this.#id = id;
    this.#fields = fields;
    this.#definition = definition;
    this.#findings = findings;
    this.#onReference = onReference;
  }

  build(common: CommonSettings, schemas: Set<string>): TaskDefinition {
    const { agent, needs, cache, output } = this.#fields;
    if (isRecord(output)) checkOutput(output, this.#path('output'), schemas, this.#findings);
    // Spreading what is absent would cost more than all else for a graph of 100,000 tasks.
    const task: Mutable<TaskDefinition> = {
      id: this.#id,
      agent: textOf(agent) ?? '',
      needs: textsOf(needs),
      prompt: this.#template('prompt', textOf) ?? noText,
      with: this.#template('with', recordOrNone) ?? noValues,
      reads: this.#templates('reads'),
      writes: this.#templates('writes'),
      timeoutMs: this.#duration('timeout') ?? common.timeoutMs,
      idleTimeoutMs: this.#duration('idleTimeout') ?? Infinity,
      retry: this.#retry(common.retry),
      cache: typeof cache === 'boolean' ? cache : common.cache,
    };
    const group = textOf(this.#fields.group);
    if (group !== undefined) task.group = group;
    const description = textOf(this.#fields.description);
    if (description !== undefined) task.description = description;
    const when = this.#condition('when');
    if (when !== undefined) task.when = when;
    const cwd = this.#template('cwd', textOf);
    if (cwd !== undefined) task.cwd = cwd;
    if (isRecord(output)) task.output = output;
    const limits = this.#limits(common.limits);
    if (limits !== undefined) task.limits = limits;
    return task;
  }

  #path(...rest: Path): Path {
    return ['tasks', this.#id, ...rest];
  }

  #compile(value: JsonValue, ...rest: Path): Template {
    // The options are only made where they are used: most values of a large graph hold no expression.
    return holdsExpression(value) ? compileTemplate(value, this.#options(...rest)) : compileTemplate(value);
  }

  #options(...rest: Path): CompileOptions {
    const onFinding = (finding: Finding) => this.#findings.add(finding);
    return { path: this.#path(...rest), onFinding, onReference: this.#onReference };
  }

  #template(key: string, read: (value: JsonValue | undefined) => JsonValue | undefined): Template | undefined {
    const value = read(this.#fields[key]);
    return value === undefined ? undefined : this.#compile(value, key);
  }

  #templates(key: string): readonly Template[] {
    const value = this.#fields[key];
    if (value === undefined) return noTemplates;
    if (typeof value === 'string') return [this.#compile(value, key)];
    if (!Array.isArray(value)) return noTemplates;
    return value.flatMap((item: JsonValue, index) =>
      typeof item === 'string' ? [this.#compile(item, key, index)] : [],
    );
  }

  #condition(key: string): Expression | undefined {
    const value = textOf(this.#fields[key]);
    return value === undefined ? undefined : compileCondition(value, this.#options(key));
  }

  #retry(fallback: RetryPolicy): RetryPolicy {
    const value = this.#fields.retry;
    return value === undefined ? fallback : retryOf(value, this.#path('retry'), fallback, this.#findings);
  }

  /** Those of the workflow are meant for whoever can have them; the task's own must fit its agent. */
  #limits(common: AgentLimits | undefined): AgentLimits | undefined {
    const adapter = this.#definition?.adapter;
    const isProgram = adapter !== 'module' && adapter !== 'model';
    const own = limitsOf(this.#fields.limits);
    if (isProgram) return own === undefined ? common : { ...common, ...own };
    if (own !== undefined) {
      const what = adapter === 'module' ? 'runs in a thread of ours' : 'is asked over the network';
      const message = `task "${this.#id}" can't have limits: a ${adapter} agent ${what}; make it a program to limit it`;
      this.#findings.add({ path: this.#path('limits'), at: 'key', message });
    }
    return undefined;
  }

  #duration(key: string): number | undefined {
    const value = this.#fields[key];
    return value === undefined ? undefined : duration(value, this.#path(key), this.#findings);
  }
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

function recordOrNone(value: JsonValue | undefined): JsonRecord | undefined {
  return isRecord(value) ? value : undefined;
}

function limitsOf(value: JsonValue | undefined): AgentLimits | undefined {
  if (!isRecord(value)) return undefined;
  const { memory, output, cpus, containment } = value;
  const levels = textsOf(containment) as readonly Containment[];
  return {
    ...optional('memoryBytes', parseSize(textOf(memory) ?? '')),
    ...optional('outputBytes', parseSize(textOf(output) ?? '')),
    ...optional('cpus', Array.isArray(cpus) ? cpus.filter((cpu) => typeof cpu === 'number') : undefined),
    ...optional('containment', levels.length > 0 ? levels : undefined),
  };
}

const defaultRetry: RetryPolicy = { attempts: 3, baseMs: 1000, maxMs: 60_000 };

function retryOf(value: JsonValue | undefined, path: Path, fallback: RetryPolicy, findings: Findings): RetryPolicy {
  if (typeof value === 'number') return { ...fallback, attempts: value };
  if (!isRecord(value)) return fallback;
  const on = textsOf(value.on) as readonly FailureReason[];
  const baseMs = duration(value.base, [...path, 'base'], findings) ?? fallback.baseMs;
  const maxMs = duration(value.max, [...path, 'max'], findings) ?? Math.max(fallback.maxMs, baseMs);
  if (baseMs > maxMs) {
    const message = `the longest wait (max, ${maxMs} ms) is shorter than the first (base, ${baseMs} ms)`;
    findings.add({ path: [...path, 'max'], message });
  }
  return {
    attempts: numberOf(value.attempts) ?? fallback.attempts,
    ...optional('on', on.length > 0 ? on : fallback.on),
    baseMs,
    maxMs,
  };
}

const durationShape = new RegExp(durationPattern);

function duration(value: JsonValue | undefined, path: Path, findings: Findings): number | undefined {
  if (typeof value !== 'string' || !durationShape.test(value)) return undefined;
  const milliseconds = parseDuration(value);
  if (milliseconds === undefined) {
    const message = `${value} is longer than the longest duration, ${longestDurationMs / 3_600_000}h; leave it out for no limit`;
    findings.add({ path, message });
  }
  return milliseconds;
}

function checkOutput(schema: JsonRecord, path: Path, known: Set<string>, findings: Findings): void {
  const text = JSON.stringify(schema);
  if (known.has(text)) return;
  known.add(text);
  for (const fault of schemaFaults(schema)) {
    findings.add({ ...fault, path: [...path, ...fault.path], message: `no valid JSON Schema: ${fault.message}` });
  }
}
