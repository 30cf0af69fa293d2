/**
 * Which files make up the audited tree. In a git repository these are the tracked files and the new ones that git does
 * not ignore; elsewhere a walk that honours `.gitignore`. Symbolic links are counted and never followed, so a loop of
 * them cannot hold the audit; installed packages and Cadre's own folder are never part of the tree.
 */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runGit } from './git.ts';
import { type IgnoreRule, isIgnored, parseIgnoreFile } from './ignore-rules.ts';
import { compareText } from './path.ts';

export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
}

export interface SourceTree {
  /** Ordered by path. */
  readonly files: readonly SourceFile[];
  readonly listedBy: 'git' | 'walk';
  /** What was left out and why, in plain sentences. */
  readonly notes: readonly string[];
}

const NEVER = new Set(['node_modules', '.git', '.cadre']);

/**
 * @param options.maxFiles  the first so many by path are kept, the rest is said in the notes  @default 20000
 * @throws {Error} when the folder cannot be read
 */
export async function listSourceTree(root: string, options: { readonly maxFiles?: number } = {}): Promise<SourceTree> {
  const maxFiles = options.maxFiles ?? 20_000;
  const fromGit = await pathsFromGit(root);
  const found = fromGit ?? (await walk(root));
  const paths = [...new Set(found)].filter((path) => !path.split('/').some((part) => NEVER.has(part)));
  paths.sort(compareText);
  const kept = paths.slice(0, maxFiles);
  const { files, links, others } = await sizesOf(root, kept);
  const notes: string[] = [];
  if (paths.length > maxFiles) {
    notes.push(`${paths.length} files were found and only the first ${maxFiles} by path were read.`);
  }
  if (links > 0) notes.push(`${count(links, 'symbolic link')} not followed.`);
  if (others > 0)
    notes.push(
      `${count(others, 'nested repository, special or unreadable file', 'nested repositories, special or unreadable files')} not read.`,
    );
  return { files, listedBy: fromGit === undefined ? 'walk' : 'git', notes };
}

async function pathsFromGit(root: string): Promise<readonly string[] | undefined> {
  const listed = await runGit(root, ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  if (!listed.ok) return undefined;
  const paths = listed.output.split('\0').filter((path) => path !== '');
  if (paths.length > 0) return paths;
  // A folder that its repository ignores, an installed package for one, lists as empty: then the files count, not git.
  const ignored = await runGit(root, ['check-ignore', '--quiet', '.']);
  return ignored.ok ? undefined : paths;
}

async function walk(root: string): Promise<readonly string[]> {
  const paths: string[] = [];
  const pending: { folder: string; rules: readonly IgnoreRule[] }[] = [{ folder: '', rules: [] }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const entries = await readdir(join(root, next.folder), { withFileTypes: true }).catch((error: unknown) => {
      if (next?.folder === '') throw error;
      return [];
    });
    let rules = next.rules;
    if (entries.some((entry) => entry.name === '.gitignore' && entry.isFile())) {
      const text = await readFile(join(root, next.folder, '.gitignore'), 'utf8');
      rules = [...rules, ...parseIgnoreFile(text, next.folder)];
    }
    for (const entry of entries) {
      const path = next.folder === '' ? entry.name : `${next.folder}/${entry.name}`;
      if (NEVER.has(entry.name) || isIgnored(path, entry.isDirectory(), rules)) continue;
      if (entry.isDirectory()) pending.push({ folder: path, rules });
      else paths.push(path);
    }
  }
  return paths;
}

async function sizesOf(root: string, paths: readonly string[]) {
  const files: SourceFile[] = [];
  let links = 0;
  let others = 0;
  for (let start = 0; start < paths.length; start += 64) {
    const batch = paths.slice(start, start + 64);
    // A file that git knows and the folder has no more is no longer part of the tree.
    const found = await Promise.all(batch.map((path) => lstat(join(root, path)).catch(goneOrUnreadable)));
    for (const [index, stats] of found.entries()) {
      const path = batch[index];
      if (stats === 'gone' || path === undefined) continue;
      if (stats === 'unreadable') others += 1;
      else if (stats.isFile()) files.push({ path, bytes: stats.size });
      else if (stats.isSymbolicLink()) links += 1;
      else others += 1;
    }
  }
  return { files, links, others };
}

function goneOrUnreadable(error: NodeJS.ErrnoException): 'gone' | 'unreadable' {
  return error.code === 'ENOENT' || error.code === 'ENOTDIR' ? 'gone' : 'unreadable';
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? `${one} was` : `${many} were`}`;
}
