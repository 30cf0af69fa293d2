/** JSON Schemas that tasks set for their outputs: draft-07 where `$schema` says so, otherwise 2020-12. */
import { Ajv, type ErrorObject, type Options } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { suggest } from './suggest.ts';
import type { JsonValue } from './workflow.ts';

type OutputSchema = Readonly<Record<string, JsonValue>>;

/** What keeps a value from meeting the schema, a sentence each; empty when it meets it. */
export type OutputCheck = (value: JsonValue) => readonly string[];

const settings: Options = {
  allErrors: true,
  // A misspelt keyword would check nothing and say nothing.
  strictSchema: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  validateFormats: false,
  addUsedSchema: false,
  logger: false,
};

/**
 * Formats are notes, as 2020-12 has it: they are not checked. References reach only into the schema itself.
 * @throws {Error} naming what is wrong when it is no valid JSON Schema. Cost: about a millisecond.
 */
function compileOutputSchema(schema: OutputSchema): OutputCheck {
  const ajv = ajvFor(schema);
  const check = ajv.compile(schema);
  // Ajv would keep every schema it has seen.
  ajv.removeSchema(schema);
  if ('$async' in check) throw new Error('"$async" schemas are not supported');
  return (value) => (check(value) ? [] : (check.errors ?? []).map(sentence));
}

/** Why the output of a task can't be accepted; undefined when it meets the schema. Each schema object is compiled once. */
export function outputProblem(schema: OutputSchema, output: JsonValue): string | undefined {
  let check = checks.get(schema);
  if (check === undefined) {
    check = compileOutputSchema(schema);
    checks.set(schema, check);
  }
  const faults = check(output);
  if (faults.length === 0) return undefined;
  const more = faults.length > 5 ? `; and ${faults.length - 5} more` : '';
  return `the output does not meet its schema: ${faults.slice(0, 5).join('; ')}${more}`;
}

const checks = new WeakMap<OutputSchema, OutputCheck>();

export interface SchemaFault {
  /** From the schema to the place at fault; `key` when it is a key there that is wrong. */
  readonly path: readonly string[];
  readonly at?: 'key';
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/** Everything for which it is no valid JSON Schema, one fault a place. */
export function schemaFaults(schema: OutputSchema): readonly SchemaFault[] {
  const ajv = ajvFor(schema);
  if (ajv.validateSchema(schema) !== true) {
    const errors = ajv.errors ?? [];
    // Of an `anyOf` in the meta-schema every branch reports: the first says what is usual.
    const first = errors.filter(
      ({ instancePath }, at) => errors.findIndex((error) => error.instancePath === instancePath) === at,
    );
    return first.map((error) => ({
      path: error.instancePath
        .split('/')
        .slice(1)
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')),
      message: sentence({ ...error, instancePath: '' }),
    }));
  }
  try {
    compileOutputSchema(schema);
    return [];
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const [, keyword] = /unknown keyword: "(.*)"/.exec(error.message) ?? [];
    if (keyword === undefined) return [{ path: [], message: error.message }];
    const path = pathOfKey(schema, keyword) ?? [];
    return [{ path, at: 'key', message: `unknown keyword "${keyword}"`, suggestion: suggest(keyword, keywords) }];
  }
}

/** What people write; the rarer keywords need no suggesting. */
const keywords =
  'type properties required items additionalProperties enum const description title default examples pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength minItems maxItems uniqueItems contains prefixItems minProperties maxProperties propertyNames patternProperties dependentRequired allOf anyOf oneOf not if then else $ref $defs definitions'.split(
    ' ',
  );

function pathOfKey(value: JsonValue, key: string): readonly string[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, item] of Object.entries(value)) {
    if (name === key && !Array.isArray(value)) return [name];
    const inner = pathOfKey(item, key);
    if (inner !== undefined) return [name, ...inner];
  }
  return undefined;
}

const dialects = new Map<string, Ajv>();

function ajvFor(schema: OutputSchema): Ajv {
  const dialect = typeof schema.$schema === 'string' && /draft-0[67]/.test(schema.$schema) ? 'draft-07' : '2020-12';
  let ajv = dialects.get(dialect);
  if (ajv === undefined) {
    ajv = dialect === 'draft-07' ? new Ajv(settings) : new Ajv2020(settings);
    dialects.set(dialect, ajv);
  }
  return ajv;
}

function sentence(error: ErrorObject): string {
  const place = error.instancePath === '' ? '' : `${error.instancePath} `;
  const allowed = error.keyword === 'enum' ? `: ${(error.params.allowedValues as readonly unknown[]).join(', ')}` : '';
  const key = error.keyword === 'additionalProperties' ? ` ("${error.params.additionalProperty}")` : '';
  return `${place}${error.message ?? error.keyword}${allowed}${key}`;
}
