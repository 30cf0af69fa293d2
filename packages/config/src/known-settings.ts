/**
 * Which settings there are. A Standard Schema can only validate, so the names come from the defaults and profiles,
 * and from the schema too where it also speaks Standard JSON Schema (zod, valibot and arktype do, in recent versions).
 */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { isPlainObject, isUnsafeKey, type PlainObject } from './plain-data.ts';

type SettingKind = 'text' | 'number' | 'boolean' | 'list' | 'object' | 'unknown';

export interface KnownSetting {
  readonly path: readonly string[];
  readonly kind: SettingKind;
}

/** By the path's parts joined with a dot that no key can hold. */
export type KnownSettings = Map<string, KnownSetting>;

/** What the first source says of a setting's kind counts, unless that is nothing (`null`). */
export function addSettings(known: KnownSettings, value: PlainObject, parent: readonly string[] = []): void {
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const path = [...parent, key];
    add(known, path, kindOf(member));
    if (isPlainObject(member)) addSettings(known, member, path);
  }
}

/** Adds what the schema tells of itself, or the JSON Schema given beside it; nothing when there is neither. */
export function addSchemaSettings(known: KnownSettings, schema: StandardSchemaV1, given: object | undefined): void {
  const root = given === undefined ? jsonSchemaOf(schema) : { ...given };
  if (root !== undefined) addProperties(known, root, root, [], []);
}

/** The names that may stand directly below `path`. */
export function namesBelow(known: KnownSettings, path: readonly string[]): string[] {
  const names: string[] = [];
  for (const setting of known.values()) {
    const name = setting.path[path.length];
    const isDirectlyBelow = setting.path.length === path.length + 1;
    if (name !== undefined && isDirectlyBelow && path.every((key, index) => setting.path[index] === key))
      names.push(name);
  }
  return names;
}

function add(known: KnownSettings, path: readonly string[], kind: SettingKind): void {
  const id = path.join('\u0000');
  const before = known.get(id);
  if (before === undefined || before.kind === 'unknown') known.set(id, { path, kind });
}

function kindOf(value: unknown): SettingKind {
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string') return 'text';
  if (Array.isArray(value)) return 'list';
  return isPlainObject(value) ? 'object' : 'unknown';
}

const jsonSchemas = new WeakMap<StandardSchemaV1, { readonly root: PlainObject | undefined }>();

function jsonSchemaOf(schema: StandardSchemaV1): PlainObject | undefined {
  const remembered = jsonSchemas.get(schema);
  if (remembered !== undefined) return remembered.root;
  let root: PlainObject | undefined;
  if (speaksJsonSchema(schema)) {
    try {
      root = schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
    } catch {
      // The specification lets a schema that JSON Schema can't express throw: then its names stay unknown.
      root = undefined;
    }
  }
  jsonSchemas.set(schema, { root });
  return root;
}

function speaksJsonSchema(schema: unknown): schema is StandardJSONSchemaV1 {
  if (typeof schema !== 'object' && typeof schema !== 'function') return false;
  const standard: unknown = schema === null ? undefined : Reflect.get(schema, '~standard');
  return typeof standard === 'object' && standard !== null && 'jsonSchema' in standard;
}

function addProperties(
  known: KnownSettings,
  root: PlainObject,
  node: unknown,
  path: readonly string[],
  references: readonly string[],
): void {
  if (!isPlainObject(node)) return;
  const { $ref: reference, properties } = node;
  if (typeof reference === 'string' && !references.includes(reference)) {
    addProperties(known, root, dereference(root, reference), path, [...references, reference]);
  }
  for (const alternatives of [node.anyOf, node.oneOf, node.allOf]) {
    if (!Array.isArray(alternatives)) continue;
    for (const alternative of alternatives) addProperties(known, root, alternative, path, references);
  }
  if (path.length > 0) add(known, path, kindOfType(node.type));
  if (!isPlainObject(properties)) return;
  for (const [key, property] of Object.entries(properties)) {
    if (!isUnsafeKey(key)) addProperties(known, root, property, [...path, key], references);
  }
}

function dereference(root: PlainObject, reference: string): unknown {
  if (!reference.startsWith('#/')) return reference === '#' ? root : undefined;
  let node: unknown = root;
  for (const part of reference.slice(2).split('/')) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    node = isPlainObject(node) && Object.hasOwn(node, key) ? node[key] : undefined;
  }
  return node;
}

function kindOfType(type: unknown): SettingKind {
  const kinds: Readonly<Record<string, SettingKind>> = {
    string: 'text',
    number: 'number',
    integer: 'number',
    boolean: 'boolean',
    array: 'list',
    object: 'object',
  };
  const named = Array.isArray(type) ? type.find((each) => each !== 'null') : type;
  return typeof named === 'string' ? (kinds[named] ?? 'unknown') : 'unknown';
}
