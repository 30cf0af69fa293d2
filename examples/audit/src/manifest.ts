/**
 * What the tree's `package.json` files declare: names, doors, programs, dependencies; with the aliases of `tsconfig.json`
 * and what other configuration mentions. Nothing is executed: a configuration that is a program is read as syntax only.
 */
import ts from 'typescript';
import { folderOf, joinPath, nameOf } from './path.ts';

type DependencyField = 'dependencies' | 'devDependencies' | 'peerDependencies' | 'optionalDependencies';

export interface DependencyFact {
  readonly name: string;
  readonly range: string;
  readonly field: DependencyField;
  readonly line: number;
}

export interface PackageManifest {
  /** The path of the `package.json`. */
  readonly path: string;
  readonly folder: string;
  readonly name: string | null;
  readonly isPrivate: boolean;
  readonly isModule: boolean;
  /** Each subpath of `exports` with every file it may stand for, in the order written; null where there is no map. */
  readonly exports: Readonly<Record<string, readonly string[]>> | null;
  /** The same for `imports` (`#names`). */
  readonly imports: Readonly<Record<string, readonly string[]>>;
  /** Files named by `main`, `module`, `types`, `browser`, `bin` and the like. */
  readonly mains: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: readonly DependencyFact[];
  /** Every other string of the file: settings of tools live here too. */
  readonly settings: readonly string[];
}

export interface TsconfigFact {
  readonly path: string;
  readonly folder: string;
  readonly baseUrl: string | null;
  readonly paths: Readonly<Record<string, readonly string[]>>;
}

const FIELDS: readonly DependencyField[] = [
  'dependencies',
  'devDependencies',
  'peerDependencies',
  'optionalDependencies',
];
const MAINS = [
  'main',
  'module',
  'types',
  'typings',
  'browser',
  'bin',
  'svelte',
  'source',
  'react-native',
  'unpkg',
  'jsdelivr',
  'umd:main',
  'esnext',
  'es2015',
  'style',
  'sass',
];
const KNOWN = new Set([
  ...FIELDS,
  ...MAINS,
  'exports',
  'imports',
  'scripts',
  'name',
  'version',
  'description',
  'license',
  'author',
  'keywords',
  'homepage',
  'repository',
  'bugs',
  'files',
  'publishConfig',
  'engines',
]);

/** @returns undefined when the text is not a JSON object */
export function parseManifest(path: string, text: string): PackageManifest | undefined {
  const json = parseObject(text);
  if (json === undefined) return undefined;
  const folder = folderOf(path);
  return {
    path,
    folder,
    name: typeof json.name === 'string' ? json.name : null,
    isPrivate: json.private === true,
    isModule: json.type === 'module',
    exports: json.exports === undefined || json.exports === null ? null : doors(json.exports, '.'),
    imports: json.imports === undefined ? {} : doors(json.imports, '#'),
    mains: [...new Set(MAINS.flatMap((key) => strings(json[key])))].sort(),
    scripts: textFields(json.scripts),
    dependencies: FIELDS.flatMap((field) => dependenciesOf(json[field], field, text)),
    settings: [
      ...new Set(
        Object.keys(json)
          .filter((key) => !KNOWN.has(key))
          .flatMap((key) => [key, ...strings(json[key], true)]),
      ),
    ]
      .sort()
      .slice(0, 500),
  };
}

export function parseTsconfig(path: string, text: string): TsconfigFact | undefined {
  const { config } = ts.parseConfigFileTextToJson(nameOf(path), text);
  const options = record(record(config)?.compilerOptions);
  if (options === undefined) return undefined;
  const folder = folderOf(path);
  const baseUrl = typeof options.baseUrl === 'string' ? (joinPath(folder, options.baseUrl) ?? null) : null;
  const paths: Record<string, readonly string[]> = {};
  for (const [alias, targets] of Object.entries(record(options.paths) ?? {})) {
    paths[alias] = strings(targets).flatMap((target) => {
      const resolved = joinPath(baseUrl ?? folder, target);
      return resolved === undefined ? [] : [resolved];
    });
  }
  return { path, folder, baseUrl, paths };
}

/** Paths of scripts that a text names, as in a workflow file, a web page or a shell script; as written. */
export function mentionedScripts(text: string): readonly string[] {
  const found = new Set<string>();
  for (const match of text.matchAll(/[\w@./*-]*[\w*-]\.[cm]?[jt]sx?(?![\w-])/g)) found.add(match[0]);
  return [...found].sort().slice(0, 300);
}

/** Which of `names` a text holds as a word of its own. */
export function mentionedPackages(text: string, names: readonly string[]): readonly string[] {
  return names.filter((name) => {
    for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
      const before = text.charAt(at - 1);
      const after = text.charAt(at + name.length);
      if (!/[\w@/.-]/.test(before) && !/[\w-]/.test(after)) return true;
    }
    return false;
  });
}

function doors(value: unknown, mark: '.' | '#'): Readonly<Record<string, readonly string[]>> {
  const object = record(value);
  const isMap = object !== undefined && Object.keys(object).some((key) => key.startsWith(mark));
  if (!isMap) return { '.': strings(value) };
  return Object.fromEntries(Object.entries(object).map(([key, target]) => [key, strings(target)]));
}

function dependenciesOf(value: unknown, field: DependencyField, text: string): readonly DependencyFact[] {
  const section = text.search(new RegExp(`"${field}"\\s*:`));
  return Object.entries(textFields(value)).map(([name, range]) => {
    const at = text.indexOf(JSON.stringify(name), Math.max(section, 0));
    return { name, range, field, line: at === -1 ? 1 : text.slice(0, at).split('\n').length };
  });
}

function strings(value: unknown, withKeys = false): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap((item) => strings(item, withKeys));
  const object = record(value);
  if (object === undefined) return [];
  return Object.entries(object).flatMap(([key, item]) => [...(withKeys ? [key] : []), ...strings(item, withKeys)]);
}

function textFields(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(record(value) ?? {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return record(JSON.parse(text));
  } catch {
    // A manifest that is no JSON is reported by the caller, which knows its path.
    return undefined;
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
