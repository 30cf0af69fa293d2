/**
 * An open log: an append resolves when its record is on disk.
 *
 * Appends that arrive while an fdatasync is under way go together in the next write and fdatasync (group commit), so
 * the rate grows with the number of callers and not with the disk. A write that came up short or a sync that failed
 * poisons the log: the kernel marks pages clean after a failed sync, so a retry that succeeds would prove nothing.
 */
import { checksumText } from './checksum.ts';
import { encodeValue } from './encode.ts';
import { JsonlError } from './errors.ts';
import type { FileIdentity } from './file-ops.ts';
import type { JsonlLog } from './log.ts';
import type { ResolvedLogOptions } from './log-options.ts';
import type { PartIndex } from './parts.ts';
import type { RecoveredTail } from './recover.ts';
import { type OpenedFile, release, rotate } from './rotate.ts';

interface Batch {
  text: string;
  bytes: number;
  /** Whether somebody asked for a sync of what stands before it. */
  mustSync: boolean;
  readonly settled: Promise<void>;
  resolve(): void;
  reject(reason: unknown): void;
}

interface Waiting {
  /** What to append; undefined: a sync. */
  readonly values: readonly unknown[] | undefined;
  resolve(settled: Promise<void>): void;
}

export class DurableLog implements JsonlLog {
  readonly path: string;
  readonly recovered: RecoveredTail | undefined;
  readonly #options: ResolvedLogOptions;
  #opened: OpenedFile;
  #index: PartIndex;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #failure: JsonlError | undefined;
  #size: number;
  #endOffset: number;
  /** Bytes in the active part, acknowledged or not. */
  #written: number;
  /** Whether the file holds what no sync has covered yet. */
  #isUnsynced = false;
  #batch: Batch | undefined;
  /** What the batch will also hold, in bytes not counted yet: counting many records at once costs less. */
  #uncounted = '';
  #queuedBytes = 0;
  #waiting: Waiting[] = [];
  #committing: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  #scratch: Buffer = Buffer.alloc(0);

  constructor(
    path: string,
    options: ResolvedLogOptions,
    opened: OpenedFile,
    index: PartIndex,
    recovered: RecoveredTail | undefined,
  ) {
    this.path = path;
    this.recovered = recovered;
    this.#options = options;
    this.#opened = opened;
    this.#index = index;
    this.#written = opened.identity.size - (recovered?.cutBytes ?? 0);
    this.#size = this.#written;
    this.#endOffset = index.activeOffset + this.#written;
  }

  get size(): number {
    return this.#size;
  }

  get endOffset(): number {
    return this.#endOffset;
  }

  append(value: unknown): Promise<void> {
    return this.#isAtRest() ? this.#enqueue([value]) : this.#accept([value]);
  }

  appendMany(values: readonly unknown[]): Promise<void> {
    return this.#isAtRest() ? this.#enqueue(values) : this.#accept([...values]);
  }

  sync(): Promise<void> {
    return this.#isAtRest() ? this.#enqueueSync() : this.#accept(undefined);
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

  /** Nothing stands in the way of an append. */
  #isAtRest(): boolean {
    return this.#failure === undefined && this.#state === 'open' && this.#waiting.length === 0 && this.#hasRoom();
  }

  #hasRoom(): boolean {
    const { maxQueuedBytes } = this.#options;
    // A character is at most three bytes.
    if (this.#queuedBytes + 3 * this.#uncounted.length < maxQueuedBytes) return true;
    this.#count();
    return this.#queuedBytes < maxQueuedBytes;
  }

