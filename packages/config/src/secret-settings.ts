/**
 * Which settings people must not read over somebody's shoulder or in a log, and what is shown in their place. Three can
 * say so: the caller, by the option `secret`; the schema, by `writeOnly` or the format `password` (JSON Schema's words for
 * it); and the name of the setting, or of anything around it.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { jsonSchemaOf, visitJsonSchema } from './json-schema.ts';
import type { Path } from './path.ts';
import { isPlainObject } from './plain-data.ts';
import type { PathPattern } from './user-only.ts';

export interface SecretSettings {
  /** What may be shown of the value at `path`: itself, or `***` for each secret in it. Empty text is no secret. */
  mask(value: unknown, path: Path): unknown;
  /** Whether the value at `path`, or something in it, may not be shown. */
  concerns(path: Path): boolean;
}

/** @param declared the option `secret` */
export function secretSettings(
  declared: readonly PathPattern[],
  schema: StandardSchemaV1,
  jsonSchema: object | undefined,
): SecretSettings {
  let known: readonly PathPattern[] | undefined;
  const patterns = () => {
    known ??= [...declared, ...secretsOfSchema(schema, jsonSchema)];
    return known;
  };
  return {
    mask: (value, path) => mask(value, path, patterns()),
    concerns: (path) => path.some(isSecretName) || patterns().some((pattern) => meets(pattern, path)),
  };
}

const shownForSecret = '***';

function mask(value: unknown, path: Path, patterns: readonly PathPattern[]): unknown {
  if (patterns.some((pattern) => covers(pattern, path))) return maskAll(value, isAnyScalar);
  if (path.some(isSecretName)) return maskAll(value, isMostlySecret);
  if (Array.isArray(value))
    return Object.freeze(value.map((member, index) => mask(member, [...path, index], patterns)));
  if (!isPlainObject(value)) return value;
  const members = Object.entries(value).map(([key, member]) => [key, mask(member, [...path, key], patterns)]);
  return Object.freeze(Object.fromEntries(members));
}

function maskAll(value: unknown, isSecret: (scalar: unknown) => boolean): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map((member) => maskAll(member, isSecret)));
  if (isPlainObject(value)) {
    const members = Object.entries(value).map(([key, member]) => [key, maskAll(member, isSecret)]);
    return Object.freeze(Object.fromEntries(members));
  }
  const isNothing = value === undefined || value === null || value === '';
  return !isNothing && isSecret(value) ? shownForSecret : value;
}

function isAnyScalar(): boolean {
  return true;
}

/** A name alone says less than the schema: `maxTokens: 4000` is no secret. */
function isMostlySecret(scalar: unknown): boolean {
  return typeof scalar !== 'number' && typeof scalar !== 'boolean';
}

/** Maps of variables for programs are where keys are put, under any name. */
const namesOfVariables = ['environment', 'env'];
const lastWordsOfSecrets =
  /(^|_)(password|passwd|passphrase|secret|token|credential|authorization|cookie|(api|access|secret|private|signing|encryption)_?key)s?$/;

function isSecretName(segment: string | number): boolean {
  if (typeof segment === 'number') return false;
  const words = segment
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z\d]+/g, '_')
    .toLowerCase();
  return namesOfVariables.includes(words) || lastWordsOfSecrets.test(words);
}

function secretsOfSchema(schema: StandardSchemaV1, jsonSchema: object | undefined): readonly PathPattern[] {
  const root = jsonSchemaOf(schema, jsonSchema);
  const patterns: PathPattern[] = [];
  if (root === undefined) return patterns;
  visitJsonSchema(root, (path, node) => {
    if (node.writeOnly === true || node.format === 'password') patterns.push(path);
  });
  return patterns;
}

/** The pattern names `path` or something around it. */
function covers(pattern: PathPattern, path: Path): boolean {
  return pattern.length <= path.length && meets(pattern, path);
}

/** The pattern names `path`, something around it, or something in it. */
function meets(pattern: PathPattern, path: Path): boolean {
  const length = Math.min(pattern.length, path.length);
  return pattern.slice(0, length).every((key, index) => key === '*' || key === String(path[index]));
}
