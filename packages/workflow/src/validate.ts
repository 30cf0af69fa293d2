/** Holds a workflow against its schema and says in words what does not fit. */
import { unsupportedSetting } from '@cadre/agents';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { suggestDuration } from './duration.ts';
import { type Finding, type Findings, formatPath, type Path, type PathSegment } from './problems.ts';
import { durationPattern, sizePattern, workflowSchema } from './schema.ts';
import { suggestSize } from './size.ts';
import { suggest } from './suggest.ts';
import { recordOf } from './untyped.ts';
import type { JsonValue } from './workflow.ts';

/** Reports everything in `value` that does not fit the schema. */
export function validate(value: JsonValue, findings: Findings): void {
  const check = validator();
  if (check(value)) return;
  for (const error of check.errors ?? []) {
    if (findings.full) return;
    const finding = toFinding(error, value, findings.roomy);
    if (finding !== undefined) findings.add(finding);
  }
}

let compiled: ValidateFunction | undefined;

/** Compiled on first use: it takes tens of milliseconds, which a program that loads no workflow should not spend. */
function validator(): ValidateFunction {
  compiled ??= new Ajv({ allErrors: true, verbose: true, strictTypes: false, strictRequired: false }).compile(
    workflowSchema,
  );
  return compiled;
}

function toFinding(error: ErrorObject, root: JsonValue, roomy: boolean): Finding | undefined {
  const { keyword, params, data } = error;
  const path = pathOf(error.instancePath, root);
  // What each branch of an `anyOf` lacks is less than what the `anyOf` itself says; the other two only sum up.
  if (/\/anyOf\/\d/.test(error.schemaPath) || keyword === 'if' || keyword === 'propertyNames') return undefined;
  if (keyword === 'additionalProperties') return unknownKey(String(params.additionalProperty), path, error, roomy);
  if (keyword === 'required') {
    return { path, at: 'key', absence: true, message: `${subject(path)} has no "${String(params.missingProperty)}"` };
  }
  if (error.propertyName !== undefined) {
    const rule = 'must begin with a letter and hold only letters, digits, "_" and "-", 64 at most';
    return {
      path: [...path, error.propertyName],
      at: 'key',
      message: `the name ${describe(error.propertyName)} ${rule}`,
    };
  }
  if (hasPattern(error.parentSchema, durationPattern)) {
    const message = `${subject(path)} must be a duration such as 500ms, 30s, 10m or 2h, not ${describe(data)}`;
    return { path, message, suggestion: suggestDuration(data) };
  }
  if (hasPattern(error.parentSchema, sizePattern)) {
    const message = `${subject(path)} must be a size such as 512KiB, 100MiB or 2GiB, not ${describe(data)}`;
    return { path, message, suggestion: suggestSize(data) };
  }
  if (keyword === 'enum') {
    const allowed = (params.allowedValues as readonly unknown[]).map(String);
    const message = `${subject(path)} must be one of ${allowed.join(', ')}, not ${describe(data)}`;
    return { path, message, suggestion: roomy && typeof data === 'string' ? suggest(data, allowed) : undefined };
  }
  return { path, message: `${subject(path)} ${rule(error)}` };
}

function rule({ keyword, params, data, message }: ErrorObject): string {
  switch (keyword) {
    case 'type':
      return `must be ${typeWords([params.type].flat())}, not ${describe(data)}`;
    case 'anyOf':
      return `fits none of the shapes allowed here: ${describe(data)}`;
    case 'minimum':
      return `must be at least ${params.limit}, not ${describe(data)}`;
    case 'maximum':
      return `must be at most ${params.limit}, not ${describe(data)}`;
    case 'exclusiveMinimum':
      return `must be more than ${params.limit}, not ${describe(data)}`;
    case 'minLength':
    case 'minItems':
    case 'minProperties':
      return 'must not be empty';
    case 'maxLength':
      return `must have at most ${params.limit} characters, not ${String(data).length}`;
    default:
      return message ?? `does not fit the schema (${keyword})`;
  }
}

function unknownKey(key: string, path: Path, error: ErrorObject, roomy: boolean): Finding {
  const adapter = path[0] === 'agents' && path.length === 2 ? recordOf(error.data as JsonValue).adapter : undefined;
  const refused = typeof adapter === 'string' ? unsupportedSetting(adapter, key) : undefined;
  if (refused !== undefined) {
    return { path: [...path, key], at: 'key', message: `${subject(path)} can't have ${key}: ${refused}` };
  }
  const known = Object.keys((error.parentSchema?.properties as object | undefined) ?? {}).filter(
    (name) => name !== '$schema',
  );
  const suggestion = roomy ? suggest(key, known) : undefined;
  const hint = suggestion === undefined ? `; known here: ${known.join(', ')}` : '';
  const place = path.length === 0 ? '' : ` in ${subject(path)}`;
  return { path: [...path, key], at: 'key', message: `unknown key ${describe(key)}${place}${hint}`, suggestion };
}

/** A JSON pointer as the path it is in the value: numbers where there are lists. */
function pathOf(pointer: string, root: JsonValue): Path {
  const path: PathSegment[] = [];
  let value: unknown = root;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
  }
  return path;
}

/** How a message calls what stands at a path. */
function subject(path: Path): string {
  const [section, name] = path;
  if (path.length === 0) return 'the workflow';
  const kinds: Readonly<Record<string, string>> = { inputs: 'input', agents: 'agent', tasks: 'task' };
  const kind = kinds[String(section)];
  if (path.length === 2 && kind !== undefined) return `${kind} "${name}"`;
  return formatPath(path.length > 2 && kind !== undefined ? path.slice(2) : path);
}

function hasPattern(schema: unknown, pattern: string): boolean {
  return typeof schema === 'object' && schema !== null && 'pattern' in schema && schema.pattern === pattern;
}

function typeWords(types: readonly string[]): string {
  const words: Readonly<Record<string, string>> = {
    string: 'text',
    number: 'a number',
    integer: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a map',
  };
  return types.map((type) => words[type] ?? type).join(' or ');
}

/** A value as a message shows it. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string') return `the ${typeof value} ${String(value)}`;
  return JSON.stringify(value.length <= 60 ? value : `${value.slice(0, 59)}…`);
}
