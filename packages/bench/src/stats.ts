/**
 * Medians and intervals that need no assumption about the shape of the noise. Everything is repeatable: the bootstrap
 * draws from a seeded generator.
 *
 * Source: Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979 (percentile interval).
 */

/** An estimate and the range that holds the true value with the stated confidence. */
export interface Interval {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** Between 0 and 1. @default 0.95 */
  readonly confidence?: number;
  /** @default 4000 */
  readonly resamples?: number;
  /** @default 1 */
  readonly seed?: number;
}

/** @throws {RangeError} for an empty list, which has no median */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear between the two nearest values (Hyndman and Fan's type 7, the default of R and NumPy). */
export function quantile(values: readonly number[], share: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), share);
}

/** The median of one sample, with its bootstrap interval. Give it paired ratios to compare two variants of one run. */
export function medianInterval(values: readonly number[], options: BootstrapOptions = {}): Interval {
  const random = seededRandom(options.seed ?? 1);
  return percentileInterval(median(values), medianResampler(values, random), options);
}

/** `median(numerators) / median(denominators)` of two samples that are not paired, with its bootstrap interval. */
export function medianRatioInterval(
  numerators: readonly number[],
  denominators: readonly number[],
  options: BootstrapOptions = {},
): Interval {
  const random = seededRandom(options.seed ?? 1);
  const numerator = medianResampler(numerators, random);
  const denominator = medianResampler(denominators, random);
  return percentileInterval(median(numerators) / median(denominators), () => numerator() / denominator(), options);
}

/**
 * An interval, and how far the evidence goes: the share of resamples that are at or below, and at or above, a limit. A
 * share is a one-sided p-value of the bootstrap; never 0, since a finite number of resamples can't show that.
 */
export interface Evidence extends Interval {
  atOrBelow(limit: number): number;
  atOrAbove(limit: number): number;
}

/** `medianInterval`, with what is needed to test its median against a limit. */
export function medianEvidence(values: readonly number[], options: BootstrapOptions = {}): Evidence {
  const random = seededRandom(options.seed ?? 1);
  return toEvidence(median(values), medianResampler(values, random), options);
}

/** `medianRatioInterval`, with what is needed to test the ratio against a limit. */
export function medianRatioEvidence(
  numerators: readonly number[],
  denominators: readonly number[],
  options: BootstrapOptions = {},
): Evidence {
  const random = seededRandom(options.seed ?? 1);
  const numerator = medianResampler(numerators, random);
  const denominator = medianResampler(denominators, random);
  return toEvidence(median(numerators) / median(denominators), () => numerator() / denominator(), options);
}

/** Element by element; what two variants share in a round (clock speed, a busy neighbour) cancels out. */
export function pairedRatios(numerators: readonly number[], denominators: readonly number[]): readonly number[] {
  if (numerators.length !== denominators.length) {
    throw new RangeError(`Pairs need equal lengths, not ${numerators.length} and ${denominators.length}.`);
  }
  return numerators.map((numerator, index) => numerator / (denominators[index] ?? Number.NaN));
}

/** Uniform numbers in [0, 1), always the same for a seed. Source: mulberry32, Tommy Ettinger, public domain. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function percentileInterval(estimate: number, draw: () => number, options: BootstrapOptions): Interval {
  const { low, high } = toEvidence(estimate, draw, options);
  return { estimate, low, high };
}

function toEvidence(estimate: number, draw: () => number, options: BootstrapOptions): Evidence {
  const { confidence = 0.95, resamples = 4000 } = options;
  if (!(confidence > 0 && confidence < 1))
    throw new RangeError(`confidence must be between 0 and 1, not ${confidence}.`);
  const draws = Float64Array.from({ length: resamples }, draw).sort();
  const tail = (1 - confidence) / 2;
  const share = (holds: (drawn: number) => boolean) => (1 + draws.filter(holds).length) / (1 + resamples);
  return {
    estimate,
    low: quantileOfSorted(draws, tail),
    high: quantileOfSorted(draws, 1 - tail),
    atOrBelow: (limit) => share((drawn) => !(drawn > limit)),
    atOrAbove: (limit) => share((drawn) => !(drawn < limit)),
  };
}

/** Draws the medians of resamples; thousands of them make one interval, so the room for a resample is made once. */
function medianResampler(values: readonly number[], random: () => number): () => number {
  const drawn = new Float64Array(values.length);
  return () => {
    for (let index = 0; index < drawn.length; index += 1) {
      drawn[index] = values[Math.floor(random() * values.length)] ?? Number.NaN;
    }
    return quantileOfSorted(sortInPlace(drawn), 0.5);
  };
}

/** Short lists, as rounds are, are sorted by insertion: calling the built-in sort takes longer than sorting them. */
function sortInPlace(list: Float64Array): Float64Array {
  if (list.length > 32) return list.sort();
  for (let end = 1; end < list.length; end += 1) {
    const value = list[end] ?? Number.NaN;
    let place = end;
    for (; place > 0 && (list[place - 1] ?? Number.NaN) > value; place -= 1)
      list[place] = list[place - 1] ?? Number.NaN;
    list[place] = value;
  }
  return list;
}

function quantileOfSorted(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) throw new RangeError('An empty list has no quantiles.');
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position % 1);
}
