/**
 * Takes what is damaged out of a file and leaves every valid line as it was, byte for byte.
 *
 * Nothing is thrown away: what is cut goes into a side file, the cuts, as JSON lines with its offsets, so that the two
 * files together hold every byte of the old one; and a file that is repaired in place stays under another name, the
 * backup. The new file is written beside the old one and takes its place in one rename, when it and everything else is
 * on disk: a crash at any step leaves the old file or the new one under the path.
 */
import { constants, fchmod, fchown, lstatSync, statSync } from 'node:fs';
import { copyFile, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import { type CheckOptions, noReasons, pieceBytes } from './check.ts';
import { JsonlDecoder } from './decode.ts';
import { type InvalidLine, type InvalidLineReason, JsonlError } from './errors.ts';
import { type FileIdentity, type FileOperations, nodeFileOperations } from './file-ops.ts';
import { lockFile } from './lock.ts';
import { indexPathOf, type JsonlPart, readPartIndex } from './parts.ts';

export interface RepairOptions extends Omit<CheckOptions, 'maxDamages' | 'onDamage'> {
  /**
   * Where the valid lines go; there must be nothing. The file itself is then left as it is, and of a log that rotates all
   * parts become this one file. @default in place
   */
  readonly output?: string;
  /** The seam for fault tests. */
  readonly fileOperations?: FileOperations;
}

export interface JsonlRepair {
  /** The file that was repaired. */
  readonly path: string;
  /** Where its valid lines are. */
  readonly output: string;
  /** Whether anything was damaged. In place, a file without damage is not touched. */
  readonly isChanged: boolean;
  /** The old file, where one was replaced. */
  readonly backup: string | null;
  /** What was cut, where something was: lines of `{ byteOffset, byteLength, lineNumber, reason, bytes }`, base64. */
  readonly cuts: string | null;
  /** Valid lines. */
  readonly kept: number;
  readonly keptBytes: number;
  /** Damaged lines. */
  readonly cut: number;
  /** With their newlines. */
  readonly cutBytes: number;
  readonly reasons: Readonly<Record<InvalidLineReason, number>>;
  /** Parts in the index that are gone, so that their lines are in no file. */
  readonly missingParts: readonly JsonlPart[];
}

/**
 * Repairs a file that no log holds. Blank lines stay too. Memory does not grow with the file; in place, the disk must have
 * room for it a second time.
 * @throws {JsonlLogLockedError} JSONL_LOG_LOCKED when a log holds the file in exclusive mode
 * @throws {JsonlError} JSONL_REPAIR_OUTPUT_EXISTS, JSONL_LOG_NOT_A_LOG, JSONL_LOG_ROTATED for a log with parts that is to
 * be repaired in place, JSONL_LOG_REPLACED when somebody wrote to the file meanwhile, JSONL_INDEX_INVALID,
 * JSONL_LOG_LOCK_UNSUPPORTED
 */
export async function repairJsonl(path: string, options: RepairOptions = {}): Promise<JsonlRepair> {
  const { output, fileOperations: operations = nodeFileOperations, signal, ...decoding } = options;
  signal?.throwIfAborted();
  // Bad decode options are the caller's mistake before any file is made.
  new JsonlDecoder(decoding);
  // Behind a symbolic link it is the file itself that has to be replaced.
  const source = await realpath(path);
  if (output !== undefined && lstatSync(output, { throwIfNoEntry: false }) !== undefined) {
    throw new JsonlError('JSONL_REPAIR_OUTPUT_EXISTS', `${output} is there already; give a path where nothing is.`);
  }
  const before = await identify(operations, source);
  const lock = await lockFile(source, before);
  try {
    const { parts, missingParts } = await findParts(operations, source, output === undefined);
    const current = await identify(operations, source);
    if (!isSame(before, current, 'inode')) throw changed(source);
    const repair = new Repair(operations, source, output ?? source, { ...decoding, signal });
    try {
      for (const part of parts) await repair.take(part);
      await repair.finishFiles();
      const names = await repair.publish(output === undefined, current);
      return { path, output: output ?? source, ...names, ...repair.counts, reasons: repair.reasons, missingParts };
    } finally {
      await repair.close();
    }
  } finally {
    await lock.release();
  }
}

const newline = 0x0a;
const blockBytes = 256 * 1024;

/** Longest stretch of cut bytes in one line of the cuts. */
const cutPieceBytes = 48 * 1024;

async function identify(operations: FileOperations, path: string): Promise<FileIdentity> {
  const identity = await operations.stat(path);
  if (identity?.isFile === true) return identity;
  throw new JsonlError('JSONL_LOG_NOT_A_LOG', `${path} is not a regular file, so it can't be repaired.`);
}

function isSame(one: FileIdentity, other: FileIdentity | undefined, what: 'inode' | 'size'): boolean {
  if (one.device !== other?.device || one.inode !== other.inode) return false;
  return what === 'inode' || one.size === other.size;
}

function changed(path: string): JsonlError {
  return new JsonlError(
    'JSONL_LOG_REPLACED',
    `${path} was written to or replaced while it was being repaired, and was left as it is; stop the program that does so, then repair it again.`,
  );
}

/** The lock is held, so no log rotates meanwhile. */
async function findParts(operations: FileOperations, path: string, isInPlace: boolean) {
  const index = await readPartIndex(path, operations);
  if (index !== undefined && isInPlace) {
    throw new JsonlError(
      'JSONL_LOG_ROTATED',
      `The log ${path} has parts (${indexPathOf(path)}), whose offsets a repair in place would move; give an output, which all of it is then written to.`,
    );
  }
  const parts: { path: string; startOffset: number }[] = [];
  const missingParts: JsonlPart[] = [];
  const active = await operations.stat(path);
  let isActiveSealed = false;
  for (const part of index?.sealed ?? []) {
    const found = await operations.stat(part.path);
    if (found === undefined) missingParts.push(part);
    else parts.push(part);
    // A rotation that was cut short: the path still means the part that was sealed last.
    if (found !== undefined && active !== undefined) isActiveSealed = isSame(found, active, 'inode');
  }
  if (!isActiveSealed) parts.push({ path, startOffset: index?.activeOffset ?? 0 });
  return { parts, missingParts };
}

/** The new file and the cuts while they are being written, under names of their own. */
class Repair {
  readonly counts = { kept: 0, keptBytes: 0, cut: 0, cutBytes: 0 };
  readonly reasons = noReasons();
  readonly #operations: FileOperations;
  readonly #source: string;
  readonly #target: string;
  readonly #options: Omit<RepairOptions, 'output' | 'fileOperations' | 'signal'> & {
    readonly signal: AbortSignal | undefined;
  };
  readonly #output: NewFile;
  readonly #cuts: NewFile;

  constructor(
    operations: FileOperations,
    source: string,
    target: string,
    options: Omit<RepairOptions, 'output' | 'fileOperations' | 'signal'> & { readonly signal: AbortSignal | undefined },
  ) {
    this.#operations = operations;
    this.#source = source;
    this.#target = target;
    this.#options = options;
    this.#output = new NewFile(operations, `${target}.repair`, source);
    this.#cuts = new NewFile(operations, `${target}.repair-cuts`, source);
  }

  /** Copies the valid lines of one file, after what is there. */
  async take({ path, startOffset }: { readonly path: string; readonly startOffset: number }): Promise<void> {
    const { signal, ...decoding } = this.#options;
    const file = await this.#operations.open(path, constants.O_RDONLY, 0);
    try {
      let damages: InvalidLine[] = [];
      const onInvalid = (line: InvalidLine) => void damages.push(line);
      const decoder = new JsonlDecoder({ ...decoding, onInvalid });
      const buffer = Buffer.allocUnsafe(blockBytes);
      let position = 0;
      /** All before it has gone where it belongs. */
      let settled = 0;
      const settle = async (end: number) => {
        for (const damage of damages) {
          const from = damage.byteOffset;
          const to = Math.min(from + damage.byteLength + 1, end);
          await this.#keep(file, path, settled, from);
          await this.#cut(file, path, from, to, startOffset, damage);
          settled = to;
        }
        damages = [];
        await this.#keep(file, path, settled, end);
        settled = end;
      };
      for (;;) {
        signal?.throwIfAborted();
        const byteCount = await this.#operations.read(file, buffer, position);
        if (byteCount === 0) break;
        for (let start = 0; start < byteCount; start += pieceBytes) {
          this.counts.kept += decoder.push(buffer.subarray(start, Math.min(start + pieceBytes, byteCount))).length;
          if (damages.length > 0) await settle(decoder.nextOffset);
        }
        position += byteCount;
        await settle(decoder.nextOffset);
      }
      this.counts.kept += decoder.end().length;
      await settle(position);
    } finally {
      await this.#operations.close(file);
    }
  }

  /** Both files are complete and on disk. */
  async finishFiles(): Promise<void> {
    await this.#output.finish();
    if (this.counts.cut > 0) await this.#cuts.finish();
  }

  /** Gives the files their names, the new one last. */
  async publish(
    isInPlace: boolean,
    before: FileIdentity,
  ): Promise<{ isChanged: boolean; backup: string | null; cuts: string | null }> {
    const operations = this.#operations;
    const isChanged = this.counts.cut > 0;
    if (isInPlace && !isChanged) return { isChanged, backup: null, cuts: null };
    const number = await this.#freeNumber();
    const backup = isInPlace ? backupPathOf(this.#target, number) : null;
    const cuts = isChanged ? cutsPathOf(this.#target, number) : null;
    if (cuts !== null) await operations.rename(this.#cuts.path, cuts);
    if (backup !== null) await keepUnder(operations, this.#source, backup);
    await operations.syncEntry(this.#output.path);
    // Who appends in shared mode takes no lock.
    if (!isSame(before, await operations.stat(this.#source), 'size')) throw changed(this.#source);
    await operations.rename(this.#output.path, this.#target);
    await operations.syncEntry(this.#target);
    return { isChanged, backup, cuts };
  }

  /** Removes what was not given its name. */
  async close(): Promise<void> {
    await this.#output.discard();
    await this.#cuts.discard();
  }

  async #keep(file: number, path: string, from: number, to: number): Promise<void> {
    if (from >= to) return;
    // The last line of the part before may have been accepted, or blank, without a newline.
    if (this.#output.lastByte !== newline) await this.#output.write(Buffer.of(newline));
    for await (const bytes of readRange(this.#operations, file, path, from, to)) await this.#output.write(bytes);
    this.counts.keptBytes += to - from;
  }

  async #cut(
    file: number,
    path: string,
    from: number,
    to: number,
    startOffset: number,
    { lineNumber, reason }: InvalidLine,
  ): Promise<void> {
    let byteOffset = startOffset + from;
    for await (const bytes of readRange(this.#operations, file, path, from, to)) {
      for (let start = 0; start < bytes.length; start += cutPieceBytes) {
        const piece = bytes.subarray(start, start + cutPieceBytes);
        const entry = { byteOffset, byteLength: piece.length, lineNumber, reason, bytes: piece.toString('base64') };
        await this.#cuts.write(Buffer.from(`${JSON.stringify(entry)}\n`));
        byteOffset += piece.length;
      }
    }
    this.counts.cut += 1;
    this.counts.cutBytes += to - from;
    this.reasons[reason] += 1;
  }

  /** Earlier repairs keep their backups and cuts. */
  async #freeNumber(): Promise<number> {
    for (let number = 1; ; number++) {
      const backup = await this.#operations.stat(backupPathOf(this.#target, number));
      const cuts = await this.#operations.stat(cutsPathOf(this.#target, number));
      if (backup === undefined && cuts === undefined) return number;
    }
  }
}

const backupPathOf = (path: string, number: number): string => `${path}.before-repair-${number}`;
const cutsPathOf = (path: string, number: number): string => `${path}.cuts-${number}.jsonl`;

/** A file that is made with the first byte, or when it is finished, with permissions and owner of another. */
class NewFile {
  readonly path: string;
  lastByte: number | undefined = newline;
  readonly #operations: FileOperations;
  readonly #like: string;
  #file: number | undefined;
  #isMade = false;

  constructor(operations: FileOperations, path: string, like: string) {
    this.#operations = operations;
    this.path = path;
    this.#like = like;
  }

  async write(bytes: Buffer): Promise<void> {
    const file = await this.#open();
    for (let done = 0; done < bytes.length; ) {
      const written = await this.#operations.write(file, bytes.subarray(done));
      if (written === 0) throw new Error(`Nothing more could be written to ${this.path}; the disk may be full`);
      done += written;
    }
    this.lastByte = bytes.at(-1);
  }

  async finish(): Promise<void> {
    await this.#operations.datasync(await this.#open());
    await this.#close();
  }

  async discard(): Promise<void> {
    await this.#close();
    if (this.#isMade) await this.#operations.remove(this.path);
  }

  async #open(): Promise<number> {
    if (this.#file !== undefined) return this.#file;
    // What is there was left by a repair that was killed: its lock is ours now.
    await this.#operations.remove(this.path);
    this.#isMade = true;
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND;
    this.#file = await this.#operations.open(this.path, flags, 0o600);
    await makeAlike(this.#file, this.path, this.#like);
    return this.#file;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) await this.#operations.close(file);
  }
}

async function makeAlike(file: number, path: string, like: string): Promise<void> {
  const { mode, uid, gid } = statSync(like);
  const made = statSync(path);
  if (made.uid !== uid || made.gid !== gid) await promisify(fchown)(file, uid, gid);
  await promisify(fchmod)(file, mode & 0o7777);
}

/** A second name for the file; where the file system has no hard links, a copy. */
async function keepUnder(operations: FileOperations, path: string, name: string): Promise<void> {
  try {
    await operations.link(path, name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw error;
    await copyFile(path, name, constants.COPYFILE_EXCL);
    const file = await operations.open(name, constants.O_RDWR, 0);
    try {
      await operations.datasync(file);
    } finally {
      await operations.close(file);
    }
  }
}

async function* readRange(
  operations: FileOperations,
  file: number,
  path: string,
  from: number,
  to: number,
): AsyncGenerator<Buffer, void, void> {
  const buffer = Buffer.allocUnsafe(Math.min(blockBytes, to - from));
  for (let position = from; position < to; ) {
    const byteCount = await operations.read(file, buffer.subarray(0, Math.min(buffer.length, to - position)), position);
    if (byteCount === 0) throw changed(path);
    yield buffer.subarray(0, byteCount);
    position += byteCount;
  }
}
