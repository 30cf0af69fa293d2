/**
 * Bytes from one thread to one other, through shared memory. A record is a length, its number in the row, and bytes; it is there
 * once the write position has moved over it, in one atomic store, so what a thread was writing when it died is
 * never read. The reader checks length and number all the same, since shared memory forgives nothing.
 */
import { BusError } from './errors.ts';

const word = {
  /** Bytes written so far, modulo 2^32; only the writer stores it. */
  written: 0,
  /** Bytes read so far, modulo 2^32; only the reader stores it. */
  read: 1,
  /** 1 while the reader sleeps and wants to be woken. */
  readerSleeps: 2,
  /** 1 while the writer waits for room and wants to be told. */
  writerWaits: 3,
  /** The number of the record that is being written, or 0. */
  writing: 4,
} as const;

const headerBytes = 64;
const recordHead = 8;

/** @param bytes  a power of two from 1,024 to 2^30 */
export function createRingMemory(bytes: number): SharedArrayBuffer {
  if (!Number.isInteger(Math.log2(bytes)) || bytes < 1_024 || bytes > 2 ** 30) {
    throw new RangeError(
      `Expected \`ringBytes\` to be a power of two from 1024 to 1073741824, got \`${bytes}\` (${typeof bytes})`,
    );
  }
  return new SharedArrayBuffer(headerBytes + bytes);
}

export class RingWriter {
  readonly #words: Int32Array;
  readonly #numbers: Uint32Array;
  readonly #data: Uint8Array;
  readonly #mask: number;
  #written: number;
  #sequence = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, headerBytes / 4);
    this.#data = new Uint8Array(memory, headerBytes);
    this.#numbers = new Uint32Array(memory, headerBytes);
    this.#mask = this.#data.length - 1;
    this.#written = Atomics.load(this.#words, word.written) >>> 0;
  }

  /** Writes as much of `bytes` as there is room for. Returns how many that were; after fewer than all, the reader will tell when to go on. */
  write(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length) {
      const room = this.#room() - recordHead;
      // A crumb for each byte that the reader frees would cost more than it carries.
      const size = Math.min(bytes.length - at, this.#data.length / 4, room);
      if (room <= 0 || (size < bytes.length - at && size < Math.min(512, this.#data.length / 4))) {
        Atomics.store(this.#words, word.writerWaits, 1);
        if (this.#room() - recordHead > room) continue;
        break;
      }
      this.#writeRecord(bytes, at, size);
      at += size;
    }
    return at - from;
  }

  /** Whether the reader sleeps, which it is asked only once for each sleep. */
  takeSleepingReader(): boolean {
    return (
      Atomics.load(this.#words, word.readerSleeps) === 1 && Atomics.exchange(this.#words, word.readerSleeps, 0) === 1
    );
  }

  #room(): number {
    const read = Atomics.load(this.#words, word.read) >>> 0;
    return this.#data.length - ((this.#written - read) >>> 0);
  }

  #writeRecord(bytes: Uint8Array, from: number, size: number): void {
    const sequence = ++this.#sequence;
    Atomics.store(this.#words, word.writing, sequence | 0);
    const start = this.#written & this.#mask;
    this.#numbers[start >>> 2] = size;
    this.#numbers[((start + 4) & this.#mask) >>> 2] = sequence;
    copyIn(this.#data, (start + recordHead) & this.#mask, bytes, from, size);
    this.#written = (this.#written + recordHead + align(size)) >>> 0;
    Atomics.store(this.#words, word.written, this.#written | 0);
    Atomics.store(this.#words, word.writing, 0);
  }
}

export class RingReader {
  readonly #words: Int32Array;
  readonly #numbers: Uint32Array;
  readonly #data: Uint8Array;
  readonly #mask: number;
  #read = 0;
  #sequence = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory, 0, headerBytes / 4);
    this.#data = new Uint8Array(memory, headerBytes);
    this.#numbers = new Uint32Array(memory, headerBytes);
    this.#mask = this.#data.length - 1;
  }

  /** All that is written, as bytes of its own, or nothing. @throws {BusError} BUS_PROTOCOL when a record makes no sense */
  read(): Buffer | undefined {
    const available = ((Atomics.load(this.#words, word.written) >>> 0) - this.#read) >>> 0;
    if (available === 0) return undefined;
    const bytes = Buffer.allocUnsafe(available);
    let filled = 0;
    for (let at = 0; at < available; ) {
      const start = (this.#read + at) & this.#mask;
      const size = this.#numbers[start >>> 2] ?? 0;
      const sequence = this.#numbers[((start + 4) & this.#mask) >>> 2] ?? 0;
      if (sequence !== (this.#sequence + 1) >>> 0 || size === 0 || at + recordHead + size > available) {
        throw new BusError(
          'BUS_PROTOCOL',
          `The ring holds record ${sequence} of ${size} bytes where record ${this.#sequence + 1} of at most ${available - at - recordHead} should be`,
        );
      }
      this.#sequence = sequence;
      copyOut(this.#data, (start + recordHead) & this.#mask, bytes, filled, size);
      filled += size;
      at += recordHead + align(size);
    }
    this.#read = (this.#read + available) >>> 0;
    Atomics.store(this.#words, word.read, this.#read | 0);
    return bytes.subarray(0, filled);
  }

  /** Asks to be woken. False when something has come meanwhile, and is to be read first. */
  sleep(): boolean {
    Atomics.store(this.#words, word.readerSleeps, 1);
    if (Atomics.load(this.#words, word.written) >>> 0 === this.#read) return true;
    Atomics.store(this.#words, word.readerSleeps, 0);
    return false;
  }

  /** Whether the writer waits for room, which it is asked only once for each wait. */
  takeWaitingWriter(): boolean {
    return (
      Atomics.load(this.#words, word.writerWaits) === 1 && Atomics.exchange(this.#words, word.writerWaits, 0) === 1
    );
  }

  /** Whether a record was begun and never finished: asked once the writer is dead. */
  get isTorn(): boolean {
    return Atomics.load(this.#words, word.writing) !== 0;
  }
}

function align(size: number): number {
  return (size + 7) & ~7;
}

function copyIn(ring: Uint8Array, start: number, bytes: Uint8Array, from: number, size: number): void {
  const first = Math.min(size, ring.length - start);
  ring.set(bytes.subarray(from, from + first), start);
  if (first < size) ring.set(bytes.subarray(from + first, from + size), 0);
}

function copyOut(ring: Uint8Array, start: number, bytes: Uint8Array, to: number, size: number): void {
  const first = Math.min(size, ring.length - start);
  bytes.set(ring.subarray(start, start + first), to);
  if (first < size) bytes.set(ring.subarray(0, size - first), to + first);
}
