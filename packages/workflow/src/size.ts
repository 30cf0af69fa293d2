/** Sizes as people write them in a workflow file: `512KiB`, `100MiB`, `2GiB`. */

const units: Readonly<Record<string, number>> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** Bytes; undefined for what is no size, and for zero. */
export function parseSize(text: string): number | undefined {
  const [, count, unit] = /^([0-9]{1,9})(KiB|MiB|GiB)$/.exec(text) ?? [];
  const bytes = Number(count) * (units[unit ?? ''] ?? Number.NaN);
  return bytes > 0 ? bytes : undefined;
}

/** What was probably meant by something that is no size: `512` is `512MiB`, `2gb` and `2 G` are `2GiB`, `1.5GiB` is `1536MiB`. */
export function suggestSize(value: unknown): string | undefined {
  const [, count, word = ''] = /^\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*$/.exec(String(value)) ?? [];
  const unit = word === '' ? 'MiB' : unitOf(word.toLowerCase());
  if (count === undefined || unit === undefined) return undefined;
  const smaller = { GiB: 'MiB', MiB: 'KiB', KiB: 'B' }[unit];
  const text = Number.isInteger(Number(count)) ? `${Number(count)}${unit}` : `${Number(count) * 1024}${smaller}`;
  return parseSize(text) === undefined ? undefined : text;
}

function unitOf(word: string): 'KiB' | 'MiB' | 'GiB' | undefined {
  if (/^(k|kb|kib)$/.test(word)) return 'KiB';
  if (/^(m|mb|mib)$/.test(word)) return 'MiB';
  if (/^(g|gb|gib)$/.test(word)) return 'GiB';
  return undefined;
}
