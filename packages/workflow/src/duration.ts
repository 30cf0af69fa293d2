/** Durations as people write them in a workflow file: `500ms`, `30s`, `10m`, `2h`. */

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The longest that fits the timers of Node.js (2^31 ms), rounded down to something one can say. */
export const longestDurationMs = 500 * 3_600_000;

/** Undefined for what is no duration, for zero and for more than 500 hours. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = /^([0-9]{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  const milliseconds = Number(count) * (units[unit ?? ''] ?? Number.NaN);
  return milliseconds > 0 && milliseconds <= longestDurationMs ? milliseconds : undefined;
}

/** What was probably meant by something that is no duration: `10` is `10s`, `1.5h` is `90m`, `10 min` is `10m`. */
export function suggestDuration(value: unknown): string | undefined {
  const [, count, word = ''] = /^\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*$/.exec(String(value)) ?? [];
  const unit = word === '' ? 's' : unitOf(word.toLowerCase());
  if (count === undefined || unit === undefined) return undefined;
  const milliseconds = Number(count) * (units[unit] ?? 0);
  if (!Number.isInteger(milliseconds) || milliseconds <= 0 || milliseconds > longestDurationMs) return undefined;
  if (Number.isInteger(Number(count))) return `${Number(count)}${unit}`;
  const [largest] = ['h', 'm', 's', 'ms'].filter((name) => milliseconds % (units[name] ?? 1) === 0);
  return `${milliseconds / (units[largest ?? 'ms'] ?? 1)}${largest}`;
}

function unitOf(word: string): string | undefined {
  if (/^(ms|msecs?|millis|milliseconds?)$/.test(word)) return 'ms';
  if (/^(s|secs?|seconds?)$/.test(word)) return 's';
  if (/^(m|mins?|minutes?)$/.test(word)) return 'm';
  if (/^(h|hrs?|hours?)$/.test(word)) return 'h';
  return undefined;
}
