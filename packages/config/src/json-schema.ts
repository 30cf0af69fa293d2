/**
 * What a schema tells of itself. A Standard Schema can only validate, but many (zod, valibot and arktype, in recent
 * versions) speak Standard JSON Schema too; for those that don't, a JSON Schema can be given beside them.
 */
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { isPlainObject, isUnsafeKey, type PlainObject } from './plain-data.ts';

/** Undefined where there is neither, or the schema holds what JSON Schema can't express. */
export function jsonSchemaOf(schema: StandardSchemaV1, given: object | undefined): PlainObject | undefined {
  if (given !== undefined) return { ...given };
  const remembered = jsonSchemas.get(schema);
  if (remembered !== undefined) return remembered.root;
  const root = askForJsonSchema(schema);
  jsonSchemas.set(schema, { root });
  return root;
}

/**
 * Calls `visit` with every node that describes a value below the root and that value's path, in which `*` stands for any
 * name in a record and any element of a list. A node that refers to one around it is visited once.
 */
export function visitJsonSchema(root: PlainObject, visit: (path: readonly string[], node: PlainObject) => void): void {
  visitNode(root, [], []);

  function visitNode(node: unknown, path: readonly string[], references: readonly string[]): void {
    if (!isPlainObject(node)) return;
    const { $ref: reference, properties, additionalProperties, items, prefixItems } = node;
    if (typeof reference === 'string' && !references.includes(reference)) {
      visitNode(dereference(root, reference), path, [...references, reference]);
    }
    for (const alternatives of [node.anyOf, node.oneOf, node.allOf]) {
      for (const alternative of listOf(alternatives)) visitNode(alternative, path, references);
    }
    if (path.length > 0) visit(path, node);
    for (const [key, property] of Object.entries(isPlainObject(properties) ? properties : {})) {
      if (!isUnsafeKey(key)) visitNode(property, [...path, key], references);
    }
    for (const member of [additionalProperties, items, ...listOf(prefixItems)]) {
      visitNode(member, [...path, '*'], references);
    }
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

const jsonSchemas = new WeakMap<StandardSchemaV1, { readonly root: PlainObject | undefined }>();

function askForJsonSchema(schema: StandardSchemaV1): PlainObject | undefined {
  if (!speaksJsonSchema(schema)) return undefined;
  try {
    return schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' });
  } catch {
    // The specification lets a schema that JSON Schema can't express throw: then what it says stays unknown.
    return undefined;
  }
}

function speaksJsonSchema(schema: unknown): schema is StandardJSONSchemaV1 {
  if (typeof schema !== 'object' && typeof schema !== 'function') return false;
  const standard: unknown = schema === null ? undefined : Reflect.get(schema, '~standard');
  return typeof standard === 'object' && standard !== null && 'jsonSchema' in standard;
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
