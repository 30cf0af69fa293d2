/**
 * A histogram of durations in fixed memory whose quantiles have a known error. Durations below 256 ns are counted
 * exactly; above, each power of two is cut into 128 equal parts and a quantile is the middle of its part, so it is off by
 * at most 1 in 256 (0.4 %). The least, the greatest and the count are exact.
 *
 * Source: Tene, HdrHistogram (its log-linear buckets).
 */

/** Bounds of the relative error of a quantile. */
export const histogramError = 1 / 256;

const exactBelow = 256;
const partsPerDoubling = 128;
const doublings = 53 - 8;

/** What is kept in a record: the middle of each part that holds something, and how many it holds. */
export interface HistogramCounts {
  readonly nanoseconds: readonly number[];
  readonly counts: readonly number[];
}

export class DurationHistogram {
  readonly #counts = new Float64Array(exactBelow + doublings * partsPerDoubling);
  #count = 0;
  #least = Number.POSITIVE_INFINITY;
  #greatest = 0;

  get count(): number {
    return this.#count;
  }

  /** Exact; 0 while nothing is counted. */
  get greatest(): number {
    return this.#greatest;
  }

  /** Fractions of a nanosecond are cut off; what is negative counts as 0 (clocks of two processors can differ). */
  add(nanoseconds: number, times = 1): void {
    const whole = nanoseconds > 0 ? Math.floor(nanoseconds) : 0;
    const part = partOf(whole);
    this.#counts[part] = (this.#counts[part] ?? 0) + times;
    this.#count += times;
    if (whole < this.#least) this.#least = whole;
    if (whole > this.#greatest) this.#greatest = whole;
  }

  /**
   * The duration that `share` of all are at or below, in nanoseconds (nearest rank); exact for 1.
   * @throws {RangeError} while nothing is counted, or when share is not within 0 and 1
   */
  quantile(share: number): number {
    if (!(share >= 0 && share <= 1)) throw new RangeError(`share must be between 0 and 1, not ${share}.`);
    if (this.#count === 0) throw new RangeError('An empty histogram has no quantiles.');
    const rank = Math.max(1, Math.ceil(share * this.#count));
    if (rank === this.#count) return this.#greatest;
    let seen = 0;
    for (let part = 0; part < this.#counts.length; part += 1) {
      seen += this.#counts[part] ?? 0;
      if (seen >= rank) return Math.max(this.#least, middleOf(part));
    }
    return this.#greatest;
  }

  addAll(other: DurationHistogram): void {
    for (let part = 0; part < this.#counts.length; part += 1) {
      this.#counts[part] = (this.#counts[part] ?? 0) + (other.#counts[part] ?? 0);
    }
    this.#count += other.#count;
    this.#least = Math.min(this.#least, other.#least);
    this.#greatest = Math.max(this.#greatest, other.#greatest);
  }

  toCounts(): HistogramCounts {
    const nanoseconds: number[] = [];
    const counts: number[] = [];
    for (const [part, count] of this.#counts.entries()) {
      if (count === 0) continue;
      nanoseconds.push(middleOf(part));
      counts.push(count);
    }
    return { nanoseconds, counts };
  }
}

function partOf(whole: number): number {
  if (whole < exactBelow) return whole;
  const highest = whole < 2 ** 32 ? 31 - Math.clz32(whole) : 63 - Math.clz32(Math.floor(whole / 2 ** 32));
  const width = 2 ** (highest - 7);
  const part = exactBelow + (highest - 8) * partsPerDoubling + Math.floor(whole / width) - partsPerDoubling;
  return Math.min(part, exactBelow + doublings * partsPerDoubling - 1);
}

function middleOf(part: number): number {
  if (part < exactBelow) return part;
  const doubling = Math.floor((part - exactBelow) / partsPerDoubling);
  const width = 2 ** (doubling + 1);
  return (partsPerDoubling + ((part - exactBelow) % partsPerDoubling)) * width + width / 2;
}
