/**
 * Bytes to line slices: the hot loop. It knows no JSON; it knows that a line ends at byte 0x0A and nowhere else, that
 * a line may arrive in any number of chunks, and that no line may hold more memory than it was allowed.
 *
 * A chunk is gone through in blocks, each looked at once for all its lines. A line that came in several chunks, or that
 * is longer than a block, is no part of any: a lone line.
 */
import { type BlockScanner, blockBytes, blockScanner } from './block-scanner.ts';

const newline = 0x0a;

/** How much of a line that is too long is kept, to show how it began. */
const headBytes = 256;

/** A line's buffer above this size is given back after the line. */
const keptCapacity = 1024 * 1024;

/** Set in the entry of a line that is not wanted; above all bits that a scanner sets. */
export const ruledOut = 0x4000_0000;

/** The whole lines of one block: an entry for each, as the scanner makes them. */
export interface LineBlock {
  /** The chunk that the block is in. */
  readonly bytes: Buffer;
  readonly start: number;
  /** Behind the last newline. */
  readonly end: number;
  /** The receiver may set `ruledOut` in them. */
  readonly entries: Uint32Array;
  readonly count: number;
}

/** Returning false ends the splitting. Bytes are valid until the next call. */
export interface LineReceiver {
  /** What the lines that come next are of. The scanner holds that block during this call. */
  block(block: LineBlock, scanner: BlockScanner): void;
  /** So many lines of the block were ruled out. */
  skipped(count: number): void;
  /** One line of the block, without its newline, possibly empty. */
  line(start: number, end: number, byteOffset: number, isAscii: boolean): boolean;
  lone(line: Buffer, byteOffset: number): boolean;
  /** The last line, where no newline came. */
  unterminated(line: Buffer, byteOffset: number): boolean;
  tooLong(head: Buffer, byteLength: number, byteOffset: number): boolean;
}

export class LineSplitter {
  readonly #receiver: LineReceiver;
  readonly #maxLineBytes: number;
  readonly #scanner: BlockScanner;
  /** Of the first byte of the chunk that is neither taken nor carried. */
  #offset: number;
  #chunk: Buffer = Buffer.alloc(0);
  #start = 0;
  #carry: Buffer = Buffer.alloc(0);
  #carriedBytes = 0;
  /** Bytes of the line under way that came in earlier chunks; more than are carried when it is too long. */
  #pendingBytes = 0;
  /** A copy, since the scanner's own are overwritten by whoever looks at a block next. */
  #entries = new Uint32Array(64);

  constructor(receiver: LineReceiver, maxLineBytes: number, startOffset: number, scanner = blockScanner()) {
    this.#receiver = receiver;
    this.#maxLineBytes = maxLineBytes;
    this.#offset = startOffset;
    this.#scanner = scanner;
  }

  /** Where the line under way begins. */
  get nextOffset(): number {
    return this.#offset - this.#pendingBytes;
  }

  /** Whether `proceed` has anything left to do. */
  get hasMore(): boolean {
    return this.#start < this.#chunk.length;
  }