  #count(): void {
    if (this.#batch === undefined || this.#uncounted === '') return;
    const bytes = Buffer.byteLength(this.#uncounted);
    this.#batch.text += this.#uncounted;
    this.#batch.bytes += bytes;
    this.#queuedBytes += bytes;
    this.#uncounted = '';
  }

  #accept(values: readonly unknown[] | undefined): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#state !== 'open') {
      return Promise.reject(
        new JsonlError('JSONL_LOG_CLOSED', `The log ${this.path} is closed; open it again to append.`),
      );
    }
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
    this.#batch ??= newBatch();
    this.#uncounted += text;
    this.#committing ??= this.#commitAll();
    return this.#batch.settled;
  }

  #enqueueSync(): Promise<void> {
    if (!this.#isUnsynced && this.#committing === undefined) return Promise.resolve();
    this.#batch ??= newBatch();
    this.#batch.mustSync = true;
    this.#committing ??= this.#commitAll();
    return this.#batch.settled;
  }

  #encode(value: unknown): string {
    const text = encodeValue(value);
    const line = this.#options.checksum === 'none' ? `${text}\n` : `${text}${checksumText(text)}\n`;
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
      this.#count();
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
    if (batch.bytes > 0) await this.#write(batch);
    if (this.#isUnsynced && (batch.mustSync || this.#options.durability === 'append')) await this.#datasync();
    const found = this.#options.fileOperations.stat(this.path);
    const now = found instanceof Promise ? await found : found;
    this.#refuseReplaced(now);
    if (this.#options.mode === 'shared') this.#written = now?.size ?? this.#written;
    else if (now !== undefined && now.size !== this.#written) {
      throw new JsonlError(
        'JSONL_LOG_REPLACED',
        `The log ${this.path} is ${now.size} bytes long instead of ${this.#written}: another program wrote to it or cut it. Find that program, then open the log again.`,
      );
    }
    this.#size = this.#written;
    this.#endOffset = this.#index.activeOffset + this.#written;
  }

  async #write(batch: Batch): Promise<void> {
    if (this.#written > 0 && this.#written + batch.bytes > this.#options.maxPartBytes) await this.#rotate();
    const bytes = this.#toBytes(batch);
    this.#isUnsynced = true;
    const writing = this.#options.fileOperations.write(this.#opened.file, bytes);
    const written = typeof writing === 'number' ? writing : await writing;
    if (written !== bytes.length) {
      throw new Error(`Only ${written} of ${bytes.length} bytes were written; the disk or a quota may be full`);
    }
    this.#written += bytes.length;
  }

  async #datasync(): Promise<void> {
    const syncing = this.#options.fileOperations.datasync(this.#opened.file);
    if (syncing instanceof Promise) await syncing;
    this.#isUnsynced = false;
  }

  async #rotate(): Promise<void> {
    if (this.#isUnsynced) await this.#datasync();
    const old = this.#opened;
    const { opened, index } = await rotate(this.path, this.#written, this.#index, this.#options);
    this.#opened = opened;
    this.#index = index;
    this.#written = 0;
    await release(this.#options.fileOperations, old);
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
    while (admitted < this.#waiting.length && this.#hasRoom()) {
      const next = this.#waiting[admitted++];
      next?.resolve(this.#failure === undefined ? this.#start(next.values) : Promise.reject(this.#failure));
    }
    if (admitted > 0) this.#waiting = this.#waiting.slice(admitted);
  }

  #start(values: readonly unknown[] | undefined): Promise<void> {
    return values === undefined ? this.#enqueueSync() : this.#enqueue(values);
  }

  async #finish(): Promise<void> {
    try {
      await this.#committing;
      if (this.#isUnsynced && this.#failure === undefined) await this.#syncLast();
    } finally {
      await release(this.#options.fileOperations, this.#opened);
      this.#state = 'closed';
    }
  }

  async #syncLast(): Promise<void> {
    const last = newBatch();
    last.mustSync = true;
    try {
      await this.#commit(last);
    } catch (error) {
      this.#fail(error, last);
      await last.settled;
    }
  }
}

/** The buffer that batches up to this size are encoded into, kept between commits. */
const keptScratchBytes = 256 * 1024;

function newBatch(): Batch {
  let resolve: () => void = nothing;
  let reject: (reason: unknown) => void = nothing;
  const settled = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { text: '', bytes: 0, mustSync: false, settled, resolve, reject };
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
