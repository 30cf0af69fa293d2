/**
 * The content of files as digests: what a task's result depends on. A file is hashed once per run for as long as its
 * size, times and inode stay the same, and looked at again after the task, so that a result made from files that
 * changed meanwhile is never kept under the digest of the old ones.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { cacheKey } from '@cadre/cache';
import { globby } from 'globby';
import picomatch from 'picomatch';

export interface FileSet {
  /** One digest over every path and content. */
  readonly digest: string;
  readonly files: number;
}

/** Files hashed before other work gets its turn. */
const SLICE = 32;
const CHUNK_BYTES = 256 * 1024;

export class FileDigests {
  readonly #known = new Map<string, { readonly version: string; readonly digest: string }>();
  readonly #buffer = Buffer.allocUnsafe(CHUNK_BYTES);

  /**
   * The files that glob patterns stand for; `!` excludes. What git ignores is left out, and so are `.git`, `.cadre` and
   * `node_modules`, unless a pattern names them. A folder stands for everything in it.
   * @param directory  where relative patterns start, and what paths are relative to in the digest
   */
  async ofPatterns(patterns: readonly string[], directory: string): Promise<FileSet> {
    const paths = await expand(patterns, directory);
    const entries: [string, string][] = [];
    for (const [count, path] of paths.entries()) {
      const digest = this.ofFile(path);
      if (digest !== undefined) entries.push([relative(directory, path).split(sep).join('/'), digest]);
      if (count % SLICE === SLICE - 1) await setImmediate();
    }
    return { digest: cacheKey(entries), files: entries.length };
  }

  /** SHA-256 of a file's content; undefined when it is no readable file. */
  ofFile(path: string): string | undefined {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) return undefined;
    const version = `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}`;
    const known = this.#known.get(path);
    if (known?.version === version) return known.digest;
    const digest = this.#hash(path);
    this.#known.set(path, { version, digest });
    return digest;
  }

  /** The same of a program, or of a file that one is given: what can be used and not read is known by its path alone. */
  ofProgram(path: string): string | undefined {
    try {
      return this.ofFile(path);
    } catch (error) {
      if (error instanceof Error && 'code' in error && unreadable.has(String(error.code))) return undefined;
      throw error;
    }
  }

  #hash(path: string): string {
    const hash = createHash('sha256');
    const file = openSync(path, 'r');
    try {
      for (;;) {
        const count = readSync(file, this.#buffer, 0, CHUNK_BYTES, null);
        if (count === 0) return hash.digest('hex');
        hash.update(this.#buffer.subarray(0, count));
      }
    } finally {
      closeSync(file);
    }
  }
}

/** Not ours to read, or a file of `/proc` that is none. */
const unreadable: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EINVAL']);

async function expand(patterns: readonly string[], directory: string): Promise<readonly string[]> {
  const exclusions = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  const isExcluded = picomatch(
    exclusions.map((pattern) => (isAbsolute(pattern) ? pattern : `${escapePath(directory)}/${pattern}`)),
    { dot: true },
  );
  const found = await Promise.all(
    patterns
      .filter((pattern) => !pattern.startsWith('!'))
      .map((pattern) => expandOne(throughGitFile(resolve(directory, pattern)))),
  );
  const paths = [...new Set(found.flat())].sort();
  return exclusions.length === 0 ? paths : paths.filter((path) => !isExcluded(path));
}

/** In a linked worktree or a submodule `.git` is a file that says where the folder is: patterns below it mean that folder. */
function throughGitFile(pattern: string): string {
  const [, path, rest] = /^(.*?\/\.git)(\/.*)$/.exec(pattern) ?? [];
  if (path === undefined || rest === undefined || !statSync(path, { throwIfNoEntry: false })?.isFile()) return pattern;
  const [, folder] = /^gitdir: (.+)$/m.exec(readFileSync(path, 'utf8')) ?? [];
  return folder === undefined ? pattern : resolve(dirname(path), folder) + rest;
}

/** Names are looked at from the pattern's own folder on: one that lies in `node_modules` is read all the same. */
async function expandOne(pattern: string): Promise<readonly string[]> {
  const { folder, rest } = splitPattern(pattern);
  const namesIgnored = /(^|\/)(\.git|\.cadre|node_modules)(\/|$)/.test(rest);
  const options = { cwd: folder, dot: true, onlyFiles: true, followSymbolicLinks: false } as const;
  const found = await globby(rest, namesIgnored ? options : { ...options, gitignore: true, ignore: alwaysIgnored });
  return found.map((path) => join(folder, path));
}

const alwaysIgnored = ['**/node_modules/**', '**/.git/**', '**/.cadre/**'];

/** The part of a pattern that is a folder as it stands, whatever characters are in its name, and the glob after it. */
function splitPattern(pattern: string): { readonly folder: string; readonly rest: string } {
  const segments = pattern.split('/');
  let taken = 1;
  while (taken < segments.length && isFolder(segments.slice(0, taken + 1).join('/'))) taken += 1;
  const folder = segments.slice(0, taken).join('/');
  return { folder: folder === '' ? '/' : folder, rest: segments.slice(taken).join('/') || '**' };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function escapePath(path: string): string {
  return path.replaceAll(/[$^*+?()[\]{}!|@\\]/g, '\\$&');
}
