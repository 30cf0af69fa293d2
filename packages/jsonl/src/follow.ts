/**
 * Reads a file as it grows, like `tail -F`: through truncation, replacement and absence.
 *
 * The directory is watched, so that a file which does not exist yet, or again, is seen when it comes; where watching
 * tells nothing (network mounts, some containers) the file is looked at every `pollMs`. A replaced file is read to its
 * end before the new one is begun. A file that was cut and has grown past the old place is recognised by the bytes
 * that stood before that place. A log that rotates is one file to its follower: its parts are read in order, and what
 * stands at the path after a rotation goes on where the last part ended.
 */
import { close, type FSWatcher, fstat, read, stat, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { LineDecoder } from './decode.ts';
import { openPartAt, readPartIndex, unlessMissing } from './parts.ts';
import { type ReadOptions, resolveReadOptions } from './read.ts';

export interface FollowOptions extends ReadOptions {
  /** How often the file is looked at where no change is announced. @default 500 */
  readonly pollMs?: number;
  /** Called when reading begins again at the start of the file, and why; a rotation is neither. */
  readonly onRestart?: (reason: 'truncated' | 'replaced') => void;
}

export interface JsonlFollower<T> extends AsyncIterable<T[]>, AsyncDisposable {
  /** Where the first line begins that is in no batch so far: the `startOffset` that goes on after the latest batch. */
  readonly nextOffset: number;
  /** Ends the iteration after the batch in hand and closes file and watch. */
  close(): Promise<void>;
}

/**
 * The values of a file, present and to come, in non-empty arrays. A line counts once its newline is there, so nothing
 * is reported as cut off before the file is truncated or replaced. Line numbers count from where reading began, or began
 * again, and offsets from the start of the file, or of the whole log. A signal's reason is what the iteration rejects with; `close()` ends it without an error.
 * One consumer: a second iteration throws.
 */
export function followJsonl<T = unknown>(path: string, options: FollowOptions = {}): JsonlFollower<T> {
  return new FileFollower<T>(path, options);
}

const closeFile = promisify(close);
const statFile = promisify(fstat);
const statPath = promisify(stat);
const readFile = promisify(read);

/** Enough to tell a rewritten file from a grown one. */
const fingerprintBytes = 64;

interface Following<T> {
  readonly file: number;
  readonly device: number;
  readonly inode: number;
  /** Of its first byte in the whole log. */
  readonly startOffset: number;
  /** Of a sealed part: what follows it. */
  readonly nextOffset: number | undefined;
  decoder: LineDecoder<T>;
  position: number;
  /** The bytes just before `position`. */
  fingerprint: Buffer;
}

class FileFollower<T> implements JsonlFollower<T> {
  readonly #path: string;
  readonly #options: FollowOptions;
  readonly #pollMs: number;
  readonly #buffer: Buffer;
  readonly #batches: AsyncGenerator<T[], void, void>;
  readonly #wakeUp = new WakeUp();
  #state: 'open' | 'iterated' | 'closed' = 'open';
  #following: Following<T> | undefined;
  #nextOffset: number;

  constructor(path: string, options: FollowOptions) {
    const { pollMs = 500 } = options;
    if (!(pollMs > 0)) throw new RangeError(`Expected \`pollMs\` to be above 0, got \`${pollMs}\``);
    this.#path = path;
    this.#options = options;
    this.#pollMs = pollMs;
    this.#nextOffset = options.startOffset ?? 0;
    this.#buffer = Buffer.allocUnsafeSlow(fingerprintBytes + resolveReadOptions(options).batchBytes);
    // Bad decode options are the caller's mistake now, not at the first line.
    new LineDecoder<T>(options);
    this.#batches = this.#follow();
  }

  get nextOffset(): number {
    return this.#following?.decoder.nextOffset ?? this.#nextOffset;
  }

  [Symbol.asyncIterator](): AsyncIterator<T[]> {
    if (this.#state === 'iterated') {
      throw new TypeError(`${this.#path} is being followed by another loop; call followJsonl once for each`);
    }
    if (this.#state === 'open') this.#state = 'iterated';
    return this.#batches;
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#wakeUp.wake();
    await this.#batches.return();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *#follow(): AsyncGenerator<T[], void, void> {
    const { signal } = this.#options;
    signal?.throwIfAborted();
    const wake = () => this.#wakeUp.wake();
    signal?.addEventListener('abort', wake);
    const watcher = watchFor(this.#path, wake);
    try {
      for (;;) {
        yield* this.#available();
        signal?.throwIfAborted();
        if (this.#isClosed()) return;
        await this.#wakeUp.wait(this.#pollMs);
        signal?.throwIfAborted();
        if (this.#isClosed()) return;
      }
    } finally {
      signal?.removeEventListener('abort', wake);
      watcher?.close();
      await this.#leave();
    }
  }

  /** What can be read now, whichever file or files it takes. */
  async *#available(): AsyncGenerator<T[], void, void> {
    let following = this.#following ?? (await this.#enter(this.#options.startOffset, undefined));
    while (following !== undefined) {
      // Asked before reading: what is at the path now can only take over once this file has been read to its end.
      const isOver = following.nextOffset !== undefined || !(await isStillAt(this.#path, following));
      yield* this.#rest(following);
      if (!isOver || this.#isClosed()) return;
      const next = await this.#enterNext(following);
      if (next === undefined) return;
      if (next.decoder === following.decoder) yield* valuesOf(next.decoder, next.decoder.seek(next.startOffset));
      else {
        yield* valuesOf(following.decoder, following.decoder.end());
        this.#options.onRestart?.('replaced');
      }
      following = next;
    }
  }

  async *#rest(following: Following<T>): AsyncGenerator<T[], void, void> {
    while (!this.#isClosed()) {
      this.#options.signal?.throwIfAborted();
      const chunk = await this.#readOn(following);
      if (chunk === 'cut') {
        yield* valuesOf(following.decoder, following.decoder.end());
        following.decoder = new LineDecoder<T>(this.#options, this.#path, following.startOffset);
        following.position = 0;
        following.fingerprint = Buffer.alloc(0);
        this.#options.onRestart?.('truncated');
        continue;
      }
      if (chunk.length === 0) return;
      const values = following.decoder.push(chunk);
      if (values.length > 0) yield values;
      if (following.decoder.failure !== undefined) throw following.decoder.failure.reason;
    }
  }

  /** One read takes the bytes before the place along, so that what follows them is known to belong to them. */
  async #readOn(following: Following<T>): Promise<Buffer | 'cut'> {
    const { file, position, fingerprint } = following;
    const known = fingerprint.length;
    const { bytesRead } = await readFile(file, this.#buffer, 0, this.#buffer.length, position - known);
    if (!this.#buffer.subarray(0, Math.min(known, bytesRead)).equals(fingerprint)) return 'cut';
    if (bytesRead === 0 && position > 0 && (await statFile(file)).size < position) return 'cut';
    following.position += bytesRead - known;
    following.fingerprint = Buffer.from(this.#buffer.subarray(Math.max(0, bytesRead - fingerprintBytes), bytesRead));
    return this.#buffer.subarray(known, bytesRead);
  }

  async #enter(offset: number | undefined, decoder: LineDecoder<T> | undefined): Promise<Following<T> | undefined> {
    const part = await unlessMissing(openPartAt(this.#path, offset));
    if (part === undefined) return undefined;
    const { file, startOffset, nextOffset } = part;
    const { dev, ino } = await statFile(file);
    const from = offset ?? startOffset;
    this.#following = {
      file,
      device: dev,
      inode: ino,
      startOffset,
      nextOffset,
      decoder: decoder ?? new LineDecoder<T>(this.#options, this.#path, from),
      position: from - startOffset,
      fingerprint: Buffer.alloc(0),
    };
    return this.#following;
  }

  /** The old file stays open until a new one is there: its writer may still hold it. */
  async #enterNext(old: Following<T>): Promise<Following<T> | undefined> {
    const end = old.nextOffset ?? old.startOffset + old.position;
    const goesOn = old.nextOffset !== undefined || (await isBoundary(this.#path, end));
    const next = await (goesOn ? this.#enter(end, old.decoder) : this.#enter(undefined, undefined));
    if (next !== undefined) await closeFile(old.file);
    return next;
  }

  async #leave(): Promise<void> {
    const following = this.#following;
    this.#nextOffset = this.nextOffset;
    this.#following = undefined;
    if (following !== undefined) await closeFile(following.file);
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }
}

/** A wait that a change, a signal or closing ends early. A wake-up that comes while nobody waits is kept. */
class WakeUp {
  #isDue = false;
  #resolve: (() => void) | undefined;

  wake(): void {
    this.#isDue = true;
    this.#resolve?.();
  }

  async wait(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      if (!this.#isDue) {
        await new Promise<void>((resolve) => {
          this.#resolve = resolve;
          timer = setTimeout(resolve, timeoutMs);
        });
      }
    } finally {
      clearTimeout(timer);
      this.#resolve = undefined;
      this.#isDue = false;
    }
  }
}

/** Undefined where the system can't watch: polling then has to do. */
function watchFor(path: string, onChange: () => void): FSWatcher | undefined {
  const name = basename(path);
  try {
    const watcher = watch(dirname(path), { persistent: false }, (_, changed) => {
      if (changed === null || changed === name) onChange();
    });
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

async function isStillAt(path: string, following: Following<unknown>): Promise<boolean> {
  const found = await unlessMissing(statPath(path));
  return found !== undefined && found.dev === following.device && found.ino === following.inode;
}

/** Whether a part of the log begins where a file ended, which is then the part before it. */
async function isBoundary(path: string, offset: number): Promise<boolean> {
  const index = await readPartIndex(path);
  return index?.activeOffset === offset || index?.sealed.some((part) => part.startOffset === offset) === true;
}

function* valuesOf<T>(decoder: LineDecoder<T>, values: T[]): Generator<T[], void, void> {
  if (values.length > 0) yield values;
  if (decoder.failure !== undefined) throw decoder.failure.reason;
}
