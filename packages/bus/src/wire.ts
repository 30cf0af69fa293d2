/**
 * What travels between a peer and its hub: frames of a length, a type and a rest, little-endian. Whatever carries bytes
 * in order can carry them. Writers gather the frames of one turn of the event loop into one chunk; readers take chunks apart.
 */
import { BusError } from './errors.ts';

/** Both sides speak this version, or refuse each other. */
export const protocolVersion = 3;

export const frameType = {
  hello: 1,
  welcome: 2,
  refused: 3,
  subscribe: 4,
  unsubscribe: 5,
  dictionary: 6,
  origin: 7,
  publish: 8,
  deliver: 9,
  acknowledge: 10,
  decline: 11,
  lost: 12,
  nobody: 13,
  ping: 14,
  pong: 15,
  bye: 16,
  /** Of a peer: all its subscriptions have been told. Bears the number of the last message that it brings with it. */
  subscribed: 17,
  /** Of a hub: who else listens, or no longer does. */
  listeners: 18,
} as const;

/** What a peer says first. */
export interface Hello {
  readonly version: number;
  readonly token: string;
  readonly session: string;
  readonly name: string;
  /** The hub it was connected to before, */
  readonly hub: string | null;
  /** and the sessions that listened to that one. */
  readonly listeners: readonly string[];
  /** The number of the last parcel that it received from that one. */
  readonly received: number;
  /** Of these, what it has still in hand. */
  readonly inHand: readonly number[];
}

/** What a hub answers to who may come in. */
export interface Welcome {
  readonly hub: string;
  /** The session is known, with all that was on its way to it and from it. */
  readonly isResumed: boolean;
  /** The number of the last publish that the hub received from it. */
  readonly received: number;
  /** Of these, what is not settled yet. */
  readonly open: readonly number[];
  readonly listeners: readonly string[];
  readonly maxFrameBytes: number;
}

/** Length and type. */
export const frameHead = 5;

/** Carries bytes to the other side, in order, or is lost as a whole. */
export interface Wire {
  /** The bytes belong to the wire from now on. */
  write(bytes: Uint8Array): void;
  /** Nothing more is written or heard. */
  end(): void;
}

/** Most peers say little: the first chunk is small, and each that follows larger, up to the largest. */
const firstChunkBytes = 2_048;
const largestChunkBytes = 32_768;

/** Gathers frames and hands them on, at the end of the turn or when a chunk is full. Chunks are never written to again. */
export class FrameWriter {
  chunk: Buffer = Buffer.allocUnsafeSlow(firstChunkBytes);
  #position = 0;
  #flushed = 0;
  #isScheduled = false;
  #isScheduledLate = false;
  readonly #onChunk: (bytes: Buffer) => void;
  readonly #beforeFlush: () => void;

  /** @param beforeFlush  called once a turn, to add what was waiting for it */
  constructor(onChunk: (bytes: Buffer) => void, beforeFlush: () => void) {
    this.#onChunk = onChunk;
    this.#beforeFlush = beforeFlush;
  }

