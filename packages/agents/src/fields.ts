/**
 * Reading values that a program printed. They are untrusted and grow new shapes without notice: a field of another type
 * than expected reads as missing, never as an error.
 */
import type { JsonValue } from './event.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** The same object without its undefined members, so that it fits optional properties. */
export type Given<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

const none: Fields = Object.freeze({});
const longestOutput = 16_384;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : none;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A count of something: 0 for everything that is not a finite number of at least 0. */
export function countOf(value: unknown): number {
  return Math.max(0, numberOf(value) ?? 0);
}

/** An id that can be handed back as an argument: nothing that could be read as a flag or a path. */
export function sessionIdOf(value: unknown): string | undefined {
  return typeof value === 'string' && isSessionId(value) ? value : undefined;
}

export function isSessionId(value: string): boolean {
  return /^[A-Za-z0-9][\w.:-]{0,199}$/.test(value);
}

export function given<T extends object>(members: T): Given<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T>;
}

/** A value that came out of `JSON.parse`, where `undefined` can only mean a missing key. */
export function jsonOf(value: unknown): JsonValue | undefined {
  return value as JsonValue | undefined;
}

/** Text of at most 16,384 characters that says how much it lost. */
export function shortened(text: string): string {
  if (text.length <= longestOutput) return text;
  return `${text.slice(0, longestOutput)}… (${text.length - longestOutput} more characters)`;
}
