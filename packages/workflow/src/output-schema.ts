/** JSON Schemas that tasks set for their outputs: draft-07 where `$schema` says so, otherwise 2020-12. */
import { Ajv, type ErrorObject, type Options } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
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
export function compileOutputSchema(schema: OutputSchema): OutputCheck {
  const check = ajvFor(schema).compile(schema);
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

/** Where the schema itself is no valid JSON Schema: JSON pointers with a sentence each. Cheap beside compiling. */
export function schemaFaults(schema: OutputSchema): readonly { readonly pointer: string; readonly message: string }[] {
  const ajv = ajvFor(schema);
  if (ajv.validateSchema(schema) === true) return [];
  return (ajv.errors ?? []).map((error) => ({
    pointer: error.instancePath,
    message: sentence({ ...error, instancePath: '' }),
  }));
}

function ajvFor(schema: OutputSchema): Ajv {
  const draft07 = typeof schema.$schema === 'string' && /draft-0[67]/.test(schema.$schema);
  return draft07 ? new Ajv(settings) : new Ajv2020(settings);
}

function sentence(error: ErrorObject): string {
  const place = error.instancePath === '' ? '' : `${error.instancePath} `;
  const allowed = error.keyword === 'enum' ? `: ${(error.params.allowedValues as readonly unknown[]).join(', ')}` : '';
  const key = error.keyword === 'additionalProperties' ? ` ("${error.params.additionalProperty}")` : '';
  return `${place}${error.message ?? error.keyword}${allowed}${key}`;
}
