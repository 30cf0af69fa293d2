/**
 * The durable log: an append resolves when its record is on disk.
 *
 * Appends that arrive while an fdatasync is under way go together in the next write and fdatasync (group commit), so
 * the rate grows with the number of callers and not with the disk. A write that came up short or a sync that failed
 * poisons the log: the kernel marks pages clean after a failed sync, so a retry that succeeds would prove nothing.
 */
import { constants } from 'node:fs';
import { encodeJsonl } from './encode.ts';
import { JsonlError } from './errors.ts';
import { type FileIdentity, type FileOperations, nodeFileOperations } from './file-ops.ts';
import { type FileLock, lockFile } from './lock.ts';
import { cutTornTail, type RecoveredTail } from './recover.ts';

export interface JsonlLogOptions {
  /**
   * `'exclusive'`: one holder, refused to a second one; a torn tail is cut at open. `'shared'`: any number of
   * processes append; each batch is one O_APPEND write with a newline before and after it, so that what a killed
   * writer left is a line of its own. @default 'exclusive'
   */
  readonly mode?: 'exclusive' | 'shared';
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

export interface JsonlLog extends AsyncDisposable {
  readonly path: string;
  /** Bytes in the file after the last acknowledged append (in shared mode, with what others had appended by then). */
  readonly size: number;
  /** What was cut when the log was opened. Undefined: nothing. */
  readonly recovered: RecoveredTail | undefined;
  /**
   * Resolves when the record is on disk. Records are written in the order of the calls. One that is not written in
   * full rejects, and it is then unknown whether a reader will find it.
   * @throws {TypeError} for a value that JSON can't say; nothing is written
   * @throws {JsonlError} JSONL_LOG_POISONED, JSONL_LOG_REPLACED, JSONL_LOG_CLOSED, JSONL_LOG_FULL,
   * JSONL_RECORD_TOO_LONG
   */
  append(value: unknown): Promise<void>;
  /** The same for several records, written side by side in one write: a kill may keep the first ones only. */
  appendMany(values: readonly unknown[]): Promise<void>;
  /**
   * Refuses new appends, writes the accepted ones, releases file and lock. The signal ends this caller's waiting,
   * not the closing. A poisoned log closes without error.
   */
  close(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/**
 * Opens a log, creating the file but not its directory. What the file holds at that moment is on disk when this
 * resolves, so a reader may act on it.
 * @throws {JsonlLogLockedError} JSONL_LOG_LOCKED when the file is held in exclusive mode
 * @throws {JsonlError} JSONL_LOG_NOT_A_LOG, JSONL_LOG_LOCK_UNSUPPORTED
 */
export async function openJsonlLog(path: string, options: JsonlLogOptions = {}): Promise<JsonlLog> {
  const resolved = resolveLogOptions(options);
  const { fileOperations: operations } = resolved;
  const opened = await openLocked(path, resolved);
  try {
    const recovered =
      resolved.mode === 'exclusive'
        ? await cutTornTail(operations, opened.file, path, opened.identity.size, longestTail(resolved))
        : undefined;
    // Also for an old file: its last writer may have died between a write or a creation and the sync.
    await operations.datasync(opened.file);
    await operations.syncEntry(path);
    return new DurableLog(path, resolved, opened, recovered);
  } catch (error) {
    await release(operations, opened);
    throw error;
  }
}

interface OpenedFile {
  readonly file: number;
  readonly identity: FileIdentity;
  readonly lock: FileLock | undefined;
}

type ResolvedLogOptions = Required<JsonlLogOptions>;

interface Batch {
  text: string;
  bytes: number;
  readonly settled: Promise<void>;
  resolve(): void;
  reject(reason: unknown): void;
}

interface Waiting {
  readonly values: readonly unknown[];
  resolve(settled: Promise<void>): void;
}

class DurableLog implements JsonlLog {
  readonly path: string;
  readonly recovered: RecoveredTail | undefined;
  readonly #options: ResolvedLogOptions;
  readonly #opened: OpenedFile;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #failure: JsonlError | undefined;
  #size: number;
  #batch: Batch | undefined;
  #queuedBytes = 0;
  #waiting: Waiting[] = [];
  #committing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #scratch: Buffer = Buffer.alloc(0);

  constructor(path: string, options: ResolvedLogOptions, opened: OpenedFile, recovered: RecoveredTail | undefined) {
    this.path = path;
    this.recovered = recovered;
    this.#options = options;
    this.#opened = opened;
    this.#size = opened.identity.size - (recovered?.cutBytes ?? 0);
  }

  get size(): number {
    return this.#size;
  }

  append(value: unknown): Promise<void> {
    return this.#accept([value]);
  }

  appendMany(values: readonly unknown[]): Promise<void> {
    return this.#accept([...values]);
  }

  close(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#closing === undefined) {
      this.#state = 'closing';
      this.#closing = this.#finish();
    }
    return options.signal === undefined ? this.#closing : unlessAborted(this.#closing, options.signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(values: readonly unknown[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#state !== 'open') {
      return Promise.reject(
        new JsonlError('JSONL_LOG_CLOSED', `The log ${this.path} is closed; open it again to append.`),
      );
    }
    if (this.#queuedBytes < this.#options.maxQueuedBytes && this.#waiting.length === 0) return this.#enqueue(values);
    if (this.#waiting.length >= this.#options.maxWaiting) {
      return Promise.reject(
        new JsonlError(
          'JSONL_LOG_FULL',
          `The log ${this.path} holds ${this.#queuedBytes} bytes and ${this.#waiting.length} appends that wait for the disk (maxQueuedBytes, maxWaiting); await appends before making more.`,
        ),
      );
    }
    return new Promise((resolve) => {
      this.#waiting.push({ values, resolve });
    });
  }

  #enqueue(values: readonly unknown[]): Promise<void> {
    let text = '';
    try {
      for (const value of values) text += this.#encode(value);
    } catch (error) {
      return Promise.reject(error);
    }
    if (text === '') return Promise.resolve();
    const bytes = Buffer.byteLength(text);
    this.#batch ??= newBatch();
    this.#batch.text += text;
    this.#batch.bytes += bytes;
    this.#queuedBytes += bytes;
    this.#committing ??= this.#commitAll();
    return this.#batch.settled;
  }

