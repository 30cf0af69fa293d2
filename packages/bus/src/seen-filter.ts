/**
 * Has this message been here before? Of each source the last `window` sequence numbers are remembered, one bit each, as IPsec
 * does against replays (RFC 6479); of sources, the `maxSources` heard most recently. Memory is bounded by the product.
 */

export interface SeenFilterOptions {
  /** Sources remembered; the one not heard for longest goes. @default 1024 */
  readonly maxSources?: number;
  /** Sequence numbers remembered of each, a multiple of 32. @default 8192 */
  readonly window?: number;
}

interface Source {
  readonly bits: Uint32Array;
  highest: number;
}

export class SeenFilter {
  readonly #maxSources: number;
  readonly #window: number;
  readonly #sources = new Map<string, Source>();
  #lastName: string | undefined;
  #last: Source | undefined;

  /** @throws {RangeError} for a bound that is no positive integer */
  constructor({ maxSources = 1_024, window = 8_192 }: SeenFilterOptions = {}) {
    for (const [name, value] of Object.entries({ maxSources, window })) {
      if (!Number.isInteger(value) || value < 1) {
        throw new RangeError(`Expected \`${name}\` to be a positive integer, got \`${value}\` (${typeof value})`);
      }
    }
    if (window % 32 !== 0) throw new RangeError(`Expected \`window\` to be a multiple of 32, got \`${window}\``);
    this.#maxSources = maxSources;
    this.#window = window;
  }

  get sources(): number {
    return this.#sources.size;
  }

  /**
   * True when this number came before, and from now on. What is too old to be remembered counts as new: rather twice than lost.
   * @param sequence  an integer from 0
   */
  seen(source: string, sequence: number): boolean {
    const found = source === this.#lastName && this.#last !== undefined ? this.#last : this.#sourceOf(source);
    const { bits } = found;
    if (sequence > found.highest) {
      // What the window slides over is forgotten; a jump beyond it forgets all.
      if (sequence - found.highest >= this.#window) bits.fill(0);
      else for (let each = found.highest + 1; each <= sequence; each++) this.#clear(bits, each);
      found.highest = sequence;
    } else if (found.highest - sequence >= this.#window) {
      return false;
    }
    const slot = sequence % this.#window;
    const bit = 1 << (slot & 31);
    const word = bits[slot >>> 5] ?? 0;
    if (word & bit) return true;
    bits[slot >>> 5] = word | bit;
    return false;
  }

  /** Like `seen`, but remembers nothing. */
  has(source: string, sequence: number): boolean {
    const found = this.#sources.get(source);
    if (found === undefined || sequence > found.highest || found.highest - sequence >= this.#window) return false;
    const slot = sequence % this.#window;
    return ((found.bits[slot >>> 5] ?? 0) & (1 << (slot & 31))) !== 0;
  }

  #clear(bits: Uint32Array, sequence: number): void {
    const slot = sequence % this.#window;
    bits[slot >>> 5] = (bits[slot >>> 5] ?? 0) & ~(1 << (slot & 31));
  }

  #sourceOf(name: string): Source {
    let source = this.#sources.get(name);
    if (source === undefined) source = { bits: new Uint32Array(this.#window / 32), highest: -1 };
    else this.#sources.delete(name);
    this.#sources.set(name, source);
    if (this.#sources.size > this.#maxSources) {
      const [oldest] = this.#sources.keys();
      if (oldest !== undefined) this.#sources.delete(oldest);
    }
    this.#lastName = name;
    this.#last = source;
    return source;
  }
}
