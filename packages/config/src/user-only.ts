/**
 * Which of a project file's settings only the user may set (secrets, base URLs, commands), and what is left without them.
 * A pattern is a path in which `*` stands for any key; it covers what it names and all below.
 */
import { parsePath } from './path.ts';
import { isPlainObject, type PlainObject } from './plain-data.ts';

export type PathPattern = readonly string[];

export interface Restricted {
  readonly kept: PlainObject;
  readonly taken: readonly TakenValue[];
}

export interface TakenValue {
  readonly path: readonly string[];
  readonly value: unknown;
}

/**
 * `agents.*.command` → `['agents', '*', 'command']`.
 * @throws {TypeError} naming the option, for what is no path, or names an element of a list
 */
export function parsePattern(option: string, text: string): PathPattern {
  const message = `Expected \`${option}\` to hold paths like \`api.baseUrl\` or \`agents.*.command\`, got \`${text}\``;
  try {
    const path = parsePath(text.replace(/(^|\.)\*(?=$|[.[])/g, '["*"]'));
    if (path.length > 0 && path.every((segment) => typeof segment === 'string')) return path;
  } catch (cause) {
    throw new TypeError(message, { cause });
  }
  throw new TypeError(message);
}

/**
 * Parts `value` into what anyone may set and what the patterns cover. A list, text or `null` above a covered path counts
 * as covered too, since it would replace what the user set there; and so does an object that would replace one of those.
 * @param user what the user's own file says at the same place
 */
export function takeUserOnly(value: PlainObject, patterns: readonly PathPattern[], user: PlainObject): Restricted {
  const taken: TakenValue[] = [];
  return { kept: keep(value, patterns, user, []), taken };

  function keep(
    object: PlainObject,
    active: readonly PathPattern[],
    below: unknown,
    path: readonly string[],
  ): PlainObject {
    const kept: PlainObject = {};
    for (const [key, member] of Object.entries(object)) {
      const rests = active.filter(([head]) => head === key || head === '*').map((pattern) => pattern.slice(1));
      const own = isPlainObject(below) && Object.hasOwn(below, key) ? below[key] : undefined;
      const memberPath = [...path, key];
      if (rests.length === 0) {
        kept[key] = member;
      } else if (rests.some((rest) => rest.length === 0) || !isPlainObject(member) || hides(own)) {
        taken.push({ path: memberPath, value: member });
      } else {
        const before = taken.length;
        const inner = keep(member, rests, own, memberPath);
        if (taken.length === before || Object.keys(inner).length > 0) kept[key] = inner;
      }
    }
    return kept;
  }
}

/** An object in a higher layer would replace this instead of adding to it. */
function hides(own: unknown): boolean {
  return own !== undefined && !isPlainObject(own);
}