  /** Room for a frame with `size` bytes after its head, which is written. Returns where they begin in `chunk`, which may be another one now. */
  begin(type: number, size: number): number {
    const total = frameHead + size;
    // Whoever hears what is sent may write at once, so that the new chunk may be full as well.
    while (this.#position + total > this.chunk.length) {
      const rest = this.chunk.subarray(this.#flushed, this.#position);
      const next = Math.min(this.chunk.length * 4, largestChunkBytes);
      this.chunk = Buffer.allocUnsafeSlow(Math.max(next, total));
      this.#position = 0;
      this.#flushed = 0;
      if (rest.length > 0) this.#onChunk(rest);
    }
    const { chunk } = this;
    const start = this.#position;
    writeUint32(chunk, size + 1, start);
    chunk[start + 4] = type;
    this.#position += total;
    this.schedule();
    return start + frameHead;
  }

  json(type: number, value: unknown): void {
    const text = Buffer.from(JSON.stringify(value));
    const at = this.begin(type, text.length);
    this.chunk.set(text, at);
  }

  /** A frame with the same rest as one that came. */
  answer(type: number, bytes: Buffer, start: number, end: number): void {
    const at = this.begin(type, end - start);
    bytes.copy(this.chunk, at, start, end);
  }

  /** A frame that was written before, head and all. */
  copy(bytes: Buffer, start: number, end: number): number {
    const at = this.begin(bytes[start + 4] ?? 0, end - start - frameHead);
    bytes.copy(this.chunk, at, start + frameHead, end);
    return at - frameHead;
  }

  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  /** For what nobody waits for: in the next turn of the event loop, or with whatever is sent before. */
  scheduleLate(): void {
    if (this.#isScheduled || this.#isScheduledLate) return;
    this.#isScheduledLate = true;
    setImmediate(() => {
      this.#isScheduledLate = false;
      this.flush();
    });
  }

  flush(): void {
    this.#beforeFlush();
    this.#send();
  }

  #send(): void {
    if (this.#position === this.#flushed) return;
    const bytes = this.chunk.subarray(this.#flushed, this.#position);
    this.#flushed = this.#position;
    this.#onChunk(bytes);
  }
}

/** Takes a stream of bytes apart into frames; each is shown in the chunk that it lies in. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #onFrame: (type: number, bytes: Buffer, start: number, end: number) => void;
  #rest: Buffer[] = [];
  #restBytes = 0;
  #wanted = frameHead;

  constructor(maxBytes: number, onFrame: (type: number, bytes: Buffer, start: number, end: number) => void) {
    this.#maxBytes = maxBytes;
    this.#onFrame = onFrame;
  }

  /** @throws {BusError} BUS_PROTOCOL when a frame has no sensible length: nothing behind it can be read */
  push(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#restBytes > 0) {
      this.#rest.push(chunk);
      this.#restBytes += chunk.length;
      if (this.#restBytes < this.#wanted) return;
      bytes = Buffer.concat(this.#rest);
      this.#rest = [];
      this.#restBytes = 0;
    }
    let at = 0;
    while (bytes.length - at >= frameHead) {
      const size = readUint32(bytes, at);
      if (size < 1 || size > this.#maxBytes) {
        throw new BusError(
          'BUS_PROTOCOL',
          `A frame claims ${size} bytes; from 1 to ${this.#maxBytes} (maxFrameBytes) are accepted`,
        );
      }
      if (bytes.length - at < 4 + size) break;
      this.#onFrame(bytes[at + 4] ?? 0, bytes, at + frameHead, at + 4 + size);
      at += 4 + size;
    }
    if (at === bytes.length) return;
    const rest = bytes.subarray(at);
    this.#rest = [rest];
    this.#restBytes = rest.length;
    this.#wanted = rest.length >= 4 ? 4 + readUint32(rest, 0) : frameHead;
  }
}

/** Numbers in mostly rising order, as pairs of first and last. */
export class Ranges {
  readonly pairs: number[] = [];

  add(number: number): void {
    const { pairs } = this;
    const last = pairs.length - 1;
    if (last > 0 && pairs[last] === number - 1) pairs[last] = number;
    else pairs.push(number, number);
  }

  /** Writes them all as one frame, and is empty again. */
  writeTo(writer: FrameWriter, type: number): void {
    const { pairs } = this;
    if (pairs.length === 0) return;
    const at = writer.begin(type, pairs.length * 8);
    for (let index = 0; index < pairs.length; index++) writer.chunk.writeDoubleLE(pairs[index] ?? 0, at + index * 8);
    pairs.length = 0;
  }
}

export function readRanges(bytes: Buffer, start: number, end: number, each: (number: number) => void): void {
  for (let at = start; at + 16 <= end; at += 16) {
    const last = bytes.readDoubleLE(at + 8);
    for (let number = bytes.readDoubleLE(at); number <= last; number++) each(number);
  }
}

export function readJson(bytes: Buffer, start: number, end: number): unknown {
  return JSON.parse(bytes.toString('utf8', start, end));
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0
  );
}

export function writeUint32(bytes: Uint8Array, value: number, at: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
