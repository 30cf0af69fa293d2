/** What a log can be told, and what it does where it is told nothing. */
import { type FileOperations, nodeFileOperations } from './file-ops.ts';

export interface JsonlLogOptions {
  /**
   * `'exclusive'`: one holder, refused to a second one; a torn tail is cut at open. `'shared'`: any number of
   * processes append; each batch is one O_APPEND write with a newline before and after it, so that what a killed
   * writer left is a line of its own. @default 'exclusive'
   */
  readonly mode?: 'exclusive' | 'shared';
  /**
   * When a record is on disk: once its append resolves, or once a `sync()` (or `close()`) called after it does. With
   * `'sync'` an append resolves when the system has the record, which a crash of this process doesn't undo and a
   * crash of the machine may. @default 'append'
   */
  readonly durability?: 'append' | 'sync';
  /**
   * `'crc32'` puts 32 spaces and tabs behind each value, its checksum, which other JSON tools pass over and
   * readers check when told (`checksum: 'require'`). @default 'none'
   */
  readonly checksum?: 'none' | 'crc32';
  /**
   * Longest part in bytes: appends that would make the file longer go into a new one, and the old one gets a name of its
   * own (`jsonlParts` lists them, readers go through them in order). Records written in one go stay in one part, so a
   * part may be longer by these. For exclusive mode. @default Infinity
   */
  readonly maxPartBytes?: number;
  /** Sealed parts that are kept; the oldest is removed when there are more. @default Infinity */
  readonly maxParts?: number;
  /** Permission bits of a file that is created, before the umask. @default 0o666 */
  readonly fileMode?: number;
  /** Longest record in bytes with its newline; readers refuse longer lines by default. @default 16 MiB */
  readonly maxRecordBytes?: number;
  /** Bytes of records that may wait for the disk. Appends above it wait their turn, not yet encoded. @default 64 MiB */
  readonly maxQueuedBytes?: number;
  /** Appends that may wait their turn above `maxQueuedBytes`; one more rejects. @default 10000 */
  readonly maxWaiting?: number;
  /** The operating system, or a test's idea of it. @default nodeFileOperations */
  readonly fileOperations?: FileOperations;
}

export type ResolvedLogOptions = Required<JsonlLogOptions>;

export function resolveLogOptions(options: JsonlLogOptions): ResolvedLogOptions {
  const {
    mode = 'exclusive',
    durability = 'append',
    checksum = 'none',
    maxPartBytes = Number.POSITIVE_INFINITY,
    maxParts = Number.POSITIVE_INFINITY,
    fileMode = 0o666,
    maxRecordBytes = 16 * 1024 * 1024,
    maxQueuedBytes = 64 * 1024 * 1024,
    maxWaiting = 10_000,
    fileOperations = nodeFileOperations,
  } = options;
  requireOneOf('mode', mode, ['exclusive', 'shared']);
  requireOneOf('durability', durability, ['append', 'sync']);
  requireOneOf('checksum', checksum, ['none', 'crc32']);
  requireInteger('fileMode', fileMode, 0, 0o777);
  requireInteger('maxRecordBytes', maxRecordBytes, 2, 256 * 1024 * 1024);
  requireInteger('maxQueuedBytes', maxQueuedBytes, 1, 256 * 1024 * 1024);
  requireInteger('maxWaiting', maxWaiting, 0, Number.MAX_SAFE_INTEGER);
  if (maxPartBytes !== Number.POSITIVE_INFINITY) {
    requireInteger('maxPartBytes', maxPartBytes, 1, Number.MAX_SAFE_INTEGER);
    if (mode === 'shared') {
      throw new TypeError(
        "Expected `maxPartBytes` to be left out with mode 'shared': only one holder can rotate a log",
      );
    }
  }
  if (maxParts !== Number.POSITIVE_INFINITY) requireInteger('maxParts', maxParts, 0, Number.MAX_SAFE_INTEGER);
  return Object.freeze({
    mode,
    durability,
    checksum,
    maxPartBytes,
    maxParts,
    fileMode,
    maxRecordBytes,
    maxQueuedBytes,
    maxWaiting,
    fileOperations,
  });
}

function requireOneOf(name: string, value: string, allowed: readonly [string, string]): void {
  if (allowed.includes(value)) return;
  throw new TypeError(`Expected \`${name}\` to be '${allowed[0]}' or '${allowed[1]}', got \`${String(value)}\``);
}

function requireInteger(name: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) {
    throw new RangeError(`Expected \`${name}\` to be an integer from ${minimum} to ${maximum}, got \`${value}\``);
  }
}
