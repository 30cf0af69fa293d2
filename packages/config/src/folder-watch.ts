/** Tells when something of a name we care for may have changed in folders that come and go. */
import { type FSWatcher, lstatSync, realpathSync, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ConfigError } from './errors.ts';

/** By folder: the names in it that count, or all of them. */
export type WatchTargets = Map<string, Set<string> | 'all'>;

/** Adds the file and, so that a folder that is replaced or made later is noticed,. */
export function addTarget(targets: WatchTargets, file: string): void {
  const folder = dirname(file);
  if (isFolder(folder)) {
    addName(targets, folder, basename(file));
    addLinked(targets, file);
  }
  addFolder(targets, folder);
}

/** Adds all that happens in the folder, which need not be there yet. */
export function addFolderTarget(targets: WatchTargets, folder: string): void {
  if (isFolder(folder)) targets.set(folder, 'all');
  addFolder(targets, folder);
}

interface Watched {
  readonly watcher: FSWatcher;
  readonly id: string;
}

export class FolderWatch {
  readonly #onChange: () => void;
  readonly #watched = new Map<string, Watched>();
  #targets: WatchTargets = new Map();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /**
   * Watches these and nothing else. @returns whether anything is watched now that was not before
   * @throws {ConfigError} CONFIG_UNWATCHABLE when the system has no more watches
   */
  follow(targets: WatchTargets): boolean {
    this.#targets = targets;
    let isNew = false;
    for (const [folder, { watcher, id }] of this.#watched) {
      if (targets.has(folder) && idOf(folder) === id) continue;
      watcher.close();
      this.#watched.delete(folder);
    }
    for (const folder of targets.keys()) {
      const id = idOf(folder);
      if (id === undefined || this.#watched.has(folder)) continue;
      const watcher = this.#open(folder);
      if (watcher === undefined) continue;
      this.#watched.set(folder, { watcher, id });
      isNew = true;
    }
    return isNew;
  }

  close(): void {
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  #open(folder: string): FSWatcher | undefined {
    try {
      const watcher = watch(folder, (_type, name) => {
        const names = this.#targets.get(folder);
        // Its own name is told when the folder itself goes; no name at all on some systems.
        const counts = name === null || name === basename(folder) || names === 'all' || names?.has(name) === true;
        if (counts) this.#onChange();
      });
      watcher.on('error', () => this.#onChange());
      return watcher;
    } catch (cause) {
      // It went away, or is one that we may not look into: then nothing in it counts.
      if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(codeOf(cause))) return undefined;
      const message = `${folder} can't be watched (${codeOf(cause)}); raise the system's limit of watches (fs.inotify.max_user_watches and max_user_instances on Linux)`;
      const problem = { path: '', message, file: folder, line: undefined, column: undefined, source: undefined };
      throw new ConfigError('CONFIG_UNWATCHABLE', message, [{ ...problem, suggestion: undefined }], { cause });
    }
  }
}

/** The folder's name in the one above; where there is no such folder, the first name that is missing on the way to it. */
function addFolder(targets: WatchTargets, folder: string): void {
  let child = folder;
  for (let parent = dirname(child); parent !== child; parent = dirname(child)) {
    if (isFolder(parent)) {
      addName(targets, parent, basename(child));
      if (isFolder(child)) return;
    }
    child = parent;
  }
}

/** What a link leads to may change while the link stays; and mounted settings are replaced by changing a link of another name. */
function addLinked(targets: WatchTargets, file: string): void {
  if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return;
  targets.set(dirname(file), 'all');
  try {
    const real = realpathSync(file);
    addName(targets, dirname(real), basename(real));
  } catch (error) {
    if (codeOf(error) === '') throw error;
  }
}

function addName(targets: WatchTargets, folder: string, name: string): void {
  const names = targets.get(folder);
  if (names === undefined) targets.set(folder, new Set([name]));
  else if (names !== 'all') names.add(name);
}

function isFolder(path: string): boolean {
  return idOf(path) !== undefined;
}

/** Which folder it is, whatever its name; `undefined` for none. */
function idOf(folder: string): string | undefined {
  try {
    const stats = statSync(folder, { throwIfNoEntry: false });
    return stats?.isDirectory() === true ? `${stats.dev}:${stats.ino}` : undefined;
  } catch (error) {
    if (codeOf(error) === '') throw error;
    return undefined;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