  #encode(value: unknown): string {
    const line = encodeJsonl(value);
    const { maxRecordBytes } = this.#options;
    // A character is at most three bytes, so short records need no count of their own.
    if (line.length * 3 <= maxRecordBytes) return line;
    const bytes = Buffer.byteLength(line);
    if (bytes <= maxRecordBytes) return line;
    throw new JsonlError(
      'JSONL_RECORD_TOO_LONG',
      `A record of ${bytes} bytes is over maxRecordBytes (${maxRecordBytes}) of the log ${this.path}; split it, or raise maxRecordBytes here and maxLineBytes where it is read.`,
    );
  }

  async #commitAll(): Promise<void> {
    for (;;) {
      // Callers that the last commit woke, and those of this turn, still make it into this one.
      await afterMicrotasks();
      const batch = this.#batch;
      if (batch === undefined) break;
      this.#batch = undefined;
      try {
        await this.#commit(batch);
        batch.resolve();
      } catch (error) {
        this.#fail(error, batch);
      }
      this.#queuedBytes -= batch.bytes;
      this.#admit();
    }
    this.#committing = undefined;
  }

  async #commit(batch: Batch): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const { fileOperations: operations, mode } = this.#options;
    const bytes = this.#toBytes(batch);
    const writing = operations.write(this.#opened.file, bytes);
    const written = typeof writing === 'number' ? writing : await writing;
    if (written !== bytes.length) {
      throw new Error(`Only ${written} of ${bytes.length} bytes were written; the disk or a quota may be full`);
    }
    await operations.datasync(this.#opened.file);
    const found = operations.stat(this.path);
    const now = found instanceof Promise ? await found : found;
    this.#refuseReplaced(now);
    const size = this.#size + bytes.length;
    if (mode === 'exclusive' && now !== undefined && now.size !== size) {
      throw new JsonlError(
        'JSONL_LOG_REPLACED',
        `The log ${this.path} is ${now.size} bytes long instead of ${size}: another program wrote to it or cut it. Find that program, then open the log again.`,
      );
    }
    this.#size = now?.size ?? size;
  }

  #toBytes(batch: Batch): Buffer {
    const isFramed = this.#options.mode === 'shared';
    const length = batch.bytes + (isFramed ? 1 : 0);
    if (length > keptScratchBytes) return Buffer.from(isFramed ? `\n${batch.text}` : batch.text);
    if (this.#scratch.length < length) this.#scratch = Buffer.allocUnsafeSlow(keptScratchBytes);
    this.#scratch.write(isFramed ? `\n${batch.text}` : batch.text, 0, 'utf8');
    return this.#scratch.subarray(0, length);
  }

  #refuseReplaced(now: FileIdentity | undefined): void {
    const { identity } = this.#opened;
    if (now?.device === identity.device && now.inode === identity.inode) return;
    throw new JsonlError(
      'JSONL_LOG_REPLACED',
      `${this.path} is no longer the file this log writes to: it was ${now === undefined ? 'removed or renamed' : 'replaced'}. Open it again.`,
    );
  }

  #fail(error: unknown, batch: Batch): void {
    this.#failure ??=
      error instanceof JsonlError
        ? error
        : new JsonlError(
            'JSONL_LOG_POISONED',
            `The log ${this.path} could not be written, and takes no more records: ${error instanceof Error ? error.message : String(error)}. Remove the cause, then open it again; what was acknowledged is on disk.`,
            { cause: error },
          );
    batch.reject(this.#failure);
  }

  #admit(): void {
    let admitted = 0;
    while (admitted < this.#waiting.length && this.#queuedBytes < this.#options.maxQueuedBytes) {
      const next = this.#waiting[admitted++];
      next?.resolve(this.#failure === undefined ? this.#enqueue(next.values) : Promise.reject(this.#failure));
    }
    if (admitted > 0) this.#waiting = this.#waiting.slice(admitted);
  }

  async #finish(): Promise<void> {
    try {
      await this.#committing;
    } finally {
      await release(this.#options.fileOperations, this.#opened);
      this.#state = 'closed';
    }
  }
}

