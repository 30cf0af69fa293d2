/** The tasks of a workflow: defaults filled in, durations read, expressions compiled. */
import type { FailureReason } from '@cadre/agents';
import { longestDurationMs, parseDuration } from './duration.ts';
import { compileCondition, compileTemplate, type Expression, type Reference, type Template } from './expression.ts';
import { compileOutputSchema, schemaFaults } from './output-schema.ts';
import type { Findings, Path } from './problems.ts';
import { durationPattern } from './schema.ts';
import { isRecord, type JsonRecord, numberOf, optional, recordOf, textOf, textsOf } from './untyped.ts';
import type { JsonValue, RetryPolicy, TaskDefinition } from './workflow.ts';

/** One entry of a task's `needs`, as written. */
export interface Need {
  readonly id: string;
  readonly path: Path;
}

/** What one task reads of the scope. */
export interface TaskReference extends Reference {
  readonly task: number;
}

export interface BuiltTasks {
  readonly tasks: readonly TaskDefinition[];
  /** Per task, in the same order. */
  readonly needs: readonly (readonly Need[])[];
  readonly references: readonly TaskReference[];
}

export function buildTasks(given: JsonRecord, defaults: JsonRecord, findings: Findings): BuiltTasks {
  const references: TaskReference[] = [];
  const needs: (readonly Need[])[] = [];
  const schemas = new Set<string>();
  const common = {
    timeoutMs: duration(defaults.timeout, ['defaults', 'timeout'], findings),
    retry: retryOf(defaults.retry, ['defaults', 'retry'], undefined, findings),
    cache: defaults.cache,
  };
  const tasks = Object.entries(given).map(([id, raw], task) => {
    const fields = recordOf(raw);
    const path: Path = ['tasks', id];
    const compiler = new TaskCompiler(path, findings, (reference) => references.push({ ...reference, task }));
    const written = textsOf(fields.needs).map((need) => ({ id: need.text, path: [...path, 'needs', ...need.path] }));
    needs.push(written);
    checkOutput(fields.output, [...path, 'output'], schemas, findings);
    return {
      id,
      agent: textOf(fields.agent) ?? '',
      ...optional('group', textOf(fields.group)),
      ...optional('description', textOf(fields.description)),
      needs: written.map((need) => need.id),
      prompt: compiler.template('prompt', textOf(fields.prompt)) ?? noText,
      with: compiler.template('with', isRecord(fields.with) ? fields.with : undefined) ?? noValues,
      ...optional('when', compiler.condition('when', textOf(fields.when))),
      reads: compiler.templates('reads', fields.reads),
      writes: compiler.templates('writes', fields.writes),
      ...optional('cwd', compiler.template('cwd', textOf(fields.cwd))),
      timeoutMs: duration(fields.timeout, [...path, 'timeout'], findings) ?? common.timeoutMs ?? Infinity,
      idleTimeoutMs: duration(fields.idleTimeout, [...path, 'idleTimeout'], findings) ?? Infinity,
      retry: retryOf(fields.retry, [...path, 'retry'], common.retry, findings),
      cache: typeof fields.cache === 'boolean' ? fields.cache : common.cache !== false,
      ...(isRecord(fields.output) ? { output: fields.output } : {}),
    } satisfies TaskDefinition;
  });
  return { tasks, needs, references };
}

const noText = compileTemplate('');
const noValues = compileTemplate({});
const noTemplates: readonly Template[] = [];

class TaskCompiler {
  readonly #path: Path;
  readonly #options: { readonly onFinding: Findings['add']; readonly onReference: (reference: Reference) => void };

  constructor(path: Path, findings: Findings, onReference: (reference: Reference) => void) {
    this.#path = path;
    this.#options = { onFinding: (finding) => findings.add(finding), onReference };
  }

  template(key: string, value: JsonValue | undefined): Template | undefined {
    return value === undefined ? undefined : compileTemplate(value, { ...this.#options, path: [...this.#path, key] });
  }

  templates(key: string, value: JsonValue | undefined): readonly Template[] {
    if (value === undefined) return noTemplates;
    return textsOf(value).map(({ text, path }) =>
      compileTemplate(text, { ...this.#options, path: [...this.#path, key, ...path] }),
    );
  }

  condition(key: string, value: string | undefined): Expression | undefined {
    return value === undefined ? undefined : compileCondition(value, { ...this.#options, path: [...this.#path, key] });
  }
}

const defaultRetry: RetryPolicy = { attempts: 3, baseMs: 1000, maxMs: 60_000 };

function retryOf(
  value: JsonValue | undefined,
  path: Path,
  inherited: RetryPolicy | undefined,
  findings: Findings,
): RetryPolicy {
  const fallback = inherited ?? defaultRetry;
  if (typeof value === 'number') return { ...fallback, attempts: value };
  if (!isRecord(value)) return fallback;
  const on = textsOf(value.on).map(({ text }) => text as FailureReason);
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

function checkOutput(schema: JsonValue | undefined, path: Path, known: Set<string>, findings: Findings): void {
  if (!isRecord(schema)) return;
  const text = JSON.stringify(schema);
  if (known.has(text)) return;
  known.add(text);
  const faults = schemaFaults(schema);
  for (const { pointer, message } of faults) {
    const steps = pointer
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
    findings.add({ path: [...path, ...steps], message: `no valid JSON Schema: ${message}` });
  }
  if (faults.length > 0) return;
  try {
    compileOutputSchema(schema);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    findings.add({ path, at: 'key', message: `no valid JSON Schema: ${error.message}` });
  }
}
