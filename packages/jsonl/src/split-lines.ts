/**
 * Bytes to line slices: the hot loop. It knows no JSON; it knows that a line ends at byte 0x0A and nowhere else, that
 * a line may arrive in any number of chunks, and that no line may hold more memory than it was allowed.
 *
 * A region is a run of bytes that holds whole lines: the chunk itself, or the joined pieces of a line that came in
 * several chunks. Slices are positions in the latest region, valid until the next one.
 */

const newline = 0x0a;

/** How much of a line that is too long is kept, to show how it began. */
const headBytes = 256;

/** A line's buffer above this size is given back after the line. */
const keptCapacity = 1024 * 1024;

export interface LineReceiver {
  region(bytes: Buffer): void;
  /** One line of the latest region, without its newline, possibly empty. Returning false ends the splitting. */
  line(start: number, end: number, byteOffset: number): boolean;
  /** The last line, where no newline came. It is the whole of the latest region. */
  unterminated(byteLength: number, byteOffset: number): boolean;
  tooLong(head: Buffer, byteLength: number, byteOffset: number): boolean;
}

export class LineSplitter {
  readonly #receiver: LineReceiver;
  readonly #maxLineBytes: number;
  #offset: number;
  #carry: Buffer = Buffer.alloc(0);
  #carriedBytes = 0;
  /** Bytes of the line under way that came in earlier chunks; more than are carried when it is too long. */
  #pendingBytes = 0;

  constructor(receiver: LineReceiver, maxLineBytes: number, startOffset: number) {
    this.#receiver = receiver;
    this.#maxLineBytes = maxLineBytes;
    this.#offset = startOffset;
  }

  /** Where the line under way begins. */
  get nextOffset(): number {
    return this.#offset - this.#pendingBytes;
  }

  /** The chunk may be reused after the call. False: the receiver wants no more. */
  push(chunk: Buffer): boolean {
    const base = this.#offset;
    this.#offset += chunk.length;
    let start = 0;
    if (this.#pendingBytes > 0) {
      const end = chunk.indexOf(newline);
      this.#carryOn(chunk, 0, end === -1 ? chunk.length : end);
      if (end === -1) return true;
      start = end + 1;
      const pendingBytes = this.#pendingBytes;
      if (!this.#endPending(base + end)) {
        this.#offset = base + end - pendingBytes;
        return false;
      }
    }
    this.#receiver.region(chunk);
    for (let end = chunk.indexOf(newline, start); end !== -1; end = chunk.indexOf(newline, start)) {
      const wanted =
        end - start > this.#maxLineBytes
          ? this.#receiver.tooLong(chunk.subarray(start, Math.min(end, start + headBytes)), end - start, base + start)
          : this.#receiver.line(start, end, base + start);
      if (!wanted) {
        this.#offset = base + start;
        return false;
      }
      start = end + 1;
    }
    if (start < chunk.length) this.#carryOn(chunk, start, chunk.length);
    return true;
  }

  /** What is pushed next stands at this place. */
  seek(offset: number): void {
    this.#offset = offset;
  }

  /** No more bytes will come, or none that go on with the line under way. */
  finish(): boolean {
    if (this.#pendingBytes === 0) return true;
    const byteLength = this.#pendingBytes;
    const head = this.#carry.subarray(0, this.#carriedBytes);
    this.#pendingBytes = 0;
    this.#carriedBytes = 0;
    if (byteLength > this.#maxLineBytes) return this.#receiver.tooLong(head, byteLength, this.#offset - byteLength);
    this.#receiver.region(head);
    return this.#receiver.unterminated(byteLength, this.#offset - byteLength);
  }

  #endPending(endOffset: number): boolean {
    const byteLength = this.#pendingBytes;
    const region = this.#carry.subarray(0, this.#carriedBytes);
    this.#pendingBytes = 0;
    this.#carriedBytes = 0;
    if (this.#carry.length > keptCapacity) this.#carry = Buffer.alloc(0);
    if (byteLength > this.#maxLineBytes) return this.#receiver.tooLong(region, byteLength, endOffset - byteLength);
    this.#receiver.region(region);
    return this.#receiver.line(0, byteLength, endOffset - byteLength);
  }

  #carryOn(chunk: Buffer, start: number, end: number): void {
    this.#pendingBytes += end - start;
    if (this.#pendingBytes > this.#maxLineBytes) {
      const room = Math.max(0, headBytes - this.#carriedBytes);
      const head = [this.#carry.subarray(0, Math.min(this.#carriedBytes, headBytes)), chunk.subarray(start, end)];
      if (this.#carriedBytes > headBytes || room > 0) {
        this.#carry = Buffer.from(
          Buffer.concat(head.map((part) => part.subarray(0, headBytes))).subarray(0, headBytes),
        );
        this.#carriedBytes = this.#carry.length;
      }
      return;
    }
    if (this.#carry.length < this.#pendingBytes) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.#maxLineBytes, Math.max(4096, this.#pendingBytes * 2)));
      this.#carry.copy(grown, 0, 0, this.#carriedBytes);
      this.#carry = grown;
    }
    chunk.copy(this.#carry, this.#carriedBytes, start, end);
    this.#carriedBytes = this.#pendingBytes;
  }
}
