/** Whether a stored baseline is of the sources that lie there now: by their content, so that it holds without git. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { BenchmarkRecord } from './record.ts';

/**
 * SHA-256 over the paths and contents of a package's sources, tests left out. What it depends on is not part of it.
 * @param directory  the package's folder
 * @returns undefined where it has no folder `src`
 */
export async function hashSources(directory: string): Promise<string | undefined> {
  const folder = join(directory, 'src');
  let names: readonly string[];
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    names = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const hash = createHash('sha256');
  for (const name of [...names].filter((path) => !/\.test\.\w+$/.test(path)).sort()) {
    const content = await readFile(name);
    hash.update(`${name.slice(folder.length).replaceAll(sep, '/')}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** The record with the hash of each package that lies at `<packagesDirectory>/<name>`. */
export async function withSourceHashes(record: BenchmarkRecord, packagesDirectory: string): Promise<BenchmarkRecord> {
  const packages = await Promise.all(
    record.packages.map(async (entry) => {
      const sourceHash = await hashSources(join(packagesDirectory, entry.name));
      return sourceHash === undefined ? entry : { ...entry, sourceHash };
    }),
  );
  return { ...record, packages };
}
