/**
 * The parts of a log that rotates, and their index.
 *
 * The active part is the log's own path. Each older part is sealed: it never changes any more, and its name is the path,
 * a dot, and the offset of its first byte in the whole log, so that an offset means the same byte before and after
 * any rotation. The index, `<path>.parts`, is JSON lines: where the active part begins, then one line for each sealed
 * part. It is replaced as a whole, before the path means the next part; a reader who finds it unchanged after opening
 * the path therefore knows which part it opened.
 */
import { close, constants, fstat, open, stat } from 'node:fs';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { JsonlError } from './errors.ts';
import { type FileOperations, nodeFileOperations } from './file-ops.ts';

/** One file of a log. */
export interface JsonlPart {
  readonly path: string;
  /** Of its first byte in the whole log. */
  readonly startOffset: number;
  readonly byteLength: number;
}

export interface PartIndex {
  /** Oldest first. */
  readonly sealed: readonly JsonlPart[];
  readonly activeOffset: number;
}

export interface OpenPart {
  readonly file: number;
  readonly path: string;
  readonly startOffset: number;
  /** It will not grow; what follows it begins at `nextOffset`. */
  readonly nextOffset: number | undefined;
}

/**
 * The files that make up a log, oldest first, the one being written to last; of a log that never rotated, that one.
 * @throws {JsonlError} JSONL_INDEX_INVALID
 */
export async function jsonlParts(path: string): Promise<readonly JsonlPart[]> {
  const index = (await readPartIndex(path)) ?? { sealed: [], activeOffset: 0 };
  const last = index.sealed.at(-1);
  const { size, dev, ino } = await statPath(path);
  if (last !== undefined && isSameFile(await statPath(last.path), { dev, ino })) return index.sealed;
  return [...index.sealed, { path, startOffset: index.activeOffset, byteLength: size }];
}

export const indexPathOf = (path: string): string => `${path}.parts`;

export function partPathOf(path: string, startOffset: number): string {
  return `${path}.${String(startOffset).padStart(16, '0')}`;
}

export function indexText(index: PartIndex): string {
  const lines: object[] = [{ format: indexFormat, version: 1, activeOffset: index.activeOffset }];
  for (const { path, startOffset, byteLength } of index.sealed) {
    lines.push({ file: basename(path), startOffset, byteLength });
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Undefined: the log never rotated. */
export async function readPartIndex(
  path: string,
  operations: FileOperations = nodeFileOperations,
): Promise<PartIndex | undefined> {
  const indexPath = indexPathOf(path);
  // Most logs have none, and this is asked without the thread pool.
  const asked = operations.stat(indexPath);
  if ((asked instanceof Promise ? await asked : asked) === undefined) return undefined;
  const file = await unlessMissing(operations.open(indexPath, constants.O_RDONLY, 0));
  if (file === undefined) return undefined;
  try {
    const size = (await operations.stat(file))?.size ?? 0;
    const bytes = Buffer.alloc(size);
    const byteCount = await operations.read(file, bytes, 0);
    return parseIndex(path, bytes.toString('utf8', 0, byteCount));
  } finally {
    await operations.close(file);
  }
}

/**
 * Opens the part that holds the byte at `offset`, the oldest one for undefined. Undefined: that part is yet to be made.
 * @throws {JsonlError} JSONL_PART_MISSING when the bytes at `offset` were removed, JSONL_INDEX_INVALID
 */
export async function openPartAt(path: string, offset: number | undefined): Promise<OpenPart | undefined> {
  for (;;) {
    const index = await readPartIndex(path);
    const wanted = offset ?? index?.sealed[0]?.startOffset ?? index?.activeOffset ?? 0;
    const sealed = index?.sealed.find((part) => wanted >= part.startOffset && wanted < endOf(part));
    if (sealed !== undefined) {
      const file = await unlessMissing(openFile(sealed.path, 'r'));
      if (file !== undefined)
        return { file, path: sealed.path, startOffset: sealed.startOffset, nextOffset: endOf(sealed) };
      if (isSameIndex(index, await readPartIndex(path))) throw missingPart(path, wanted, index, sealed.path);
      continue;
    }
    if (index !== undefined && wanted < index.activeOffset) throw missingPart(path, wanted, index, undefined);
    const file = await openFile(path, 'r');
    let isActive = false;
    try {
      const last = index?.sealed.at(-1);
      // A rotation that was cut short: the path still means the part that was sealed last.
      if (last !== undefined && isSameFile(await statFile(file), await unlessMissing(statPath(last.path))))
        return undefined;
      isActive = isSameIndex(index, await readPartIndex(path));
      if (isActive) return { file, path, startOffset: index?.activeOffset ?? 0, nextOffset: undefined };
    } finally {
      if (!isActive) await promisify(close)(file);
    }
  }
}

const indexFormat = 'cadre-jsonl-parts';
const openFile = promisify(open);
const statFile = promisify(fstat);
const statPath = promisify(stat);

function parseIndex(path: string, text: string): PartIndex {
  const [head, ...lines] = text.split('\n');
  const { format, version, activeOffset } = fieldsOf(head);
  if (format !== indexFormat || version !== 1 || !isOffset(activeOffset) || lines.pop() !== '')
    throw invalidIndex(path);
  const sealed: JsonlPart[] = [];
  for (const line of lines) {
    const { startOffset, byteLength } = fieldsOf(line);
    const previous = sealed.at(-1);
    if (!isOffset(startOffset) || !isOffset(byteLength) || byteLength === 0) throw invalidIndex(path);
    if (previous !== undefined && startOffset !== endOf(previous)) throw invalidIndex(path);
    sealed.push({ path: partPathOf(path, startOffset), startOffset, byteLength });
  }
  const last = sealed.at(-1);
  if (last !== undefined && endOf(last) !== activeOffset) throw invalidIndex(path);
  return { sealed, activeOffset };
}

function fieldsOf(line: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line ?? '');
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    // What can't be parsed has no fields, which the caller refuses.
    return {};
  }
}

function invalidIndex(path: string): JsonlError {
  return new JsonlError(
    'JSONL_INDEX_INVALID',
    `${indexPathOf(path)} is not an index of the parts of ${path}. Restore it from a copy; or move it away, and then only ${path} itself is read, its offsets counted from 0.`,
  );
}

function missingPart(path: string, offset: number, index: PartIndex | undefined, part: string | undefined): JsonlError {
  const first = index?.sealed[0]?.startOffset ?? index?.activeOffset ?? 0;
  const about = part === undefined ? `its first byte still there is ${first}` : `its part ${part} is missing`;
  return new JsonlError(
    'JSONL_PART_MISSING',
    `The log ${path} can't be read at offset ${offset}: ${about}. Restore the part, or begin at a later offset (jsonlParts tells them).`,
  );
}

function endOf(part: JsonlPart): number {
  return part.startOffset + part.byteLength;
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isSameIndex(one: PartIndex | undefined, other: PartIndex | undefined): boolean {
  return one?.activeOffset === other?.activeOffset && one?.sealed.length === other?.sealed.length;
}

interface Identity {
  readonly dev: number;
  readonly ino: number;
}

function isSameFile(one: Identity, other: Identity | undefined): boolean {
  return one.dev === other?.dev && one.ino === other.ino;
}

export async function unlessMissing<R>(result: Promise<R>): Promise<R | undefined> {
  try {
    return await result;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
