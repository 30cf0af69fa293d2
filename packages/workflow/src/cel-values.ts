/** What CEL gives as a JSON value. */
import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator';
import type { JsonValue } from './workflow.ts';

/** @throws {TypeError} for what JSON can't say: timestamps, durations, bytes, types, integers beyond 2^53, infinities. */
export function fromCel(value: unknown): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return finite(value);
  if (typeof value === 'bigint') return wholeNumber(value);
  if (value instanceof UnsignedInt) return wholeNumber(value.valueOf());
  if (Array.isArray(value)) return value.map(fromCel);
  if (value instanceof Date) throw new TypeError('it gives a timestamp, which JSON has no value for; use string(…)');
  if (value instanceof Duration) throw new TypeError('it gives a duration, which JSON has no value for; use string(…)');
  if (value instanceof Uint8Array) throw new TypeError('it gives bytes, which JSON has no value for; use string(…)');
  if (isPlainObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fromCel(item)]));
  }
  throw new TypeError('it gives something that JSON has no value for');
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new TypeError(`it gives ${value}, which JSON has no value for`);
}

function wholeNumber(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new TypeError(`it gives ${value}, and JSON's whole numbers end at 2^53 - 1; use string(…)`);
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
