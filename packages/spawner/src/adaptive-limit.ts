/**
 * How many calls to have under way at once when nobody says how many are allowed. Pure: samples go in, a limit comes out.
 *
 * Two forces. A gradient of latency: while calls take no longer than they did at their best, the limit grows; as they queue
 * somewhere, it falls back in proportion. And plain signals: a rate limit, a full memory, a blocked event loop cut it at once.
 */

export interface AdaptiveLimitOptions {
  /** @default 4 */
  readonly initial?: number;
  /** @default 1 */
  readonly minimum?: number;
  /** @default 256 */
  readonly maximum?: number;
  /** How much slower than at its best a call may be before the limit stops growing. @default 1.5 */
  readonly tolerance?: number;
  /** What is left of the limit after a signal. @default 0.85 */
  readonly backOff?: number;
  /** Share of memory in use, and delay of the event loop, from which a sample counts as a signal. @default 0.9 and 100 */
  readonly maxMemoryShare?: number;
  readonly maxEventLoopDelayMs?: number;
}

export interface LimitSample {
  readonly latencyMs: number;
  /** Calls under way while this one was, itself included. */
  readonly inFlight: number;
  /** It was refused for being one too many (HTTP 429, 529). */
  readonly rateLimited?: boolean;
  readonly memoryShare?: number;
  readonly eventLoopDelayMs?: number;
}

/**
 * Source: the gradient is that of Netflix's concurrency-limits (Gradient2Limit), the cut that of TCP's additive increase,
 * multiplicative decrease; after a cut growth slows near where it happened, as CUBIC's does.
 */
export class AdaptiveLimit {
  readonly #options: Required<AdaptiveLimitOptions>;
  #limit: number;
  #bestMs: number | undefined;
  /** Where the last refusal came. */
  #ceiling = Infinity;
  /** Samples of calls that began before the last cut: they tell of the limit that was. */
  #stale = 0;

  constructor(options: AdaptiveLimitOptions = {}) {
    this.#options = resolveLimitOptions(options);
    this.#limit = this.#options.initial;
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Takes in how one call went. Cost: constant. */
  sample(sample: LimitSample): void {
    const { maxMemoryShare, maxEventLoopDelayMs } = this.#options;
    const { latencyMs, inFlight, rateLimited = false, memoryShare = 0, eventLoopDelayMs = 0 } = sample;
    if (!(latencyMs >= 0)) throw new RangeError(`latencyMs must be at least 0, got ${latencyMs}`);
    const strained = memoryShare > maxMemoryShare || eventLoopDelayMs > maxEventLoopDelayMs;
    const stale = this.#stale > 0;
    if (stale) this.#stale -= 1;
    if (rateLimited || strained) {
      if (!stale) this.#cut(inFlight, rateLimited);
      return;
    }
    this.#bestMs = Math.min(this.#bestMs ?? latencyMs, latencyMs) * 0.999 + latencyMs * 0.001;
    // A limit that nobody makes use of has not been tried.
    if (!stale && inFlight * 2 >= this.#limit) this.#move(latencyMs);
  }

  #cut(inFlight: number, rateLimited: boolean): void {
    if (rateLimited) this.#ceiling = this.#limit;
    this.#set(Math.min(this.#limit, Math.max(inFlight, 1)) * this.#options.backOff);
    this.#stale = Math.max(0, inFlight - 1);
  }

  #move(latencyMs: number): void {
    const best = this.#bestMs ?? latencyMs;
    const gradient = latencyMs === 0 ? 1 : (this.#options.tolerance * best) / latencyMs;
    if (gradient < 1) {
      this.#set(this.#limit - (this.#limit * (1 - Math.max(0.5, gradient))) / 8);
      return;
    }
    // Doubles in a round of calls until a ceiling is known, then approaches it, and slowly looks whether it has moved.
    const room = this.#ceiling - this.#limit;
    const step = room === Infinity ? 1 : room > 0 ? Math.max(room / 8, 0.2) : 0.2;
    this.#set(this.#limit + Math.min(1, step) / (room === Infinity ? 1 : Math.sqrt(this.#limit)));
    if (this.#limit > this.#ceiling * 1.3) this.#ceiling = Infinity;
  }

  #set(limit: number): void {
    this.#limit = Math.min(this.#options.maximum, Math.max(this.#options.minimum, limit));
  }
}

function resolveLimitOptions(options: AdaptiveLimitOptions): Required<AdaptiveLimitOptions> {
  const { initial = 4, minimum = 1, maximum = 256, tolerance = 1.5, backOff = 0.85 } = options;
  const { maxMemoryShare = 0.9, maxEventLoopDelayMs = 100 } = options;
  if (!(minimum >= 1 && initial >= minimum && maximum >= initial && maximum < Infinity)) {
    throw new RangeError(
      `1 <= minimum <= initial <= maximum < Infinity must hold, got minimum ${minimum}, initial ${initial}, maximum ${maximum}`,
    );
  }
  if (!(tolerance >= 1)) throw new RangeError(`tolerance must be at least 1, got ${tolerance}`);
  if (!(backOff > 0 && backOff < 1)) throw new RangeError(`backOff must be between 0 and 1, got ${backOff}`);
  return Object.freeze({ initial, minimum, maximum, tolerance, backOff, maxMemoryShare, maxEventLoopDelayMs });
}
