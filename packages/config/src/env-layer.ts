/**
 * Settings from environment variables. The names are derived from the known settings (`cache.diskMaxBytes` is
 * `CADRE_CACHE_DISK_MAX_BYTES`), never the other way round, because an underscore could mean a new word or a new level.
 */
import { problemAt } from './file-layer.ts';
import type { KnownSetting, KnownSettings } from './known-settings.ts';
import type { Layer, Origin } from './layer.ts';
import { formatPath, type Path, startsWith } from './path.ts';
import { copyPlainValue, isPlainObject, type PlainObject } from './plain-data.ts';
import { ProblemList } from './problem-list.ts';
import { nearest } from './suggest.ts';
import type { ConfigWarning } from './warning.ts';

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentLayer {
  readonly layer: Layer;
  readonly problems: ProblemList;
  readonly warnings: readonly ConfigWarning[];
}

export interface EnvironmentTerms {
  readonly maxFileBytes: number;
  readonly maxDepth: number;
  /** Of settings whose text no message may quote. */
  readonly isSecret: (path: Path) => boolean;
}

interface Setting {
  readonly variable: string;
  readonly path: readonly string[];
}

/** `('CADRE_', ['cache', 'diskMaxBytes'])` → `CADRE_CACHE_DISK_MAX_BYTES` */
export function variableName(prefix: string, path: readonly string[]): string {
  const words = path.map((key) =>
    key
      .replace(/([a-z\d])([A-Z])/g, '$1_$2')
      .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
      .replace(/[^A-Za-z\d]+/g, '_')
      .toUpperCase(),
  );
  return `${prefix}${words.join('_')}`;
}

/** @throws {TypeError} when two settings would share one variable's name */
export function variablesOf(prefix: string, known: KnownSettings): ReadonlyMap<string, KnownSetting> {
  const byName = new Map<string, KnownSetting>();
  for (const setting of known.values()) {
    const variable = variableName(prefix, setting.path);
    const other = byName.get(variable);
    if (other !== undefined) {
      const [one, two] = [formatPath(other.path), formatPath(setting.path)];
      throw new TypeError(
        `The settings \`${one}\` and \`${two}\` would both be set by ${variable}; rename one of them`,
      );
    }
    byName.set(variable, setting);
  }
  return byName;
}

export function readEnvironmentLayer(
  environment: Environment,
  prefix: string,
  variables: ReadonlyMap<string, KnownSetting>,
  ignored: readonly string[],
  terms: EnvironmentTerms,
): EnvironmentLayer {
  const problems = new ProblemList();
  const warnings: ConfigWarning[] = [];
  const settings: Setting[] = [];
  const value: PlainObject = {};

  // The shorter path first, so that CADRE_CACHE_DISK_MAX_BYTES adds to what CADRE_CACHE says.
  const names = Object.keys(environment).filter((name) => name.startsWith(prefix) && !ignored.includes(name));
  const length = (name: string) => variables.get(name)?.path.length ?? 0;
  for (const name of names.sort((a, b) => length(a) - length(b) || (a < b ? -1 : 1))) {
    const text = environment[name];
    if (text === undefined) continue;
    const setting = variables.get(name);
    if (setting === undefined) {
      const near = nearest(name, variables.keys());
      const suggestion = near === undefined ? undefined : `did you mean ${near}?`;
      const message = `${name} names no setting and was ignored`;
      const none = { path: undefined, file: undefined };
      warnings.push({ type: 'unknownVariable', message, suggestion, variable: name, ...none });
    } else {
      readVariable(name, text, setting);
    }
  }
  const present = settings.length > 0;
  return { layer: { name: 'environment', origin: `${prefix}*`, present, value, locate }, problems, warnings };

  function readVariable(variable: string, text: string, { path, kind }: KnownSetting): void {
    if (text === '' && kind !== 'text' && kind !== 'unknown') return;
    const origin: Origin = { layer: 'environment', variable };
    const parsed = parseValue(text, kind, terms.maxFileBytes, () => terms.isSecret(path));
    if (parsed.problem !== undefined) {
      problems.add(() => problemAt(origin, formatPath(path), parsed.problem));
      return;
    }
    const copy = copyPlainValue(parsed.value, path, terms.maxDepth, (at, _part, message) => {
      problems.add(() => problemAt(origin, formatPath(at), message));
    });
    if (copy === undefined) return;
    place(value, path, copy);
    settings.push({ variable, path });
  }

  function locate(path: Path): Origin {
    // Settings stand with the shorter path first: the last one that covers the path is the one that set it.
    const covering = settings.findLast((setting) => startsWith(path, setting.path));
    const variable = (covering ?? settings.find((setting) => startsWith(setting.path, path)))?.variable;
    return variable === undefined ? { layer: 'environment' } : { layer: 'environment', variable };
  }
}

/** Puts `value` at `path`; objects on the way are made, and replace what is no object. */
export function place(root: PlainObject, path: readonly string[], value: unknown): void {
  let target = root;
  for (const key of path.slice(0, -1)) {
    const inner = Object.hasOwn(target, key) ? target[key] : undefined;
    const next: PlainObject = isPlainObject(inner) ? inner : {};
    target[key] = next;
    target = next;
  }
  target[path.at(-1) ?? ''] = value;
}

type ParsedValue = { readonly value: unknown; readonly problem?: undefined } | { readonly problem: string };

function parseValue(text: string, kind: KnownSetting['kind'], maxBytes: number, isSecret: () => boolean): ParsedValue {
  if (Buffer.byteLength(text) > maxBytes) return { problem: `is longer than maxFileBytes (${maxBytes})` };
  if (kind === 'text' || kind === 'unknown') return { value: text };
  const value = kind === 'number' && text === 'Infinity' ? Number.POSITIVE_INFINITY : parseJsonText(text);
  const isRight =
    (kind === 'number' && typeof value === 'number') ||
    (kind === 'boolean' && typeof value === 'boolean') ||
    (kind === 'list' && Array.isArray(value)) ||
    (kind === 'object' && isPlainObject(value));
  if (isRight) return { value };
  const wanted = {
    number: 'a number',
    boolean: '`true` or `false`',
    list: 'a JSON list like `["a","b"]`',
    object: 'a JSON object like `{"a":1}`',
  }[kind];
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return { problem: `must be ${wanted}, got ${isSecret() ? 'something else' : JSON.stringify(shown)}` };
}

function parseJsonText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
