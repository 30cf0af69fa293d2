/** Why a setting has the value it has: which layer set it, where, and what that hid. */
import { describeOrigin, type Layer, type Origin } from './layer.ts';
import { find } from './merge.ts';
import { formatPath, type Path, startsWith } from './path.ts';
import { isPlainObject } from './plain-data.ts';

/** A value, and who set it. */
export interface SetValue {
  readonly value: unknown;
  readonly origin: Origin;
}

/** What a project file said and may not say. */
export interface RefusedValue extends SetValue {
  readonly path: Path;
  readonly reason: string;
}

/** Secrets are `***` in all its parts, unless asked for. */
export interface Explanation {
  readonly path: string;
  /** The validated value; `undefined` when there is none. */
  readonly value: unknown;
  /**
   * Where it was set. `undefined` when no layer did: the value, if there is one, comes from the schema. For an object,
   * the highest layer that sets any part of it.
   */
  readonly setBy: Origin | undefined;
  /** What lower layers said and nobody hears, highest first. For an object see its `entries`. */
  readonly hid: readonly SetValue[];
  /** What an untrusted project file says and nobody heeds, because only the user may say it. For an object see its `entries`. */
  readonly refused: readonly RefusedValue[];
  /** For an object: its members, explained. */
  readonly entries: readonly Explanation[];
  /** The explanation in lines for a person to read. */
  toString(): string;
}

/**
 * @param layers low to high
 * @param allRefused what was taken out of the layers before
 * @param show what may be shown of a value
 */
export function explain(
  layers: readonly Layer[],
  allRefused: readonly RefusedValue[],
  value: unknown,
  path: Path,
  show: (value: unknown, path: Path) => unknown,
): Explanation {
  const final = find(isPlainObject(value) ? value : {}, path);
  const finalValue = final.type === 'value' ? final.value : undefined;
  const said = whatLayersSay(layers, path);
  const [top, ...lower] = said;
  const isMerged = top !== undefined && isPlainObject(top.value);
  const firstHidden = isMerged ? lower.findIndex((each) => !isPlainObject(each.value)) : 0;
  const hid = firstHidden === -1 ? [] : lower.slice(firstHidden).filter((each) => each.value !== undefined);
  const refused = allRefused.flatMap((each) => partAt(each, path));
  const names = memberNames(finalValue, said, allRefused, path);
  const explanation = {
    path: formatPath(path),
    value: show(finalValue, path),
    setBy: top?.origin,
    hid: Object.freeze(hid.map((each) => ({ ...each, value: show(each.value, path) }))),
    refused: Object.freeze(refused.map((each) => ({ ...each, value: show(each.value, path) }))),
    entries: Object.freeze(names.map((name) => explain(layers, allRefused, value, [...path, name], show))),
  };
  return Object.freeze({ ...explanation, toString: () => format(explanation).join('\n') });
}

/** The layer whose word counts for `path`, or for the nearest thing around it that was set at all. */
export function winningOrigin(layers: readonly Layer[], path: Path, part: 'key' | 'value'): Origin | undefined {
  for (let length = path.length; length > 0; length--) {
    const prefix = path.slice(0, length);
    for (const layer of layers.toReversed()) {
      if (find(layer.value, prefix).type === 'value') return layer.locate(prefix, part);
    }
  }
  return undefined;
}

/** What of a refused value stands at `path`. */
function partAt(refused: RefusedValue, path: Path): readonly RefusedValue[] {
  if (!startsWith(path, refused.path)) return [];
  const found = find({ value: refused.value }, ['value', ...path.slice(refused.path.length)]);
  return found.type === 'value' ? [{ ...refused, path, value: found.value }] : [];
}

/** Highest first. Where something other than an object covers the path, `value` is `undefined`. */
function whatLayersSay(layers: readonly Layer[], path: Path): SetValue[] {
  const said: SetValue[] = [];
  for (const layer of layers.toReversed()) {
    const found = find(layer.value, path);
    if (found.type === 'value') said.push({ value: found.value, origin: layer.locate(path, 'value') });
    if (found.type === 'covered') said.push({ value: undefined, origin: layer.locate(found.at, 'value') });
  }
  return said;
}

function memberNames(
  value: unknown,
  said: readonly SetValue[],
  refused: readonly RefusedValue[],
  path: Path,
): readonly string[] {
  const below = refused.filter((each) => each.path.length > path.length && startsWith(each.path, path));
  if (!isPlainObject(value) && below.length === 0) return [];
  const names = new Set(Object.keys(isPlainObject(value) ? value : {}));
  for (const each of below) names.add(String(each.path[path.length]));
  for (const each of said) {
    if (isPlainObject(each.value)) for (const name of Object.keys(each.value)) names.add(name);
  }
  return [...names];
}

function format({ path, value, setBy, hid, refused, entries }: Omit<Explanation, 'toString'>): string[] {
  if (entries.length > 0) return entries.flatMap((entry) => format(entry));
  const source = setBy === undefined ? (value === undefined ? 'no layer' : 'the schema') : describeOrigin(setBy);
  return [
    `${path === '' ? 'settings' : path} = ${text(value)}`,
    `  set by ${source}`,
    ...hid.map((each) => `  hides  ${text(each.value)} from ${describeOrigin(each.origin)}`),
    ...refused.map((each) => `  refuses ${text(each.value)} from ${describeOrigin(each.origin)}: ${each.reason}`),
  ];
}

function text(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return JSON.stringify(value) ?? '(not set)';
}
