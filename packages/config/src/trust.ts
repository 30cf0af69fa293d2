/**
 * Trust of project files. Whoever clones a repository gets its settings file with it, so what that file says of secrets,
 * base URLs and commands counts only after the user has seen and trusted it (CVE-2025-59536 and CVE-2026-21852 are what
 * happens otherwise). Trust is for these bytes at this place: a file that is changed, moved, renamed or made later is not trusted.
 */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { ConfigError, invalidConfig } from './errors.ts';
import { problemAt, readFileLayer } from './file-layer.ts';
import { findFileUpward } from './find-file.ts';
import type { Origin } from './layer.ts';
import { formatPath } from './path.ts';
import {
  listTrustRecords,
  readTrustRecord,
  removeTrustRecord,
  type TrustRecord,
  writeTrustRecord,
} from './trust-store.ts';
import { parsePattern, takeUserOnly } from './user-only.ts';

/**
 * `untrusted`: never trusted, or not at this place. `changed`: other bytes than those that were trusted. `untrustable`: it
 * can't be, as it is a symbolic link, the record of trust may be someone else's, or there is no place for one.
 */
export type TrustState = 'trusted' | 'untrusted' | 'changed' | 'untrustable';

export interface ProjectTrust {
  readonly state: TrustState;
  /** In words, to follow "because": `it was never trusted`. */
  readonly reason: string;
}

export interface ReviewOptions {
  /** As for `loadConfig`, like all of these. */
  readonly name: string;
  readonly userOnly: readonly string[];
  readonly trustDirectory: string;
  readonly cwd?: string;
  readonly topDirectory?: string | undefined;
  readonly projectFile?: string | undefined;
  readonly maxFileBytes?: number;
  readonly maxDepth?: number;
}

/** What a person should see before trusting. */
export interface TrustReview extends ProjectTrust {
  readonly file: string;
  /** The file's folder, without symbolic links. */
  readonly directory: string;
  /** Of the bytes that were reviewed, in hexadecimal. */
  readonly sha256: string;
  /** What the file would set that only the user may. Empty: there is nothing that needs trust. */
  readonly sets: readonly { readonly path: string; readonly value: unknown; readonly origin: Origin }[];
}

export interface TrustedProject {
  readonly file: string;
  readonly trustedAtMs: number;
  /** `missing`: there is no such file any more. */
  readonly state: 'trusted' | 'changed' | 'missing';
}

/**
 * What the project file that loading would find says of the user's own settings. Trusts nothing.
 * @returns `undefined` when there is no project file
 * @throws {ConfigError} CONFIG_INVALID, CONFIG_UNREADABLE, CONFIG_AMBIGUOUS_FILE: what can't be read can't be reviewed
 */
export async function reviewProject(options: ReviewOptions): Promise<TrustReview | undefined> {
  const { name, trustDirectory, cwd = process.cwd(), topDirectory, projectFile } = options;
  const file =
    projectFile === undefined ? findFileUpward(cwd, `${name}.config`, topDirectory) : resolve(cwd, projectFile);
  if (file === undefined) return undefined;
  const limits = { maxFileBytes: options.maxFileBytes ?? 256 * 1024, maxDepth: options.maxDepth ?? 64 };
  const { layer, problems, sha256 } = await readFileLayer('project', file, limits);
  if (!problems.isEmpty) throw invalidConfig(problems);
  const digest = sha256();
  const { taken } = takeUserOnly(
    layer.value,
    options.userOnly.map((text) => parsePattern('userOnly', text)),
    {},
  );
  return Object.freeze({
    ...trustOf(file, digest, trustDirectory),
    file,
    directory: realpathSync(dirname(file)),
    sha256: digest,
    sets: Object.freeze(
      taken.map(({ path, value }) => ({ path: formatPath(path), value, origin: layer.locate(path, 'value') })),
    ),
  });
}

/**
 * Records that the user trusts the bytes that were reviewed; if the file has changed since, it is not trusted.
 * @param options.clock @default the system's
 * @throws {ConfigError} CONFIG_UNTRUSTABLE when the file is a symbolic link, or the folder of trust lies in the project,
 *   belongs to another user or can be written to by others
 */
