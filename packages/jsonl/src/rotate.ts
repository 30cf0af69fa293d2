/**
 * Rotation: the active part is sealed under a name of its own, and the log's path becomes the next, empty part.
 *
 * Each step leaves a state that the next opening understands, whatever killed the writer between them:
 *   1. `<path>.next` is created and locked          stray: removed
 *   2. the active part gets its second name         a name that the index doesn't know: removed
 *   3. the index names it                           the path still means it: steps 1 and 4 are made
 *   4. `<path>.next` is renamed to the path         done; both files are locked until here, so nobody slips in between
 *   5. parts beyond `maxParts` are removed          strays before the oldest part of the index: removed
 * The names are synced after 2 and 4 and the index in 3, so that a power failure can't undo an earlier step only.
 */
import { constants } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { JsonlError } from './errors.ts';
import type { FileIdentity, FileOperations } from './file-ops.ts';
import { type FileLock, lockFile } from './lock.ts';
import { indexPathOf, indexText, type JsonlPart, type PartIndex, partPathOf, readPartIndex } from './parts.ts';

export interface OpenedFile {
  readonly file: number;
  readonly identity: FileIdentity;
  readonly lock: FileLock | undefined;
}

export interface Rotated {
  readonly opened: OpenedFile;
  readonly index: PartIndex;
}

interface RotationOptions {
  readonly fileOperations: FileOperations;
  readonly fileMode: number;
  readonly maxParts: number;
}

/** Seals the active part, which must be on disk. The old file and its lock are the caller's to release afterwards. */
export async function rotate(
  path: string,
  byteLength: number,
  index: PartIndex,
  options: RotationOptions,
): Promise<Rotated> {
  const { fileOperations: operations, maxParts } = options;
  const next = await createNext(path, options);
  try {
    const part = { path: partPathOf(path, index.activeOffset), startOffset: index.activeOffset, byteLength };
    await operations.link(path, part.path);
    await operations.syncEntry(path);
    const sealed = [...index.sealed, part];
    const removed = sealed.splice(0, Math.max(0, sealed.length - maxParts));
    const renewed = { sealed, activeOffset: index.activeOffset + byteLength };
    await writeIndex(path, renewed, operations);
    await moveNext(path, operations);
    for (const { path: old } of removed) await operations.remove(old);
    return { opened: next, index: renewed };
  } catch (error) {
    await release(operations, next);
    throw error;
  }
}

/**
 * Finishes or undoes what a crash left of a rotation.
 * @returns the file to write to, which is another than the given one where a rotation was finished; and the index
 */
export async function recoverRotation(
  path: string,
  opened: OpenedFile,
  isRotating: boolean,
  options: RotationOptions,
): Promise<Rotated> {
  const { fileOperations: operations } = options;
  const found = await readPartIndex(path, operations);
  const index = found ?? { sealed: [], activeOffset: 0 };
  if (found === undefined && !isRotating) return { opened, index };
  await operations.remove(nextPathOf(path));
  await operations.remove(nextPathOf(indexPathOf(path)));
  for (const stray of await strayParts(path, index, operations)) await operations.remove(stray);
  await undoName(path, opened, index, operations);
  const last = index.sealed.at(-1);
  if (last === undefined || !isSame(await operations.stat(last.path), opened.identity)) return { opened, index };
  const next = await createNext(path, options);
  try {
    await moveNext(path, operations);
    return { opened: next, index };
  } catch (error) {
    await release(operations, next);
    throw error;
  }
}

export async function release(operations: FileOperations, opened: Pick<OpenedFile, 'file' | 'lock'>): Promise<void> {
  try {
    await operations.close(opened.file);
  } finally {
    await opened.lock?.release();
  }
}

const nextPathOf = (path: string): string => `${path}.next`;

async function createNext(
  path: string,
  { fileOperations: operations, fileMode }: RotationOptions,
): Promise<OpenedFile> {
  const next = nextPathOf(path);
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND;
  const file = await operations.open(next, flags, fileMode);
  let lock: FileLock | undefined;
  try {
    const identity = await operations.stat(file);
    if (identity === undefined) throw new JsonlError('JSONL_LOG_REPLACED', `${next} can't be looked at.`);
    lock = await lockFile(next, identity);
    await operations.datasync(file);
    return { file, identity, lock };
  } catch (error) {
    await release(operations, { file, lock });
    throw error;
  }
}

async function moveNext(path: string, operations: FileOperations): Promise<void> {
  await operations.rename(nextPathOf(path), path);
  await operations.syncEntry(path);
}

async function writeIndex(path: string, index: PartIndex, operations: FileOperations): Promise<void> {
  const indexPath = indexPathOf(path);
  const bytes = Buffer.from(indexText(index));
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
  const file = await operations.open(nextPathOf(indexPath), flags, 0o666);
  try {
    const written = await operations.write(file, bytes);
    if (written !== bytes.length)
      throw new Error(`Only ${written} of ${bytes.length} bytes of ${indexPath} were written`);
    await operations.datasync(file);
  } finally {
    await operations.close(file);
  }
  await operations.rename(nextPathOf(indexPath), indexPath);
  await operations.syncEntry(path);
}

/** The active part has a second name that the index doesn't know yet. */
async function undoName(path: string, opened: OpenedFile, index: PartIndex, operations: FileOperations): Promise<void> {
  const name = partPathOf(path, index.activeOffset);
  const found = await operations.stat(name);
  if (found === undefined) return;
  if (!isSame(found, opened.identity)) {
    throw new JsonlError(
      'JSONL_INDEX_INVALID',
      `${name} is in the way of the next part of ${path}: ${indexPathOf(path)} does not know it. Restore the index from a copy, or move that part away.`,
    );
  }
  await operations.remove(name);
  await operations.syncEntry(path);
}

/** Parts that the index has let go, and that a crash kept from being removed. */
async function strayParts(path: string, index: PartIndex, operations: FileOperations): Promise<readonly string[]> {
  const first: JsonlPart | undefined = index.sealed[0];
  const oldest = first?.startOffset ?? index.activeOffset;
  const prefix = `${basename(path)}.`;
  const names = await operations.list(dirname(path));
  return names
    .filter((name) => name.startsWith(prefix) && /^\d{16}$/.test(name.slice(prefix.length)))
    .filter((name) => Number(name.slice(prefix.length)) < oldest)
    .map((name) => join(dirname(path), name));
}

function isSame(one: FileIdentity | undefined, other: FileIdentity): boolean {
  return one?.device === other.device && one.inode === other.inode;
}
