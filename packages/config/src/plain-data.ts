/**
 * Everything that enters through a layer is copied into fresh plain data first, so that nothing a layer holds can
 * reach a prototype, be shared with the caller, or be deeper than the stack. (CVE-2019-10744 and CVE-2020-8203 are
 * what happens to merges that take their input as it comes.)
 */
import type { Path } from './path.ts';

export type PlainObject = { [key: string]: unknown };

export type ReportData = (path: Path, part: 'key' | 'value', message: string) => void;

export function isPlainObject(value: unknown): value is PlainObject {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

export function isUnsafeKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype';
}

/** A copy of `raw` without what is reported; members that are `undefined` count as absent. */
export function copyPlainObject(raw: PlainObject, maxDepth: number, report: ReportData): PlainObject {
  return copyObject(raw, [], maxDepth, report);
}

/** A copy of one value that will stand at `path`; `undefined` when all of it was refused. */
export function copyPlainValue(raw: unknown, path: Path, maxDepth: number, report: ReportData): unknown {
  if (raw === null || typeof raw === 'string' || typeof raw === 'number' || typeof raw === 'boolean') return raw;
  const isArray = Array.isArray(raw);
  if (!isArray && !isPlainObject(raw)) {
    report(path, 'value', `must be plain data (text, number, boolean, null, list or object), got ${nameOf(raw)}`);
    return undefined;
  }
  if (path.length >= maxDepth) {
    report(path, 'value', `is nested deeper than maxDepth (${maxDepth})`);
    return undefined;
  }
  if (!isArray) return copyObject(raw, path, maxDepth, report);
  return raw.map((element, index) => copyPlainValue(element, [...path, index], maxDepth, report));
}

/** A deeply frozen copy; what is neither a plain object nor an array (a `Date`, a `URL`) is kept as it is. */
export function frozenCopy<T>(value: T, copies?: Map<unknown, unknown>): T;
export function frozenCopy(value: unknown, copies: Map<unknown, unknown> = new Map()): unknown {
  const isArray = Array.isArray(value);
  if (!isArray && !isPlainObject(value)) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  if (isArray) {
    const copy: unknown[] = [];
    copies.set(value, copy);
    for (const element of value) copy.push(frozenCopy(element, copies));
    return Object.freeze(copy);
  }
  const copy: PlainObject = {};
  copies.set(value, copy);
  for (const [key, member] of Object.entries(value)) {
    if (!isUnsafeKey(key)) copy[key] = frozenCopy(member, copies);
  }
  return Object.freeze(copy);
}

function copyObject(raw: PlainObject, path: Path, maxDepth: number, report: ReportData): PlainObject {
  const copy: PlainObject = {};
  for (const [key, member] of Object.entries(raw)) {
    if (member === undefined) continue;
    const memberPath = [...path, key];
    if (isUnsafeKey(key)) {
      report(memberPath, 'key', `the key "${key}" is refused: it could reach a prototype`);
      continue;
    }
    const value = copyPlainValue(member, memberPath, maxDepth, report);
    if (value !== undefined) copy[key] = value;
  }
  return copy;
}

function nameOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value;
  return `an instance of ${value.constructor?.name ?? 'an unknown class'}`;
}