export async function trustProject(
  review: TrustReview,
  options: { readonly trustDirectory: string; readonly clock?: { now(): number } },
): Promise<void> {
  const store = resolve(options.trustDirectory);
  const { file, directory, sha256 } = review;
  const trustedAtMs = (options.clock ?? Date).now();
  const reason =
    whyUntrustable(file, directory, store) ??
    writeTrustRecord(store, { directory, fileName: basename(file), sha256, trustedAtMs });
  if (reason === undefined) return;
  const message = `${file} can't be trusted: ${reason}`;
  throw new ConfigError('CONFIG_UNTRUSTABLE', message, [problemAt({ layer: 'project', file }, '', reason)]);
}

/**
 * Takes back the trust in every settings file of the folder (which need not be there any more), or in the file.
 * @returns the files that were trusted until now
 */
export async function revokeTrust(path: string, trustDirectory: string): Promise<readonly string[]> {
  const store = resolve(trustDirectory);
  const places = new Set([resolve(path), realPathOf(path)]);
  const revoked = listTrustRecords(store).filter(
    (record) => places.has(record.directory) || places.has(fileOf(record)),
  );
  for (const record of revoked) removeTrustRecord(store, record);
  return revoked.map(fileOf);
}

/** Every file with a valid record of trust, by path. Cost: reads each of those files. */
export async function listTrusted(trustDirectory: string): Promise<readonly TrustedProject[]> {
  return listTrustRecords(resolve(trustDirectory)).map((record) => ({
    file: fileOf(record),
    trustedAtMs: record.trustedAtMs,
    state: stateNow(record),
  }));
}

/** @param sha256 of the very bytes that were parsed, so that nothing can be swapped in between */
export function trustOf(file: string, sha256: string, trustDirectory: string | undefined): ProjectTrust {
  if (trustDirectory === undefined) return { state: 'untrustable', reason: 'there is no place where trust is kept' };
  const store = resolve(trustDirectory);
  const directory = realpathSync(dirname(file));
  const untrustable = whyUntrustable(file, directory, store);
  if (untrustable !== undefined) return { state: 'untrustable', reason: untrustable };
  const read = readTrustRecord(store, directory, basename(file));
  if (read.type === 'none') return { state: 'untrusted', reason: 'it was never trusted' };
  if (read.type === 'refused') return { state: 'untrustable', reason: read.reason };
  if (read.record.sha256 === sha256) return { state: 'trusted', reason: 'it is as it was when it was trusted' };
  const day = new Date(read.record.trustedAtMs).toISOString().slice(0, 10);
  return { state: 'changed', reason: `it has changed since it was trusted on ${day}` };
}

/** Why a setting is not heeded. */
export function describeRefusal(file: string, { reason }: ProjectTrust): string {
  return `only you may set this, and ${basename(file)} is not trusted: ${reason}`;
}

/** What to do about it. */
export function refusalAdvice({ state }: ProjectTrust): string {
  const own = 'set this in your own settings';
  return state === 'untrustable' ? own : `read the file and trust it, or ${own}`;
}

function whyUntrustable(file: string, directory: string, store: string): string | undefined {
  if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true) return 'it is a symbolic link';
  const inside = relative(directory, realPathOf(store));
  if (inside === '..' || inside.startsWith(`..${sep}`) || resolve(inside) === inside) return undefined;
  return `the folder of trust ${store} lies in the folder of the project, which could bring its own`;
}

function stateNow(record: TrustRecord): TrustedProject['state'] {
  try {
    const now = createHash('sha256')
      .update(readFileSync(fileOf(record)))
      .digest('hex');
    return now === record.sha256 ? 'trusted' : 'changed';
  } catch (error) {
    if (error instanceof Error && 'code' in error) return error.code === 'ENOENT' ? 'missing' : 'changed';
    throw error;
  }
}

function fileOf({ directory, fileName }: TrustRecord): string {
  return join(directory, fileName);
}

/** Without symbolic links, as far as the path exists. */
function realPathOf(path: string): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch (error) {
    const parent = dirname(absolute);
    if (parent === absolute || !(error instanceof Error && 'code' in error)) throw error;
    return join(realPathOf(parent), basename(absolute));
  }
}
