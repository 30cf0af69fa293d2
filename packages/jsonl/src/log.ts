/**
 * Opens the durable log: the lock, what a crash left behind, and that all of it is on disk before anybody acts on it.
 * What it does once it is open is in `durable-log.ts`.
 */
import { constants, lstatSync } from 'node:fs';
import { DurableLog } from './durable-log.ts';
import { JsonlError } from './errors.ts';
import type { FileOperations } from './file-ops.ts';
import { type FileLock, lockFile } from './lock.ts';
import { type JsonlLogOptions, type ResolvedLogOptions, resolveLogOptions } from './log-options.ts';
import { indexPathOf, type PartIndex, readPartIndex } from './parts.ts';
import { cutTornTail, type RecoveredTail } from './recover.ts';
import { type OpenedFile, recoverRotation, release } from './rotate.ts';

export interface JsonlLog extends AsyncDisposable {
  readonly path: string;
  /**
   * Bytes in the file after the last append that resolved (in shared mode, with what others had appended by then); of a
   * log that rotates, in the active part.
   */
  readonly size: number;
  /** Where the next record will begin, counted from the start of the whole log: a reader's `startOffset`. */
  readonly endOffset: number;
  /** What was cut when the log was opened. Undefined: nothing. */
  readonly recovered: RecoveredTail | undefined;
  /**
   * Resolves when the record is on disk, or, with `durability: 'sync'`, when the system has it. Records are written in the
   * order of the calls. One that is not written in full rejects, and it is then unknown whether a reader will find it.
   * @throws {TypeError} for a value that JSON can't say; nothing is written
   * @throws {JsonlError} JSONL_LOG_POISONED, JSONL_LOG_REPLACED, JSONL_LOG_CLOSED, JSONL_LOG_FULL,
   * JSONL_RECORD_TOO_LONG
   */
  append(value: unknown): Promise<void>;
  /** The same for several records, written side by side in one write: a kill may keep the first ones only. */
  appendMany(values: readonly unknown[]): Promise<void>;
  /** Resolves when every append called before it is on disk. Throws as `append` does. Free where nothing waits for it. */
  sync(): Promise<void>;
  /**
   * Refuses new appends, writes and syncs the accepted ones, releases file and lock. The signal ends this caller's
   * waiting, not the closing. A poisoned log closes without error, except where a sync that was left to this call fails.
   */
  close(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/**
 * Opens a log, creating the file but not its directory. What the file holds at that moment is on disk when this
 * resolves, so a reader may act on it.
 * @throws {JsonlLogLockedError} JSONL_LOG_LOCKED when the file is held in exclusive mode
 * @throws {JsonlError} JSONL_LOG_NOT_A_LOG, JSONL_LOG_LOCK_UNSUPPORTED, JSONL_LOG_ROTATED, JSONL_INDEX_INVALID
 */
export async function openJsonlLog(path: string, options: JsonlLogOptions = {}): Promise<JsonlLog> {
  const resolved = resolveLogOptions(options);
  const { fileOperations: operations, mode, maxPartBytes } = resolved;
  const isRotating = maxPartBytes !== Number.POSITIVE_INFINITY;
  await refuseUnfit(path, mode, isRotating, operations);
  const found = await openLocked(path, resolved);
  let opened = found;
  try {
    let recovered: RecoveredTail | undefined;
    let index: PartIndex = { sealed: [], activeOffset: 0 };
    if (mode === 'exclusive') {
      ({ opened, index } = await recoverRotation(path, found, isRotating, resolved));
      if (opened !== found) await release(operations, found);
      recovered = await cutTornTail(operations, opened.file, path, opened.identity.size, longestTail(resolved));
    }
    // Also for an old file: its last writer may have died between a write or a creation and the sync.
    await operations.datasync(opened.file);
    await operations.syncEntry(path);
    return new DurableLog(path, resolved, opened, index, recovered);
  } catch (error) {
    await release(operations, opened);
    throw error;
  }
}

async function refuseUnfit(
  path: string,
  mode: 'exclusive' | 'shared',
  isRotating: boolean,
  operations: FileOperations,
): Promise<void> {
  if (mode === 'shared' && (await readPartIndex(path, operations)) !== undefined) {
    throw new JsonlError(
      'JSONL_LOG_ROTATED',
      `The log ${path} has parts (${indexPathOf(path)}), which only one holder can rotate; open it with mode 'exclusive'.`,
    );
  }
  if (isRotating && lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new JsonlError(
      'JSONL_LOG_NOT_A_LOG',
      `${path} is a symbolic link, which a log that rotates would replace; give the path of the file itself.`,
    );
  }
}

/** A power failure may leave a whole batch without a newline; twice, because an earlier holder may have had more room. */
function longestTail(options: ResolvedLogOptions): number {
  return 2 * Math.max(options.maxQueuedBytes, options.maxRecordBytes);
}

/** A file may be replaced between its opening and its locking; then the lock is of the wrong one. */
async function openLocked(path: string, options: ResolvedLogOptions): Promise<OpenedFile> {
  const { fileOperations: operations, fileMode, mode } = options;
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND;
  for (let attempt = 1; attempt <= 5; attempt++) {
    const file = await operations.open(path, flags, fileMode);
    let lock: FileLock | undefined;
    try {
      const identity = await operations.stat(file);
      if (identity === undefined || !identity.isFile) {
        throw new JsonlError('JSONL_LOG_NOT_A_LOG', `${path} is not a regular file, so it can't be a log.`);
      }
      if (mode === 'exclusive') lock = await lockFile(path, identity);
      // Sizes too are of now: until the lock was taken, its last holder may have written.
      const current = await operations.stat(file);
      const atPath = await operations.stat(path);
      if (current !== undefined && atPath?.device === current.device && atPath.inode === current.inode) {
        return { file, identity: current, lock };
      }
    } catch (error) {
      await release(operations, { file, lock });
      throw error;
    }
    await release(operations, { file, lock });
  }
  throw new JsonlError('JSONL_LOG_REPLACED', `${path} was replaced again and again while it was being opened.`);
}
