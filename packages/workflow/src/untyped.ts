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

/** The texts where a text or a list of texts is allowed. */
export function textsOf(value: JsonValue | undefined): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** `{ [key]: value }`, or nothing to spread when there is no value. */
export function optional<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value };
}
