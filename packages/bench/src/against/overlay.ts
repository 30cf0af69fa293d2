/**
 * The current cases beside the packages of another build. An overlay is a folder that looks like the repository: the built
 * cases are copied, everything else is linked, and the links to the repository's own packages lead to the build that is
 * asked for. So the same files do the same work on the same data, and only what is measured differs.
 */

import { existsSync } from 'node:fs';
import { cp, lstat, mkdir, readdir, realpath, symlink } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface OverlayOptions {
  /** Of the checked-out repository. */
  readonly repository: string;
  /** Of the built cases, within the repository. */
  readonly casesDirectory: string;
  /** Where the overlay is made. It must not exist. */
  readonly directory: string;
  /** The root of the build whose packages are put in; the repository itself for its own. */
  readonly packagesFrom: string;
}

export interface Overlay {
  readonly casesDirectory: string;
  /** The repository's packages that the other build does not have, by folder. */
  readonly missing: readonly string[];
}

export async function makeOverlay(options: OverlayOptions): Promise<Overlay> {
  const { repository, casesDirectory, directory } = options;
  const workspace = findWorkspace(casesDirectory, repository);
  const missing: string[] = [];
  let real = repository;
  let copy = directory;
  for (const segment of [...relative(repository, workspace).split(sep).filter(Boolean), undefined]) {
    const [built] = relative(workspace, casesDirectory).split(sep);
    await mkdir(copy, { recursive: true });
    for (const name of await readdir(real)) {
      const [from, to] = [join(real, name), join(copy, name)];
      if (name === '.git' || name === segment) continue;
      if (name === 'node_modules') await linkModules(from, to, options, missing);
      else if (segment === undefined && name === built) await cp(from, to, { recursive: true });
      else if (segment === undefined && name === 'package.json') await cp(from, to);
      else await symlink(from, to);
    }
    if (segment === undefined) break;
    real = join(real, segment);
    copy = join(copy, segment);
  }
  return { casesDirectory: join(directory, relative(repository, casesDirectory)), missing };
}

/** The package that the cases belong to: the nearest folder above them with a package.json. */
function findWorkspace(casesDirectory: string, repository: string): string {
  let folder = dirname(casesDirectory);
  while (folder !== repository && !existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

async function linkModules(
  from: string,
  to: string,
  { repository, packagesFrom }: OverlayOptions,
  missing: string[],
): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    const source = join(from, name);
    if (name.startsWith('@') && (await lstat(source)).isDirectory()) {
      await linkModules(
        source,
        join(to, name),
        { repository, packagesFrom, casesDirectory: '', directory: '' },
        missing,
      );
      continue;
    }
    const real = await realpath(source);
    const folder = relative(repository, real);
    if (!isOwnPackage(folder) || isRuler(real)) {
      await symlink(real, join(to, name));
      continue;
    }
    const other = join(packagesFrom, folder);
    if (existsSync(join(other, 'package.json'))) await symlink(other, join(to, name));
    else missing.push(folder);
  }
}

function isOwnPackage(folder: string): boolean {
  return folder !== '' && !folder.startsWith('..') && !folder.split(sep).includes('node_modules');
}

/** The ruler is the same for both sides, or they would not be measured alike. */
function isRuler(folder: string): boolean {
  return fileURLToPath(import.meta.url).startsWith(folder + sep);
}
