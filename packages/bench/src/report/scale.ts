/** From a figure to its place on an axis, in per cent, so that a chart fits any width without being redrawn. */

export interface Scale {
  readonly isLogarithmic: boolean;
  readonly ticks: readonly number[];
  /** Per cent from the start of the axis. */
  place(value: number): number;
}

/** From just below the least to just above the greatest value; logarithmic once they are 5 times apart. */
export function fitScale(values: readonly number[], maxTicks = 5): Scale {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  if (least > 0 && greatest / least >= 5) return logScale(values, maxTicks);
  const margin = (greatest - least) * 0.06;
  const room = margin > 0 ? margin : Math.abs(greatest) * 0.05 + Number.MIN_VALUE;
  const [from, to] = [least - room, greatest + room];
  return {
    isLogarithmic: false,
    ticks: roundTicks(from, to, maxTicks),
    place: (value) => ((value - from) / (to - from)) * 100,
  };
}

/** @param values  all above 0 */
export function logScale(values: readonly number[], maxTicks = 5): Scale {
  const [from, to] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
  const room = Math.max((to - from) * 0.05, 0.1);
  const [start, end] = [from - room, to + room];
  return {
    isLogarithmic: true,
    ticks: logTicks(Math.exp(start), Math.exp(end), maxTicks),
    place: (value) => ((Math.log(value) - start) / (end - start)) * 100,
  };
}

function roundTicks(from: number, to: number, maxTicks: number): readonly number[] {
  const rough = (to - from) / maxTicks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const count = Math.floor(to / step) - Math.ceil(from / step) + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => (Math.ceil(from / step) + index) * step);
}

/** Powers of ten, with 2 and 5 between where there is room; few enough to be read. */
function logTicks(from: number, to: number, maxTicks: number): readonly number[] {
  const first = Math.floor(Math.log10(from));
  const last = Math.ceil(Math.log10(to));
  const within = (factors: readonly number[]) =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index)
      .flatMap((power) => factors.map((factor) => factor * 10 ** power))
      .filter((tick) => tick >= from && tick <= to);
  const finest = [[1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]].map(within);
  const fitting = finest.find((ticks) => ticks.length <= maxTicks) ?? finest.at(-1) ?? [];
  const every = Math.ceil(fitting.length / maxTicks);
  return fitting.filter((_, index) => index % every === 0);
}
