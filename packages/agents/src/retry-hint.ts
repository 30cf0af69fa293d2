/**
 * When a model API says that another try makes sense. Providers say it in a dozen ways; the most exact one counts.
 *
 * Source: the official clients of Anthropic and OpenAI read `retry-after-ms` before `retry-after`; the reset headers are
 * in the providers' pages on rate limits.
 */

/**
 * Milliseconds from `nowMs` until another try makes sense; undefined where the response does not say.
 * @param header the value of a response header, by its lower-case name
 */
export function retryHintMs(header: (name: string) => string | undefined, nowMs: number): number | undefined {
  const milliseconds = numberIn(header('retry-after-ms'));
  if (milliseconds !== undefined) return milliseconds;
  const after = header('retry-after');
  const wait = momentMs(after, nowMs);
  if (wait !== undefined) return wait;
  // Several budgets may be used up; a try before the last of them has filled again is in vain.
  const resets = resetHeaders.flatMap((name) => {
    const remaining = header(name.replace('reset', 'remaining'));
    const reset = momentMs(header(name), nowMs);
    return reset === undefined || (remaining !== undefined && Number(remaining) > 0) ? [] : [reset];
  });
  return resets.length === 0 ? undefined : Math.max(...resets);
}

/** What `x-should-retry` demands; undefined where it is not there. */
export function shouldRetry(header: (name: string) => string | undefined): boolean | undefined {
  const said = header('x-should-retry');
  return said === 'true' ? true : said === 'false' ? false : undefined;
}

/** Milliseconds of a duration as Go and Google write it: `1.5s`, `6m0s`, `120ms`. */
export function durationMs(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    sum += Number(count) * (unitsMs[unit ?? ''] ?? 0);
  }
  return sum;
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const resetHeaders = [
  ...['x-ratelimit-reset', 'x-ratelimit-reset-requests', 'x-ratelimit-reset-tokens', 'ratelimit-reset'],
  ...['anthropic-ratelimit-requests-reset', 'anthropic-ratelimit-tokens-reset'],
  ...['anthropic-ratelimit-input-tokens-reset', 'anthropic-ratelimit-output-tokens-reset'],
];

/** Seconds, a duration, a date, or (above any sensible wait) a moment since 1970 in seconds or milliseconds. */
function momentMs(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined || text === '') return undefined;
  const number = numberIn(text);
  if (number !== undefined) {
    if (number > 1e11) return Math.max(0, number - nowMs);
    return number > 1e8 ? Math.max(0, number * 1000 - nowMs) : number * 1000;
  }
  const duration = durationMs(text);
  if (duration !== undefined) return duration;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+(?:\.\d+)?$/.test(text.trim()) ? Number(text) : undefined;
}
