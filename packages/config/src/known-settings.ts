/** Which settings there are: their names come from the defaults and profiles, and from what the schema tells of itself. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { jsonSchemaOf, visitJsonSchema } from './json-schema.ts';
import { isPlainObject, type PlainObject } from './plain-data.ts';

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
  const root = jsonSchemaOf(schema, given);
  if (root === undefined) return;
  visitJsonSchema(root, (path, node) => {
    if (!path.includes('*')) add(known, path, kindOfType(node.type));
  });
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
