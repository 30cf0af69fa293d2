/**
 * Paths inside the audited tree: always relative to its root, always with `/`, whatever the system. The root itself is
 * the empty string. Nothing here touches the disk.
 */

/** The folder of a path; the empty string for a file at the root. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash === -1 ? '' : path.slice(0, slash);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The last extension with its dot, lower-cased; the empty string when there is none. */
export function extensionOf(path: string): string {
  const name = nameOf(path);
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot).toLowerCase();
}

/** `relative` as seen from `folder`; undefined when it climbs out of the tree. */
export function joinPath(folder: string, relative: string): string | undefined {
  const parts = folder === '' ? [] : folder.split('/');
  for (const part of relative.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}

export function isInside(folder: string, path: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

/** The folder of a path and each folder above it, nearest first, the root last. */
export function foldersAbove(path: string): readonly string[] {
  const folders: string[] = [];
  let folder = folderOf(path);
  while (folder !== '') {
    folders.push(folder);
    folder = folderOf(folder);
  }
  return [...folders, ''];
}

/** Orders by code unit: the same everywhere, whatever the locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
