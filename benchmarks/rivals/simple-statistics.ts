import { median, quantile, sampleWithReplacement } from 'simple-statistics';

/** A percentile bootstrap of the median, put together from what the library has. */
export function medianInterval(values: number[], resamples: number, random: () => number) {
  const draws = Array.from({ length: resamples }, () => median(sampleWithReplacement(values, values.length, random)));
  return { estimate: median(values), low: quantile(draws, 0.025), high: quantile(draws, 0.975) };
}
