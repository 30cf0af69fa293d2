/**
 * What a package weighs: the packed archive, what it unpacks to, and each door with what it loads. These are counts, the
 * same on every machine, so there are no rounds and no statistics.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { CaseHead } from '../case.ts';
import { BenchError } from '../errors.ts';
import { findPackage } from '../find-package.ts';

export interface SizeCase extends CaseHead {
  readonly kind: 'size';
  /** As the case's own package depends on it. It must be built. */
  readonly packageName: string;
}

export interface DoorSize {
  /** The door's built file and the built files that it imports. */
  readonly distBytes: number;
  /** One minified file without the packages it depends on, and that file through gzip; only where `esbuild` can be found. */
  readonly bundleBytes?: number;
  readonly gzipBytes?: number;
}

export interface PackageSize {
  /** The archive that is uploaded and downloaded. */
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  readonly files: number;
  /** By the name in `exports`. */
  readonly doors: Readonly<Record<string, DoorSize>>;
}

interface Manifest {
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

/** The part of esbuild that is used; it is found where the package manager put it, not depended on. */
interface Esbuild {
  build(options: Readonly<Record<string, unknown>>): Promise<{
    readonly outputFiles: readonly { readonly contents: Uint8Array }[];
  }>;
}

/** Returns the definition as it is, with its kind and unit; for its types. */
export function defineSize(definition: Omit<SizeCase, 'kind' | 'unit'>): SizeCase {
  return { unit: 'package', ...definition, kind: 'size' };
}

/**
 * @param caseFile  from where the package is looked up, as Node would
 * @throws {BenchError} BENCH_PACKAGE_NOT_MEASURED when it is not installed there, not built, or cannot be packed
 */
export async function measureSize(
  { packageName }: SizeCase,
  caseFile: string,
  signal?: AbortSignal,
): Promise<PackageSize> {
  const found = findPackage(packageName, caseFile);
  if (found === undefined) {
    const message = `${packageName} is not installed for ${caseFile}: depend on it.`;
    throw new BenchError('BENCH_PACKAGE_NOT_MEASURED', message);
  }
  const folder = await realpath(found);
  const manifest: Manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const packed = await pack(packageName, folder, signal);
  const esbuild = await findEsbuild([caseFile, join(folder, 'package.json'), join(process.cwd(), 'package.json')]);
  const doors: [string, DoorSize][] = [];
  for (const [door, target] of Object.entries(manifest.exports ?? {})) {
    const path = typeof target === 'string' ? target : (target.default ?? target.import);
    if (path === undefined || path.includes('*') || !/\.m?js$/.test(path)) continue;
    const file = resolve(folder, path);
    if (!existsSync(file)) {
      throw new BenchError(
        'BENCH_PACKAGE_NOT_MEASURED',
        `${packageName}: the door ${door} is not built, there is no ${path}.`,
      );
    }
    doors.push([door, { distBytes: await countReachable(file), ...(await bundle(esbuild, file)) }]);
  }
  return { ...packed, doors: Object.fromEntries(doors) };
}

async function pack(
  packageName: string,
  folder: string,
  signal: AbortSignal | undefined,
): Promise<Omit<PackageSize, 'doors'>> {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline', '--loglevel=error'];
  const options = { cwd: folder, maxBuffer: 64 * 2 ** 20, timeout: 60_000 };
  try {
    const { stdout } = await promisify(execFile)('npm', args, signal === undefined ? options : { ...options, signal });
    const [archive]: { size: number; unpackedSize: number; entryCount: number }[] = JSON.parse(stdout);
    if (archive === undefined) throw new TypeError('npm named no archive.');
    return { packedBytes: archive.size, unpackedBytes: archive.unpackedSize, files: archive.entryCount };
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new BenchError('BENCH_PACKAGE_NOT_MEASURED', `${packageName} could not be packed by npm: ${message}`, {
      cause,
    });
  }
}

/** Built files import each other by relative paths; each is counted once. */
async function countReachable(entry: string): Promise<number> {
  const seen = new Set([entry]);
  let bytes = 0;
  for (const file of seen) {
    const text = await readFile(file, 'utf8');
    bytes += Buffer.byteLength(text);
    for (const [, path = ''] of text.matchAll(/(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g)) {
      const imported = resolve(dirname(file), path);
      if (existsSync(imported)) seen.add(imported);
    }
  }
  return bytes;
}

async function bundle(esbuild: Esbuild | undefined, file: string): Promise<Partial<DoorSize>> {
  if (esbuild === undefined) return {};
  const { outputFiles } = await esbuild.build({
    entryPoints: [file],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'silent',
  });
  const [output] = outputFiles;
  if (output === undefined) return {};
  return { bundleBytes: output.contents.length, gzipBytes: gzipSync(output.contents, { level: 9 }).length };
}

/** Also where only a build tool that stands on it is installed. */
async function findEsbuild(from: readonly string[]): Promise<Esbuild | undefined> {
  for (const start of from) {
    for (const through of [[], ['tsup'], ['vite']]) {
      const path = resolveThrough(start, [...through, 'esbuild']);
      if (path !== undefined) return ((await import(pathToFileURL(path).href)) as { default: Esbuild }).default;
    }
  }
  return undefined;
}

function resolveThrough(start: string, names: readonly string[]): string | undefined {
  let from = start;
  for (const name of names) {
    try {
      from = createRequire(from).resolve(name);
    } catch {
      return undefined; // Not installed here: the next way is tried, and none at all is allowed.
    }
  }
  return from;
}
