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
  /**
   * Lines of the latest region that begin at `start` or later and end at or before the returned place are not wanted:
   * they come as one count. Below 0: every line is wanted, and the question is not asked again in this region.
   */
  wantedAfter(start: number): number;
  skipped(count: number): void;
  /** One line of the latest region, without its newline, possibly empty. Returning false ends the splitting. */
  line(start: number, end: number, byteOffset: number): boolean;
  /** The last line, where no newline came. It is the whole of the latest region. */
  unterminated(byteLength: number, byteOffset: number): boolean;
  tooLong(head: Buffer, byteLength: number, byteOffset: number): boolean;
}

export class LineSplitter {
  readonly #receiver: LineReceiver;
  readonly #maxLineBytes: number;
  /** Of the first byte of the chunk that is neither taken nor carried. */
  #offset: number;
  #chunk: Buffer = Buffer.alloc(0);
  #start = 0;
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

  /** Whether `proceed` has anything left to do. */
  get hasMore(): boolean {
    return this.#start < this.#chunk.length;
  }

  /** Completes the line under way; the rest of the chunk is `proceed`'s, before the next chunk comes. */
  begin(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#start = 0;
    if (this.#pendingBytes === 0) {
      this.#receiver.region(chunk);
      return;
    }
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
    this.#receiver.region(chunk);
  }

  /**
   * Takes lines of the chunk, as many as hold `limit` bytes but at least one, not counting those that are not wanted.
   * The chunk may be reused when nothing is left of it.
   */
  proceed(limit: number): void {
    const chunk = this.#chunk;
    const receiver = this.#receiver;
    const base = this.#offset - this.#start;
    let start = this.#start;
    let taken = 0;
    let skipped = 0;
    let wantedAfter = receiver.wantedAfter(start);
    for (let end = chunk.indexOf(newline, start); end !== -1; end = chunk.indexOf(newline, start)) {
      const byteLength = end - start;
      if (byteLength > this.#maxLineBytes || end > wantedAfter) {
        if (taken > 0 && taken + byteLength > limit) {
          if (skipped > 0) receiver.skipped(skipped);
          this.#offset = base + start;
          this.#start = start;
          return;
        }
        taken += byteLength + 1;
        if (skipped > 0) receiver.skipped(skipped);
        skipped = 0;
        const wanted =
          byteLength > this.#maxLineBytes
            ? receiver.tooLong(chunk.subarray(start, Math.min(end, start + headBytes)), byteLength, base + start)
            : receiver.line(start, end, base + start);
        if (!wanted) {
          this.#offset = base + start;
          this.#start = chunk.length;
          return;
        }
        if (wantedAfter >= 0) wantedAfter = receiver.wantedAfter(end + 1);
      } else skipped++;
      start = end + 1;
    }
    if (skipped > 0) receiver.skipped(skipped);
    if (start < chunk.length) this.#carryOn(chunk, start, chunk.length);
    this.#offset = base + chunk.length;
    this.#start = chunk.length;
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
