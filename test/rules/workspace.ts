/**
 * What the rules of the house look at: the files that git knows or would take, the workspace packages ("rooms") and who
 * imports what. A rule is a function of this to the problems it sees, so that it can be run on a made-up tree as well.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { findImports, type Import } from './imports.ts';

export type Rule = (workspace: Workspace) => readonly string[];

export interface Workspace {
  readonly root: string;
  /** Relative to the root, with forward slashes, as is every path below. */
  readonly files: readonly string[];
  readonly rooms: readonly Room[];
  text(file: string): string;
  imports(file: string): readonly Import[];
}

export interface Room {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly files: readonly string[];
  /** Those that hold code, tests included. */
  readonly scripts: readonly string[];
}

export type Door = string | { readonly '@cadre/source'?: string; readonly types?: string; readonly default?: string };

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, Door>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, Door>> };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** Where an import leads. A `room` import names one of ours, by its package name; `door` is its key in `exports`. */
export type Target =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'room'; readonly room: Room; readonly door: string }
  | { readonly kind: 'package'; readonly name: string }
  | { readonly kind: 'builtin' };

export function readWorkspace(root: string): Workspace {
  const files = listFiles(root);
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  const imports = new Map<string, readonly Import[]>();
  return {
    root,
    files,
    rooms: files
      .filter((file) => /^(?:(?:packages|apps|examples)\/[^/]+|benchmarks)\/package\.json$/.test(file))
      .map((file) => readRoom(posix.dirname(file), JSON.parse(read(file)), files)),
    text: read,
    imports(file) {
      const found = imports.get(file) ?? findImports(file, read(file));
      imports.set(file, found);
      return found;
    },
  };
}

export function resolveImport(workspace: Workspace, from: string, specifier: string): Target {
  if (specifier.startsWith('.')) return { kind: 'file', file: posix.join(posix.dirname(from), specifier) };
  if (isBuiltin(specifier)) return { kind: 'builtin' };
  const [name = '', subpath = ''] = splitSpecifier(specifier);
  const room = workspace.rooms.find(({ manifest }) => manifest.name === name);
  return room === undefined ? { kind: 'package', name } : { kind: 'room', room, door: `.${subpath}` };
}

/** A file that is no part of what a package does: its tests, their fixtures and programs. */
export function isTest(file: string): boolean {
  return /\.test\.[cm]?[jt]sx?$/.test(file) || /^(?:packages|apps)\/[^/]+\/test\//.test(file);
}

/** The source file behind each door, by the door's name; doors onto something that is not built are left out. */
export function doorSources(room: Room): ReadonlyMap<string, string> {
  const doors = Object.entries(room.manifest.exports ?? {}).flatMap(([name, door]) => {
    const source = typeof door === 'string' ? undefined : door['@cadre/source'];
    return source === undefined ? [] : [[name, posix.join(room.folder, source)] as const];
  });
  return new Map(doors);
}

/** The package's own files that importing `entry` loads, or, with types, that its declarations name. */
export function reachableFrom(workspace: Workspace, room: Room, entry: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file) || !room.files.includes(file)) continue;
    seen.add(file);
    for (const { specifier } of workspace.imports(file)) {
      const target = resolveImport(workspace, file, specifier);
      if (target.kind === 'file') waiting.push(target.file);
    }
  }
  return seen;
}

function readRoom(folder: string, manifest: Manifest, all: readonly string[]): Room {
  const files = all.filter((file) => file.startsWith(`${folder}/`));
  const scripts = files.filter((file) => /\.[cm]?[jt]sx?$/.test(file) && !/\/(?:fixtures|recordings)\//.test(file));
  return { folder, manifest, files, scripts };
}

/** Files that were deleted but not yet committed are in git's list and not on the disk. */
function listFiles(root: string): readonly string[] {
  const args = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8', env: { PATH: process.env.PATH } });
  const files = new Set(listed.split('\0').filter((file) => file !== '' && existsSync(join(root, file))));
  return [...files].sort();
}

function splitSpecifier(specifier: string): readonly string[] {
  const parts = specifier.split('/');
  const name = parts.splice(0, specifier.startsWith('@') ? 2 : 1).join('/');
  return [name, parts.length === 0 ? '' : `/${parts.join('/')}`];
}
