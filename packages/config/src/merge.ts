/** The rule by which layers become one value: objects are merged member by member, everything else is replaced. */
import type { Path } from './path.ts';
import { isPlainObject, type PlainObject } from './plain-data.ts';

/** Lists are replaced, never joined; `null` is a value and replaces too. The result shares nothing with `layers`. */
export function mergeLayers(layers: readonly PlainObject[]): PlainObject {
  const merged: PlainObject = {};
  for (const layer of layers) mergeInto(merged, layer);
  return merged;
}

/** What `path` meets inside one layer. `covered` is the part of the path at which a value that is no object stands. */
export type Found =
  | { readonly type: 'value'; readonly value: unknown }
  | { readonly type: 'covered'; readonly at: Path }
  | { readonly type: 'absent' };

export function find(root: PlainObject, path: Path): Found {
  let value: unknown = root;
  for (const [index, segment] of path.entries()) {
    if (Array.isArray(value)) {
      if (!Object.hasOwn(value, segment)) return { type: 'covered', at: path.slice(0, index) };
    } else if (!isPlainObject(value)) {
      return { type: 'covered', at: path.slice(0, index) };
    } else if (!Object.hasOwn(value, segment)) {
      return { type: 'absent' };
    }
    value = Reflect.get(Object(value), segment);
  }
  return { type: 'value', value };
}

function mergeInto(target: PlainObject, source: PlainObject): void {
  for (const [key, value] of Object.entries(source)) {
    const below = Object.hasOwn(target, key) ? target[key] : undefined;
    if (!isPlainObject(value)) {
      target[key] = Array.isArray(value) ? value.map(copyElement) : value;
    } else if (isPlainObject(below)) {
      mergeInto(below, value);
    } else {
      const fresh: PlainObject = {};
      mergeInto(fresh, value);
      target[key] = fresh;
    }
  }
}

function copyElement(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyElement);
  if (!isPlainObject(value)) return value;
  const copy: PlainObject = {};
  mergeInto(copy, value);
  return copy;
}
