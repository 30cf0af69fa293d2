/**
 * From an import's specifier to the file of the tree that it means: relative paths with or without extension, the source
 * of a built file, aliases of `tsconfig.json`, `#names` of a package, and packages of the same workspace by name. Asking
 * the file list only, never the disk.
 */
import { builtinModules } from 'node:module';
import type { ManifestFacts } from './collect-manifests.ts';
import type { PackageManifest, TsconfigFact } from './manifest.ts';
import { folderOf, foldersAbove, isInside, joinPath } from './path.ts';

type Resolution =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'package'; readonly name: string }
  | { readonly kind: 'builtin' }
  /** A relative path that leads to no file. */
  | { readonly kind: 'missing' }
  /** An alias or scheme that only some tool knows. */
  | { readonly kind: 'unknown' };

export interface ImportResolver {
  resolve(from: string, specifier: string): Resolution;
  /** The file that a path, relative to a folder, means; also the source of a built one. */
  find(folder: string, path: string): string | undefined;
  /** The files that a path with stars means. */
  findAll(folder: string, pattern: string): readonly string[];
  /** The package that a file belongs to. */
  packageOf(path: string): PackageManifest | undefined;
}

const EXTENSIONS = [
  '.ts',
  '.tsx',
  '.mts',
  '.cts',
  '.js',
  '.jsx',
  '.mjs',
  '.cjs',
  '.d.ts',
  '.vue',
  '.svelte',
  '.astro',
  '.json',
];
const WRITTEN_AS: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx', '.jsx', '.d.ts', '.mts'],
  '.jsx': ['.tsx'],
  '.mjs': ['.mts', '.ts', '.d.mts'],
  '.cjs': ['.cts', '.ts', '.d.cts'],
  '.ts': ['.d.ts', '.js'],
};
const BUILT = new Set([
  'dist',
  'lib',
  'build',
  'out',
  'output',
  'esm',
  'cjs',
  'es',
  'umd',
  'module',
  'types',
  'bin',
  'compiled',
  '.output',
]);
const PACKAGE_NAME = /^(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*$/i;
const builtins = new Set(builtinModules);

export function createImportResolver(paths: readonly string[], manifests: ManifestFacts): ImportResolver {
  const files = new Set(paths);
  const byFolder = new Map(manifests.packages.map((manifest) => [manifest.folder, manifest]));
  const byName = new Map(
    manifests.packages.flatMap((manifest) => (manifest.name === null ? [] : [[manifest.name, manifest] as const])),
  );
  const packageOf = (path: string) => {
    for (const folder of foldersAbove(path)) {
      const manifest = byFolder.get(folder);
      if (manifest !== undefined) return manifest;
    }
    return undefined;
  };

  const exact = (path: string): string | undefined => {
    if (files.has(path)) return path;
    const dot = path.lastIndexOf('.');
    const stem = dot > path.lastIndexOf('/') ? path.slice(0, dot) : path;
    for (const extension of WRITTEN_AS[path.slice(stem.length)] ?? [])
      if (files.has(stem + extension)) return stem + extension;
    for (const extension of EXTENSIONS) if (files.has(path + extension)) return path + extension;
    for (const extension of EXTENSIONS) {
      const index = path === '' ? `index${extension}` : `${path}/index${extension}`;
      if (files.has(index)) return index;
    }
    return undefined;
  };

  const find = (folder: string, path: string): string | undefined => {
    const joined = joinPath(folder, path);
    if (joined === undefined) return undefined;
    return exact(joined) ?? builtFrom(joined, packageOf(joined)?.folder ?? '', exact);
  };

  const findAll = (folder: string, pattern: string): readonly string[] => {
    if (!pattern.includes('*')) {
      const found = find(folder, pattern);
      return found === undefined ? [] : [found];
    }
    const joined = joinPath(folder, pattern);
    if (joined === undefined) return [];
    const owner = packageOf(joined)?.folder ?? '';
    return candidatesOf(joined, owner)
      .map(starExpression)
      .flatMap((expression) => paths.filter((path) => expression.test(path)));
  };

  const viaDoors = (manifest: PackageManifest, doors: Readonly<Record<string, readonly string[]>>, key: string) => {
    for (const [door, targets] of Object.entries(doors)) {
      const star = matchStar(door, key);
      if (star === undefined) continue;
      for (const target of targets) {
        const found = find(manifest.folder, target.replace(/\*+/g, star));
        if (found !== undefined) return found;
      }
    }
    return undefined;
  };

  const intoPackage = (manifest: PackageManifest, subpath: string): string | undefined => {
    const key = subpath === '' ? '.' : `./${subpath}`;
    if (manifest.exports !== null) return viaDoors(manifest, manifest.exports, key);
    if (subpath !== '') return find(manifest.folder, subpath) ?? find(manifest.folder, `src/${subpath}`);
    for (const main of [...manifest.mains, 'index', 'src/index']) {
      const found = find(manifest.folder, main);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  const viaAlias = (from: string, specifier: string): string | undefined => {
    for (const config of tsconfigsFor(from, manifests.tsconfigs)) {
      for (const [alias, targets] of Object.entries(config.paths)) {
        const star = matchStar(alias, specifier);
        if (star === undefined) continue;
        for (const target of targets) {
          const found = find('', target.replace('*', star));
          if (found !== undefined) return found;
        }
      }
      const based = config.baseUrl === null ? undefined : exact(joinPath(config.baseUrl, specifier) ?? '');
      if (based !== undefined) return based;
    }
    return undefined;
  };

  const resolve = (from: string, written: string): Resolution => {
    const specifier = written.replace(/[?#!].*$/, (tail) => (written.startsWith('#') && tail === written ? tail : ''));
    const manifest = packageOf(from);
    if (specifier.startsWith('.')) {
      const found = find(folderOf(from), specifier);
      return found === undefined ? { kind: 'missing' } : { kind: 'file', path: found };
    }
    if (specifier.startsWith('#') && manifest !== undefined) {
      const found = viaDoors(manifest, manifest.imports, specifier) ?? viaAlias(from, specifier);
      return found === undefined ? { kind: 'unknown' } : { kind: 'file', path: found };
    }
    if (specifier.startsWith('node:') || builtins.has(specifier) || builtins.has(specifier.split('/')[0] ?? '')) {
      if (!byName.has(specifier)) return { kind: 'builtin' };
    }
    const aliased = viaAlias(from, specifier);
    if (aliased !== undefined) return { kind: 'file', path: aliased };
    const rest = /^[@~]\/(.+)$/.exec(specifier)?.[1];
    if (rest !== undefined) {
      const owner = manifest?.folder ?? '';
      const found = find(owner, `src/${rest}`) ?? find(owner, rest) ?? find(owner, `app/${rest}`);
      return found === undefined ? { kind: 'unknown' } : { kind: 'file', path: found };
    }
    const name = packageName(specifier);
    if (name === undefined) return { kind: 'unknown' };
    const workspace = byName.get(name);
    if (workspace !== undefined) {
      const found = intoPackage(workspace, specifier.slice(name.length + 1));
      if (found !== undefined) return { kind: 'file', path: found };
    }
    return { kind: 'package', name };
  };

  return { resolve, find, findAll, packageOf };
}

/** The package that a bare specifier names; undefined for what is no package name. */
export function packageName(specifier: string): string | undefined {
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  return PACKAGE_NAME.test(name) && !specifier.includes(':') ? name : undefined;
}

/** What the star of `pattern` stands for in `text`: the whole for a pattern that holds no star and is equal. */
function matchStar(pattern: string, text: string): string | undefined {
  const at = pattern.indexOf('*');
  if (at === -1)
    return pattern === text
      ? ''
      : pattern.endsWith('/') && text.startsWith(pattern)
        ? text.slice(pattern.length)
        : undefined;
  const prefix = pattern.slice(0, at);
  const suffix = pattern.slice(at).replace(/^\*+/, '');
  const fits = text.startsWith(prefix) && text.endsWith(suffix) && text.length >= prefix.length + suffix.length;
  return fits ? text.slice(prefix.length, text.length - suffix.length) : undefined;
}

function builtFrom(path: string, owner: string, exact: (path: string) => string | undefined): string | undefined {
  for (const candidate of candidatesOf(path, owner).slice(1)) {
    const found = exact(candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The path itself, then where its source would be had it been built: `dist/a/b.js` from `src/a/b`, `a/b`. */
function candidatesOf(path: string, owner: string): readonly string[] {
  const inside = isInside(owner, path) && owner !== '' ? path.slice(owner.length + 1) : path;
  const parts = inside.split('/');
  let built = 0;
  while (built < parts.length - 1 && BUILT.has(parts[built] ?? '')) built += 1;
  if (built === 0) return [path];
  const rest = parts
    .slice(built)
    .join('/')
    .replace(/\.d\.([cm]?)ts$/, '.$1js');
  const at = (relative: string) => (owner === '' ? relative : `${owner}/${relative}`);
  const withoutFlavour = rest.replace(/\.(esm|cjs|umd|min|browser|prod|node|module)(?=\.[cm]?js$)/, '');
  return [
    path,
    at(`src/${rest}`),
    at(`source/${rest}`),
    at(rest),
    at(`src/${withoutFlavour}`),
    at(withoutFlavour),
    at(`src/lib/${rest}`),
  ];
}

function starExpression(pattern: string): RegExp {
  const body = pattern
    .replace(/\.[cm]?[jt]sx?$/, '')
    .split(/\*+/)
    .map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'))
    .join('.+');
  return new RegExp(`^${body}(\\.[cm]?[jt]sx?|\\.d\\.ts)?$`, 's');
}

function tsconfigsFor(from: string, tsconfigs: readonly TsconfigFact[]): readonly TsconfigFact[] {
  return tsconfigs.filter((config) => isInside(config.folder, from)).sort((a, b) => b.folder.length - a.folder.length);
}
