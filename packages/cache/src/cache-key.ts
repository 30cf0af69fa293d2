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

type Path = (string | number)[];

const maxDepth = 1_000;
/** What a JSON string escapes, and every surrogate: most strings hold neither. */
const needsCare = /["\\\u0000-\u001f\ud800-\udfff]/;
const loneSurrogate = /\p{Surrogate}/u;

function write(value: unknown, path: Path): string {
  switch (typeof value) {
    case 'string':
      return writeString(value, path);
    case 'number':
      if (!Number.isFinite(value)) throw unsayable(String(value), path);
      return value === 0 ? '0' : String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      if (path.length >= maxDepth) {
        throw unsayable(`a cycle, or more than ${maxDepth} levels,`, path.slice(0, 8));
      }
      return Array.isArray(value) ? writeArray(value, path) : writeObject(value, path);
    default:
      throw unsayable(value === undefined ? 'undefined' : `a ${typeof value}`, path);
  }
}

function writeString(value: string, path: Path): string {
  if (!needsCare.test(value)) return `"${value}"`;
  if (loneSurrogate.test(value)) throw unsayable('a string with a lone surrogate', path);
  return JSON.stringify(value);
}

function writeArray(value: readonly unknown[], path: Path): string {
  let text = '[';
  for (let index = 0; index < value.length; index += 1) {
    path.push(index);
    text += index === 0 ? write(value[index], path) : `,${write(value[index], path)}`;
    path.pop();
  }
  return `${text}]`;
}

function writeObject(value: object, path: Path): string {
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw unsayable(`an instance of ${prototype.constructor?.name ?? 'a class'}`, path);
  }
  const members = value as Readonly<Record<string, unknown>>;
  let text = '{';
  for (const key of Object.keys(members).sort()) {
    path.push(key);
    text += `${text === '{' ? '' : ','}${writeString(key, path)}:${write(members[key], path)}`;
    path.pop();
  }
  return `${text}}`;
}

function unsayable(what: string, path: Path): TypeError {
  const at = path.map((step) => (typeof step === 'number' ? `[${step}]` : `[${JSON.stringify(step)}]`)).join('');
  return new TypeError(`Expected a value that JSON can say, got ${what} at $${at}`);
}