  /** Completes the line under way; the rest of the chunk is `proceed`'s, before the next chunk comes. */
  begin(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#start = 0;
    if (this.#pendingBytes === 0) return;
    const end = chunk.indexOf(newline);
    const lineEnd = end === -1 ? chunk.length : end;
    this.#carryOn(chunk, 0, lineEnd);
    this.#offset += lineEnd;
    this.#start = chunk.length;
    if (end === -1) return;
    const pendingBytes = this.#pendingBytes;
    if (!this.#endPending(this.#offset)) {
      this.#offset -= pendingBytes;
      return;
    }
    this.#offset++;
    this.#start = end + 1;
  }

  /**
   * Takes lines of the chunk, as many as hold `limit` bytes but at least one, not counting those that are ruled out; it
   * may stop at half of that. The chunk may be reused when nothing is left of it.
   */
  proceed(limit: number): void {
    for (let taken = 0; this.hasMore && taken <= limit / 2; ) {
      const before = this.#start;
      const count = this.#scan();
      const bytes = count === 0 ? this.#proceedLone(taken, limit) : this.#proceedBlock(count, taken, limit);
      // Nothing more fits.
      if (this.#start === before) return;
      taken += bytes;
    }
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
    return this.#receiver.unterminated(head, this.#offset - byteLength);
  }

  /** Looks at the block that begins where nothing is taken yet; returns how many lines end in it. */
  #scan(): number {
    const start = this.#start;
    const scanner = this.#scanner;
    scanner.load(this.#chunk, start, Math.min(this.#chunk.length, start + blockBytes));
    const count = scanner.scanLines();
    if (count === 0) return 0;
    if (this.#entries.length < count) this.#entries = new Uint32Array(count * 2);
    this.#entries.set(scanner.entries.subarray(0, count));
    const end = start + ((this.#entries[count - 1] ?? 0) >>> 1) + 1;
    this.#receiver.block({ bytes: this.#chunk, start, end, entries: this.#entries, count }, scanner);
    return count;
  }

  /** Takes the lines of the block that fit beside what was `taken`; returns their bytes. */
  #proceedBlock(count: number, taken: number, limit: number): number {
    const receiver = this.#receiver;
    const entries = this.#entries;
    const blockStart = this.#start;
    const base = this.#offset - blockStart;
    let start = blockStart;
    let bytes = 0;
    let skipped = 0;
    for (let index = 0; index < count; index++) {
      const entry = entries[index] ?? 0;
      const end = blockStart + ((entry & ~ruledOut) >>> 1);
      const byteLength = end - start;
      if (entry >= ruledOut && byteLength <= this.#maxLineBytes) skipped++;
      else {
        if (taken + bytes > 0 && taken + bytes + byteLength > limit) break;
        bytes += byteLength + 1;
        if (skipped > 0) receiver.skipped(skipped);
        skipped = 0;
        const wanted =
          byteLength > this.#maxLineBytes
            ? this.#refuse(start, end, base + start)
            : receiver.line(start, end, base + start, (entry & 1) === 0);
        if (!wanted) {
          this.#end(base + start);
          return bytes;
        }
      }
      start = end + 1;
    }
    if (skipped > 0) receiver.skipped(skipped);
    this.#offset = base + start;
    this.#start = start;
    return bytes;
  }

  /** The same where no line ends in the block. */
  #proceedLone(taken: number, limit: number): number {
    const start = this.#start;
    const chunk = this.#chunk;
    const end = chunk.indexOf(newline, Math.min(chunk.length, start + blockBytes));
    if (end === -1) {
      this.#carryOn(chunk, start, chunk.length);
      this.#end(this.#offset + chunk.length - start);
      return 0;
    }
    if (taken > 0 && taken + end - start > limit) return 0;
    const byteOffset = this.#offset;
    const wanted =
      end - start > this.#maxLineBytes
        ? this.#refuse(start, end, byteOffset)
        : this.#receiver.lone(chunk.subarray(start, end), byteOffset);
    if (!wanted) {
      this.#end(byteOffset);
      return 0;
    }
    this.#offset += end + 1 - start;
    this.#start = end + 1;
    return end + 1 - start;
  }

  /** Nothing more is taken of the chunk. */
  #end(offset: number): void {
    this.#offset = offset;
    this.#start = this.#chunk.length;
  }

  #refuse(start: number, end: number, byteOffset: number): boolean {
    const head = this.#chunk.subarray(start, Math.min(end, start + headBytes));
    return this.#receiver.tooLong(head, end - start, byteOffset);
  }

  #endPending(endOffset: number): boolean {
    const byteLength = this.#pendingBytes;
    const line = this.#carry.subarray(0, this.#carriedBytes);
    this.#pendingBytes = 0;
    this.#carriedBytes = 0;
    if (this.#carry.length > keptCapacity) this.#carry = Buffer.alloc(0);
    if (byteLength > this.#maxLineBytes) return this.#receiver.tooLong(line, byteLength, endOffset - byteLength);
    return this.#receiver.lone(line, endOffset - byteLength);
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
