/** Reading JSON of unknown shape: each function gives what it is asked for, or undefined (an empty map) for anything else. */
import type { JsonValue } from './workflow.ts';

export type JsonRecord = Readonly<Record<string, JsonValue>>;

const empty: JsonRecord = Object.freeze({});

export function recordOf(value: JsonValue | undefined): JsonRecord {
  return isRecord(value) ? value : empty;
}

export function isRecord(value: JsonValue | undefined): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** Where a text or a list of texts is allowed: its texts, each with the path from the value to it. */
export function textsOf(
  value: JsonValue | undefined,
): readonly { readonly text: string; readonly path: readonly number[] }[] {
  if (typeof value === 'string') return [{ text: value, path: [] }];
  if (!Array.isArray(value)) return [];
  return value.flatMap((text: JsonValue, index) => (typeof text === 'string' ? [{ text, path: [index] }] : []));
}

/** `{ [key]: value }`, or nothing to spread when there is no value. */
export function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value };
}
