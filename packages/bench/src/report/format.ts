/** How figures are written, the same in every report: three significant digits, a unit that fits. */
import type { Interval } from '../stats.ts';

export function formatDuration(nanoseconds: number): string {
  if (nanoseconds < 1e3) return `${threeDigits(nanoseconds)} ns`;
  if (nanoseconds < 1e6) return `${threeDigits(nanoseconds / 1e3)} µs`;
  if (nanoseconds < 1e9) return `${threeDigits(nanoseconds / 1e6)} ms`;
  return `${threeDigits(nanoseconds / 1e9)} s`;
}

export function formatMebibytes(bytes: number): string {
  return `${threeDigits(bytes / 2 ** 20)} MiB`;
}

/** `2.50× (2.41–2.63)` */
export function formatRatio({ estimate, low, high }: Interval): string {
  return `${threeDigits(estimate)}× (${threeDigits(low)}–${threeDigits(high)})`;
}

/** `5 µs`: a tick of an axis, without digits that only say zero. */
export function formatDurationTick(nanoseconds: number): string {
  return formatDuration(nanoseconds)
    .replace(/(\.\d*?)0+(?= )/, '$1')
    .replace('. ', ' ');
}

/** `2.5×`, as short as it is exact to three digits: for the ticks of an axis. */
export function formatTimes(times: number): string {
  return `${Number(times.toPrecision(3)).toLocaleString('en', { maximumSignificantDigits: 3 })}×`;
}

/** `+3.1 % (+1.0 to +5.2)` */
export function formatChange({ estimate, low, high }: Interval): string {
  return `${percent(estimate)} % (${percent(low)} to ${percent(high)})`;
}

/** Columns of equal width, two spaces apart; numbers at the right edge where `alignRight` says so. */
export function formatColumns(rows: readonly (readonly string[])[], alignRight: readonly boolean[]): readonly string[] {
  const widths = rows.reduce<readonly number[]>(
    (widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return alignRight[column] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

function threeDigits(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const digits = Number(value.toPrecision(3));
  if (digits >= 100) return digits.toLocaleString('en');
  return digits >= 10 ? digits.toFixed(1) : digits.toFixed(2);
}

function percent(ratio: number): string {
  const change = (ratio - 1) * 100;
  return `${change < 0 ? '−' : '+'}${Math.abs(change).toFixed(1)}`;
}
