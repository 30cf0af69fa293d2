/**
 * One key for one meaning: values that are equal as JSON get the same key whatever the order of their properties. What
 * JSON can't say is refused instead of dropped, or two different inputs would share a paid result.
 */
import { createHash } from 'node:crypto';

/**
 * The canonical JSON of a value: properties sorted by UTF-16 code units, no white space, numbers as ECMAScript prints
 * them. Source: RFC 8785 (JCS).
 * @throws {TypeError} naming the path of what JSON can't say: undefined, NaN, infinities, functions, symbols, bigints,
 *   lone surrogates, cycles, and objects that aren't plain (a Date or Map would lose what it is).
 */
export function canonicalJson(value: unknown): string {
  return write(value, []);
}

/** SHA-256, in hex, of the value's canonical JSON. Throws as {@link canonicalJson} does. */
export function cacheKey(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

interface Step {
  readonly parent: object;
  at: string | number;
}

function write(value: unknown, steps: Step[]): string {
  switch (typeof value) {
    case 'string':
      return writeString(value, steps);
    case 'number':
      if (!Number.isFinite(value)) throw unsayable(String(value), steps);
      return value === 0 ? '0' : String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? writeArray(value, steps) : writeObject(value, steps);
    default:
      throw unsayable(value === undefined ? 'undefined' : `a ${typeof value}`, steps);
  }
}

const loneSurrogate = /\p{Surrogate}/u;

function writeString(value: string, steps: readonly Step[]): string {
  if (loneSurrogate.test(value)) throw unsayable('a string with a lone surrogate', steps);
  return JSON.stringify(value);
}

function writeArray(value: readonly unknown[], steps: Step[]): string {
  const step = enter(value, steps);
  let text = '[';
  for (let index = 0; index < value.length; index += 1) {
    step.at = index;
    text += index === 0 ? write(value[index], steps) : `,${write(value[index], steps)}`;
  }
  steps.pop();
  return `${text}]`;
}

function writeObject(value: object, steps: Step[]): string {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw unsayable(`an instance of ${prototype.constructor?.name ?? 'a class'}`, steps);
  }
  const step = enter(value, steps);
  let text = '{';
  for (const [index, key] of Object.keys(value).sort().entries()) {
    step.at = key;
    const member = `${writeString(key, steps)}:${write(Reflect.get(value, key), steps)}`;
    text += index === 0 ? member : `,${member}`;
  }
  steps.pop();
  return `${text}}`;
}

const maxDepth = 1_000;

function enter(parent: object, steps: Step[]): Step {
  // Only a value this deep can be a cycle, so the ordinary one pays nothing for the search.
  if (steps.length >= maxDepth) {
    const cyclic = steps.some((step) => step.parent === parent);
    throw unsayable(cyclic ? 'a cycle' : `nested deeper than ${maxDepth} levels`, steps.slice(0, 8));
  }
  const step: Step = { parent, at: '' };
  steps.push(step);
  return step;
}

function unsayable(what: string, steps: readonly Step[]): TypeError {
  const path = steps.map(({ at }) => (typeof at === 'number' ? `[${at}]` : `[${JSON.stringify(at)}]`)).join('');
  return new TypeError(`Expected a value that JSON can say, got ${what} at $${path}`);
}
