/**
 * Values to bytes and back, such that what comes out equals what went in or is refused with the path that prevents it.
 *
 * Survive: what JSON can say (lone surrogates and `__proto__` keys included), undefined as a property or element, NaN
 * and the infinities, bigints of 64 bits, dates, and bytes (a Uint8Array comes back as a Buffer). -0 comes back as 0.
 *
 * A *shareable* value is made of nothing but primitives, plain objects and arrays: deeply frozen, one copy can be
 * handed to every caller. Dates and bytes can't be frozen, so values that hold one are decoded anew for each caller.
 */
import { Packr, Unpackr } from 'msgpackr';
import { UnsupportedValueError } from './errors.ts';

/** `records`: msgpack in which objects of one shape share its description. The order is that of their numbers in envelopes. */
export const codecs = ['msgpack', 'json', 'records'] as const;

export type Codec = (typeof codecs)[number];

export interface EncodedValue {
  readonly codec: Codec;
  readonly payload: Uint8Array;
  readonly shareable: boolean;
  /** Estimate of what the decoded value takes in memory. */
  readonly heapBytes: number;
}

/** @throws {UnsupportedValueError} CACHE_VALUE_UNSUPPORTED */
export function encodeValue(value: unknown): EncodedValue {
  const found: Findings = {
    heapBytes: 0,
    shareable: true,
    mostMembers: 0,
    jsonOnly: undefined,
    msgpackOnly: undefined,
  };
  if (value === undefined) throw new UnsupportedValueError('$', 'is undefined (a miss is told by undefined; use null)');
  inspect(value, found, []);
  const { heapBytes, shareable } = found;
  if (found.jsonOnly === undefined) {
    const codec = found.mostMembers > maxRecordMembers ? 'msgpack' : 'records';
    const packr = codec === 'records' ? recordPackr : mapPackr;
    return { codec, payload: exactCopy(packr.pack(value)), shareable, heapBytes };
  }
  if (found.msgpackOnly !== undefined) {
    throw new UnsupportedValueError(found.jsonOnly, `is only sayable in JSON, and ${found.msgpackOnly} is not`);
  }
  return { codec: 'json', payload: Buffer.from(JSON.stringify(value)), shareable, heapBytes };
}

/** The inverse of {@link encodeValue}: a deeply frozen value where it is shareable, else one the caller owns. */
export function decodeValue(codec: Codec, payload: Uint8Array, shareable: boolean): unknown {
  if (codec === 'records') return (shareable ? freezingUnpackr : unpackr).unpack(payload);
  const value: unknown =
    codec === 'msgpack'
      ? unpackr.unpack(payload)
      : JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString());
  if (shareable) deepFreeze(value);
  return value;
}

/**
 * Records name the properties that objects have in common once an entry, which halves the time to read a list of them.
 * Never once for several entries: a damaged one would then damage all.
 */
const recordPackr = new Packr({ useRecords: true });
const mapPackr = new Packr({ useRecords: false });
/** A larger object is rather a dictionary, whose keys no other has. */
const maxRecordMembers = 64;
const decoding = { useRecords: true, mapsAsObjects: true, copyBuffers: true };
const unpackr = new Unpackr(decoding);
/** `freezeData` is missing from the types of msgpackr, hence not written in place. */
const freezing = { ...decoding, freezeData: true };
const freezingUnpackr = new Unpackr(freezing);

/** msgpackr hands out windows of one large buffer; an entry that kept one would keep all of it. */
function exactCopy(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes);
}

interface Findings {
  heapBytes: number;
  shareable: boolean;
  mostMembers: number;
  jsonOnly: string | undefined;
  msgpackOnly: string | undefined;
}

type Path = (string | number)[];

const maxDepth = 500;
const loneSurrogate = /\p{Surrogate}/u;
const maxBigInt = 2n ** 64n;
const minBigInt = -(2n ** 63n);

function inspect(value: unknown, found: Findings, path: Path): void {
  switch (typeof value) {
    case 'string':
      found.heapBytes += 24 + value.length;
      if (loneSurrogate.test(value)) found.jsonOnly ??= render(path);
      return;
    case 'number':
      found.heapBytes += 8;
      if (!Number.isFinite(value)) found.msgpackOnly ??= render(path);
      return;
    case 'boolean':
      return;
    case 'undefined':
      found.msgpackOnly ??= render(path);
      return;
    case 'bigint':
      found.heapBytes += 24;
      found.msgpackOnly ??= render(path);
      if (value >= maxBigInt || value < minBigInt) throw unsupported(path, 'is a bigint of more than 64 bits');
      return;
    case 'object':
      if (value !== null) inspectObject(value, found, path);
      return;
    default:
      throw unsupported(path, `is a ${typeof value}`);
  }
}

function inspectObject(value: object, found: Findings, path: Path): void {
  if (path.length >= maxDepth) {
    throw unsupported(path.slice(0, 8), `is nested deeper than ${maxDepth} levels or contains itself`);
  }
  if (Array.isArray(value)) {
    found.heapBytes += 32 + 8 * value.length;
    for (let index = 0; index < value.length; index += 1) {
      path.push(index);
      inspect(value[index], found, path);
      path.pop();
    }
    return;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) inspectMembers(value, found, path);
  else inspectInstance(value, found, path);
}

function inspectMembers(value: object, found: Findings, path: Path): void {
  found.heapBytes += 32;
  const members = Object.entries(value);
  found.mostMembers = Math.max(found.mostMembers, members.length);
  for (const [key, member] of members) {
    path.push(key);
    found.heapBytes += 16;
    if (key === '__proto__' || loneSurrogate.test(key)) found.jsonOnly ??= render(path);
    // JSON.stringify and msgpackr would both ask the object for something else in its place.
    if (key === 'toJSON' && typeof member === 'function') throw unsupported(path, 'is a toJSON function');
    inspect(member, found, path);
    path.pop();
  }
}

function inspectInstance(value: object, found: Findings, path: Path): void {
  found.shareable = false;
  found.msgpackOnly ??= render(path);
  if (value instanceof Date && !Number.isNaN(value.getTime())) found.heapBytes += 96;
  else if (value instanceof Uint8Array) found.heapBytes += 96 + value.byteLength;
  else
    throw unsupported(path, `is ${value instanceof Date ? 'an invalid Date' : `an instance of ${className(value)}`}`);
}

function className(value: object): string {
  return value.constructor?.name ?? 'an unnamed class';
}

function unsupported(path: Path, problem: string): UnsupportedValueError {
  return new UnsupportedValueError(render(path), problem);
}

function render(path: Path): string {
  return `$${path.map((step) => (typeof step === 'number' ? `[${step}]` : `[${JSON.stringify(step)}]`)).join('')}`;
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  Object.freeze(value);
  const members = value as Readonly<Record<string, unknown>>;
  for (const key in members) {
    const member = members[key];
    if (typeof member === 'object' && member !== null) deepFreeze(member);
  }
}
