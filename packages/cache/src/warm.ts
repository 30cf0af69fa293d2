/** Fills the nearest tier before anyone asks. */
import type { GetOptions, GetOrSetOptions } from './cache-options.ts';

export interface WarmOptions<T> extends Omit<GetOrSetOptions<T>, 'staleWhileRevalidateMs' | 'staleIfErrorMs'> {
  /** Keys at once. @default 8 */
  readonly concurrency?: number;
}

export interface WarmReport {
  /** Keys that are there now. */
  readonly present: number;
  /** Of those, the ones that were computed for it. */
  readonly computed: number;
  /** Keys that no tier had, without a `compute`. */
  readonly missing: number;
  readonly failed: number;
  /** The first hundred of them. */
  readonly failures: readonly { readonly key: string; readonly error: unknown }[];
}

interface Warmable {
  get(key: string, options?: GetOptions): Promise<unknown>;
  getOrSet<T>(
    key: string,
    compute: (context: { readonly signal: AbortSignal }) => Promise<T> | T,
    options?: GetOrSetOptions<T>,
  ): Promise<T>;
}

const maxFailures = 100;

/** @throws {RangeError} naming `concurrency`; the signal's reason; what the iteration of the keys throws */
export async function warmKeys<T>(
  cache: Warmable,
  keys: Iterable<string> | AsyncIterable<string>,
  compute: ((key: string, context: { readonly signal: AbortSignal }) => Promise<T> | T) | undefined,
  options: WarmOptions<T>,
): Promise<WarmReport> {
  const { concurrency = 8, ...callOptions } = options;
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new RangeError(`Expected concurrency to be a whole number of at least 1, got ${concurrency}`);
  }
  const counts = { present: 0, computed: 0, missing: 0, failed: 0 };
  const failures: { key: string; error: unknown }[] = [];
  const underWay = new Set<Promise<void>>();

  try {
    for await (const key of keys) {
      options.signal?.throwIfAborted();
      const one = warmOne(key).finally(() => underWay.delete(one));
      underWay.add(one);
      if (underWay.size >= concurrency) await Promise.race(underWay);
    }
  } finally {
    await Promise.all(underWay);
  }
  options.signal?.throwIfAborted();
  return { ...counts, failures };

  async function warmOne(key: string): Promise<void> {
    try {
      if (compute === undefined) {
        const { signal } = options;
        const found = await cache.get(key, signal === undefined ? {} : { signal });
        counts[found === undefined ? 'missing' : 'present'] += 1;
        return;
      }
      let computed = 0;
      await cache.getOrSet<T>(
        key,
        (context) => {
          computed = 1;
          return compute(key, context);
        },
        callOptions,
      );
      counts.computed += computed;
      counts.present += 1;
    } catch (error) {
      counts.failed += 1;
      if (failures.length < maxFailures) failures.push({ key, error });
    }
  }
}
