/** Whether an output meets its JSON Schema: draft-07 where `$schema` says so, otherwise 2020-12. Formats are notes. */
import { createRequire } from 'node:module';
import type { ErrorObject, Options, ValidateFunction } from 'ajv';
import type { JsonValue } from './event.ts';

/**
 * Why a value can't be accepted, in a sentence; undefined when it meets the schema.
 * @throws {TypeError} when it is no valid JSON Schema. Cost: about a millisecond for a schema not seen before.
 */
export function outputProblem(schema: object, value: JsonValue): string | undefined {
  const check = checkOf(schema);
  if (check(value)) return undefined;
  const errors = check.errors ?? [];
  const faults = errors.slice(0, 5).map(sentence).join('; ');
  const more = errors.length > 5 ? `; and ${errors.length - 5} more` : '';
  return `the output does not meet its schema: ${faults}${more}`;
}

/** @throws {TypeError} when it is no valid JSON Schema */
export function checkOutputSchema(schema: object): void {
  checkOf(schema);
}

const checks = new WeakMap<object, ValidateFunction>();

function checkOf(schema: object): ValidateFunction {
  const known = checks.get(schema);
  if (known !== undefined) return known;
  const ajv = ajvFor(schema);
  try {
    const check = ajv.compile(schema);
    // Ajv would keep every schema it has seen.
    ajv.removeSchema(schema);
    checks.set(schema, check);
    return check;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`Expected \`outputSchema\` to be a JSON Schema: ${why}.`, { cause });
  }
}

const options: Options = {
  allErrors: true,
  strict: false,
  validateFormats: false,
  addUsedSchema: false,
  logger: false,
};
const require = createRequire(import.meta.url);

/** Loading it takes tens of milliseconds, which a task without a schema should not spend. */
function ajvFor(schema: object) {
  const isOld = '$schema' in schema && typeof schema.$schema === 'string' && /draft-0[67]/.test(schema.$schema);
  if (isOld) return new (require('ajv') as typeof import('ajv')).Ajv(options);
  return new (require('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js')).Ajv2020(options);
}

function sentence(error: ErrorObject): string {
  const place = error.instancePath === '' ? '' : `${error.instancePath} `;
  const allowed = error.keyword === 'enum' ? `: ${(error.params.allowedValues as readonly unknown[]).join(', ')}` : '';
  const key = error.keyword === 'additionalProperties' ? ` ("${String(error.params.additionalProperty)}")` : '';
  return `${place}${error.message ?? error.keyword}${allowed}${key}`;
}