/** The buffer that batches up to this size are encoded into, kept between commits. */
const keptScratchBytes = 256 * 1024;

function resolveLogOptions(options: JsonlLogOptions): ResolvedLogOptions {
  const {
    mode = 'exclusive',
    fileMode = 0o666,
    maxRecordBytes = 16 * 1024 * 1024,
    maxQueuedBytes = 64 * 1024 * 1024,
    maxWaiting = 10_000,
    fileOperations = nodeFileOperations,
  } = options;
  if (mode !== 'exclusive' && mode !== 'shared') {
    throw new TypeError(`Expected \`mode\` to be 'exclusive' or 'shared', got \`${String(mode)}\``);
  }
  requireInteger('fileMode', fileMode, 0, 0o777);
  requireInteger('maxRecordBytes', maxRecordBytes, 2, 256 * 1024 * 1024);
  requireInteger('maxQueuedBytes', maxQueuedBytes, 1, 256 * 1024 * 1024);
  requireInteger('maxWaiting', maxWaiting, 0, Number.MAX_SAFE_INTEGER);
  return Object.freeze({ mode, fileMode, maxRecordBytes, maxQueuedBytes, maxWaiting, fileOperations });
}

/** A power failure may leave a whole batch without a newline; twice, because an earlier holder may have had more room. */
function longestTail(options: ResolvedLogOptions): number {
  return 2 * Math.max(options.maxQueuedBytes, options.maxRecordBytes);
}

function requireInteger(name: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isSafeInteger(value) || value < minimum || value > maximum) {
    throw new RangeError(`Expected \`${name}\` to be an integer from ${minimum} to ${maximum}, got \`${value}\``);
  }
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

async function release(operations: FileOperations, opened: Pick<OpenedFile, 'file' | 'lock'>): Promise<void> {
  try {
    await operations.close(opened.file);
  } finally {
    await opened.lock?.release();
  }
}

function newBatch(): Batch {
  let resolve: () => void = nothing;
  let reject: (reason: unknown) => void = nothing;
  const settled = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { text: '', bytes: 0, settled, resolve, reject };
}

function nothing(): void {
  // Replaced before anyone can call it: a promise runs its executor at once.
}

/** `nextTick` from within a microtask runs once no microtask is left. */
async function afterMicrotasks(): Promise<void> {
  await undefined;
  await new Promise<void>((resolve) => process.nextTick(resolve));
}

async function unlessAborted(waited: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  let stop = nothing;
  try {
    await Promise.race([
      waited,
      new Promise<void>((_, reject) => {
        stop = () => reject(signal.reason);
        signal.addEventListener('abort', stop, { once: true });
      }),
    ]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
