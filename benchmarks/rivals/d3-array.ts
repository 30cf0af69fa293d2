import { median, quantile } from 'd3-array';

/** A percentile bootstrap of the median, put together from what the library has. */
export function medianInterval(values: number[], resamples: number, random: () => number) {
  const draw = () => values[Math.floor(random() * values.length)] ?? Number.NaN;
  const draws = Array.from({ length: resamples }, () => median(values.map(draw)) ?? Number.NaN);
  const end = (share: number) => quantile(draws, share) ?? Number.NaN;
  return { estimate: median(values) ?? Number.NaN, low: end(0.025), high: end(0.975) };
}
