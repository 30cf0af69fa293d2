/** The last bytes of a stream in a buffer that never grows past its bound, however small or many the chunks. */

const initialBytes = 4096;

export class OutputTail {
  /** Bytes seen, kept or not. */
  totalBytes = 0;
  readonly #maxBytes: number;
  #buffer = Buffer.alloc(0);
  #kept = 0;
  /** Where the next byte goes once the buffer has reached its bound and is used as a ring. */
  #next = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Uint8Array): void {
    this.totalBytes += chunk.byteLength;
    const tail = chunk.byteLength > this.#maxBytes ? chunk.subarray(chunk.byteLength - this.#maxBytes) : chunk;
    this.#reserve(this.#kept + tail.byteLength);
    const untilEnd = Math.min(tail.byteLength, this.#buffer.byteLength - this.#next);
    this.#buffer.set(tail.subarray(0, untilEnd), this.#next);
    this.#buffer.set(tail.subarray(untilEnd), 0);
    this.#next = this.#buffer.byteLength === 0 ? 0 : (this.#next + tail.byteLength) % this.#buffer.byteLength;
    this.#kept = Math.min(this.#kept + tail.byteLength, this.#buffer.byteLength);
  }

  /** The kept bytes as UTF-8; a character cut in half by the bound is left out. */
  text(): string {
    const start = this.#kept === this.#buffer.byteLength ? this.#next : 0;
    const bytes = Buffer.concat([this.#buffer.subarray(start, this.#kept), this.#buffer.subarray(0, start)]);
    let first = 0;
    if (this.totalBytes > this.#kept) {
      while (first < 3 && ((bytes[first] ?? 0) & 0xc0) === 0x80) first += 1;
    }
    return bytes.toString('utf8', first);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.byteLength || this.#buffer.byteLength === this.#maxBytes) return;
    const capacity = Math.min(this.#maxBytes, Math.max(bytes, this.#buffer.byteLength * 2, initialBytes));
    const grown = Buffer.allocUnsafeSlow(capacity);
    // Below the bound the buffer has never wrapped unless it was exactly full, and then it is in order from `#next`.
    const start = this.#kept === this.#buffer.byteLength ? this.#next : 0;
    this.#buffer.copy(grown, 0, start, this.#kept);
    this.#buffer.copy(grown, this.#kept - start, 0, start);
    this.#buffer = grown;
    this.#next = this.#kept % capacity;
  }
}
