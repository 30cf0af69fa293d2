import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import { openDiskStore } from './disk.ts';
import { CacheError, type StoreUnavailableError, UnsupportedValueError } from './errors.ts';
import { memoryStore } from './memory.ts';
import type { StoredEntry } from './store.ts';
import { faultyStore } from './testing.ts';

const secret = Buffer.alloc(32, 7);
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cadre-cache-'));
});

afterEach(() => rm(directory, { recursive: true }));

async function openCache(options: CacheOptions = {}) {
  return createCache({ stores: [memoryStore(), await openDiskStore({ directory })], secrets: [secret], ...options });
}

function manualClock(nowMs = Date.UTC(2026, 0, 1)) {
  const clock = { nowMs, now: () => clock.nowMs };
  return clock;
}

function gate<T = void>() {
  let open: (value: T) => void = () => undefined;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

describe('createCache', () => {
  test.for<[string, CacheOptions]>([
    ['namespace', { namespace: '' }],
    ['namespace', { namespace: 'a\0b' }],
    ['stores', { stores: [] }],
    ['stores', { stores: [memoryStore(), memoryStore()] }],
    ['ttlMs', { ttlMs: -1 }],
    ['ttlMs', { ttlMs: Number.NaN }],
    ['secrets', { secrets: [] }],
    ['secrets[0]', { secrets: [Buffer.alloc(31)] }],
  ])('refuses an unusable %s by name', ([option, options]) => {
    expect(() => createCache(options)).toThrow(option);
  });

  test('refuses to keep entries outside the process without a secret', async () => {
    const disk = await openDiskStore({ directory });
    expect(() => createCache({ stores: [disk] })).toThrow(/secrets.*'disk'/);
    await disk.close();
  });
});

describe('Cache.getOrSet', () => {
  test('computes once for 1,000 concurrent callers', async () => {
    await using cache = await openCache();
    const { opened, open } = gate();
    let computations = 0;
    const callers = Array.from({ length: 1_000 }, () =>
      cache.getOrSet('key', async () => {
        computations += 1;
        await opened;
        return { answer: 42 };
      }),
    );
    open();
    const values = await Promise.all(callers);
    expect(new Set(values).size).toBe(1);
    expect(values[0]).toEqual({ answer: 42 });
    expect(computations).toBe(1);
    expect(cache.stats()).toMatchObject({ computations: 1, coalesced: 999, misses: 1, hits: 0 });
  });

  test('finds in a new process of the same directory what an earlier one computed', async () => {
    await using first = await openCache();
    await first.getOrSet('key', () => 'paid');
    await using second = await openCache();
    expect(await second.getOrSet('key', () => expect.unreachable())).toBe('paid');
    expect(second.stats().tiers.map(({ name, hits, misses }) => [name, hits, misses])).toEqual([
      ['memory', 0, 1],
      ['disk', 1, 0],
    ]);
    expect(second.peek('key')).toBe('paid');
  });

  test('gives every caller the same frozen value, whoever computed it', async () => {
    await using cache = await openCache();
    const value = await cache.getOrSet('key', () => ({ files: [{ name: 'a' }] }));
    expect(() => value.files.push({ name: 'b' })).toThrow(TypeError);
    expect(await cache.get('key')).toBe(value);
    expect(cache.peek('key')).toBe(value);
  });

  test('gives each caller a copy of a value that cannot be frozen', async () => {
    await using cache = await openCache();
    const compute = () => ({ at: new Date(5), bytes: Buffer.from('abc') });
    const [first, second] = await Promise.all([cache.getOrSet('key', compute), cache.getOrSet('key', compute)]);
    first.bytes.fill(0);
    expect(second).toEqual(compute());
    expect(await cache.get('key')).toEqual(compute());
    expect(cache.stats().computations).toBe(1);
  });

  test('does not keep a failure, and tells it to all who waited', async () => {
    await using cache = await openCache();
    const failing = () => Promise.reject(new Error('no'));
    const results = await Promise.allSettled([cache.getOrSet('key', failing), cache.getOrSet('key', failing)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await cache.getOrSet('key', () => 1)).toBe(1);
    expect(cache.stats()).toMatchObject({ computations: 2, failedComputations: 1, coalesced: 1 });
  });

  test('returns and does not keep what cacheIf excludes', async () => {
    await using cache = await openCache();
    const value = { status: 'failed' };
    const options = { cacheIf: ({ status }: { status: string }) => status === 'succeeded' };
    expect(await cache.getOrSet('key', () => value, options)).toBe(value);
    expect(await cache.get('key')).toBeUndefined();
  });

  test('rejects a computed undefined, naming the code', async () => {
    await using cache = await openCache();
    await expect(cache.getOrSet('key', () => undefined)).rejects.toMatchObject({ code: 'CACHE_VALUE_UNSUPPORTED' });
  });

  test('lets one waiter abort alone', async () => {
    await using cache = await openCache();
    const { opened, open } = gate<string>();
    const abort = new AbortController();
    let computeSignal: AbortSignal | undefined;
    const leaving = cache.getOrSet(
      'key',
      ({ signal }) => {
        computeSignal = signal;
        return opened;
      },
      { signal: abort.signal },
    );
    const staying = cache.getOrSet('key', () => expect.unreachable());
    abort.abort(new Error('had enough'));
    await expect(leaving).rejects.toThrow('had enough');
    expect(computeSignal?.aborted).toBe(false);
    open('value');
    expect(await staying).toBe('value');
  });

  test('aborts the computation when the last waiter leaves, and begins anew for the next caller', async () => {
    await using cache = await openCache();
    const first = new AbortController();
    const second = new AbortController();
    const aborted = gate<unknown>();
    const compute = ({ signal }: { signal: AbortSignal }) =>
      new Promise<string>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted.open(signal.reason);
          reject(signal.reason);
        });
      });
    const waiting = [
      cache.getOrSet('key', compute, { signal: first.signal }),
      cache.getOrSet('key', compute, { signal: second.signal }),
    ];
    first.abort('one');
    await expect(waiting[0]).rejects.toBe('one');
    second.abort('two');
    await expect(waiting[1]).rejects.toBe('two');
    expect(await aborted.opened).toBe('two');
    expect(await cache.getOrSet('key', () => 'anew')).toBe('anew');
    expect(cache.stats().computations).toBe(2);
  });

  test('does nothing for a signal that has already aborted', async () => {
    await using cache = await openCache();
    const signal = AbortSignal.abort(new Error('before'));
    await expect(cache.getOrSet('key', () => 1, { signal })).rejects.toThrow('before');
    expect(cache.stats().computations).toBe(0);
  });

  test('does not keep what was computed while the key was set, deleted or cleared', async () => {
    await using cache = await openCache();
    for (const overtake of [() => cache.set('key', 'newer'), () => cache.delete('key'), () => cache.clear()]) {
      await cache.clear();
      const { opened, open } = gate<string>();
      const begun = gate();
      const older = cache.getOrSet('key', () => {
        begun.open();
        return opened;
      });
      await begun.opened;
      await overtake();
      open('older');
      expect(await older).toBe('older');
      expect(await cache.get('key')).not.toBe('older');
    }
  });

  test('computes again when the time is up', async () => {
    const clock = manualClock();
    await using cache = await openCache({ clock, ttlMs: 1_000 });
    let computations = 0;
    const ask = () =>
      cache.getOrSet('key', () => {
        computations += 1;
        return computations;
      });
    expect(await ask()).toBe(1);
    clock.nowMs += 999;
    expect(await ask()).toBe(1);
    clock.nowMs += 1;
    expect(await cache.get('key')).toBeUndefined();
    expect(cache.peek('key')).toBeUndefined();
    expect(await ask()).toBe(2);
  });

  test('has no entry live for years because the clock was wrong when it was made', async () => {
    const clock = manualClock(Date.UTC(2090, 0, 1));
    await using cache = await openCache({ clock, ttlMs: 60_000 });
    await cache.set('key', 'from the future');
    clock.nowMs = Date.UTC(2026, 0, 1);
    expect(await cache.get('key')).toBeUndefined();
    expect(await cache.getOrSet('key', () => 'now')).toBe('now');
  });

  test('returns a stale value at once and computes behind it', async () => {
    const clock = manualClock();
    await using cache = await openCache({ clock, ttlMs: 1_000 });
    const options = { staleWhileRevalidateMs: 500 };
    await cache.getOrSet('key', () => 'old', options);
    clock.nowMs += 1_200;
    const { opened, open } = gate<string>();
    const begun = gate();
    const ask = () =>
      cache.getOrSet(
        'key',
        () => {
          begun.open();
          return opened;
        },
        options,
      );
    expect(await Promise.all([ask(), ask()])).toEqual(['old', 'old']);
    await begun.opened;
    expect(cache.stats()).toMatchObject({ computations: 2, staleHits: 2 });
    open('new');
    expect(await cache.getOrSet('key', () => 'not asked')).toBe('new');
    clock.nowMs += 1_500;
    expect(await cache.getOrSet('key', () => 'newest', options)).toBe('newest');
  });

  test('lets a stale value stand in for a failure, and not beyond its time', async () => {
    const clock = manualClock();
    await using cache = await openCache({ clock, ttlMs: 1_000 });
    const options = { staleIfErrorMs: 500 };
    const failing = () => Promise.reject<string>(new Error('down'));
    await cache.getOrSet('key', () => 'old', options);
    clock.nowMs += 1_499;
    expect(await cache.getOrSet('key', failing, options)).toBe('old');
    await expect(cache.getOrSet('key', failing)).rejects.toThrow('down');
    clock.nowMs += 1;
    await expect(cache.getOrSet('key', failing, options)).rejects.toThrow('down');
  });

  test('returns the value though every store fails, and reports each failure', async () => {
    const reported: StoreUnavailableError[] = [];
    const failing = faultyStore(memoryStore(), {
      fault: (operation) => (operation === 'close' ? undefined : new Error('ENOSPC: no space left on device')),
    });
    await using cache = createCache({ stores: [failing], onStoreError: (error) => reported.push(error) });
    expect(await cache.getOrSet('key', () => 'value')).toBe('value');
    expect(failing.faults).toBe(3);
    expect(cache.stats().tiers[0]?.errors).toBe(3);
    expect(reported.map(({ store, operation }) => [store, operation])).toEqual([
      ['memory', 'get'],
      ['memory', 'get'],
      ['memory', 'set'],
    ]);
  });
});

describe('Cache.set', () => {
  test('rejects when a store fails, with the cause', async () => {
    const cause = new Error('ENOSPC: no space left on device');
    const failing = faultyStore(memoryStore(), { fault: (operation) => (operation === 'set' ? cause : undefined) });
    await using cache = createCache({ stores: [failing] });
    await expect(cache.set('key', 1)).rejects.toMatchObject({ code: 'CACHE_STORE_UNAVAILABLE', cause });
  });

  test('rejects when no store takes an entry of that size', async () => {
    await using cache = createCache({ stores: [memoryStore({ maxBytes: 10_000 })] });
    await expect(cache.set('key', 'x'.repeat(9_000))).rejects.toMatchObject({ code: 'CACHE_ENTRY_TOO_LARGE' });
    expect(cache.stats().tiers[0]?.tooLarge).toBe(1);
  });

  test('keeps nothing for a ttl of 0, not even what was there', async () => {
    await using cache = await openCache();
    await cache.set('key', 'old');
    await cache.set('key', 'new', { ttlMs: 0 });
    expect(await cache.get('key')).toBeUndefined();
  });

  test('is out of reach of later changes to the given object', async () => {
    await using cache = await openCache();
    const value = { list: [1] };
    await cache.set('key', value);
    value.list.push(2);
    expect(await cache.get('key')).toEqual({ list: [1] });
  });

  test.for([
    ['$', () => 1],
    ['$["a"][1]', { a: [1, Symbol('s')] }],
    ['$["a"]', { a: new Map() }],
    ['$["when"]', { when: new Date(Number.NaN) }],
    ['$["n"]', { n: 2n ** 64n }],
  ] as const)('refuses what would not come back, naming %s', async ([path, value]) => {
    await using cache = createCache();
    const error: unknown = await cache.set('key', value).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(UnsupportedValueError);
    expect(error).toMatchObject({ path, code: 'CACHE_VALUE_UNSUPPORTED' });
  });
});

describe('Cache.delete and Cache.clear', () => {
  test('delete removes from every tier and says whether there was one', async () => {
    await using cache = await openCache();
    await cache.set('key', 1);
    expect(await cache.delete('key')).toBe(true);
    expect(await cache.delete('key')).toBe(false);
    expect(await cache.get('key')).toBeUndefined();
  });

  test('clear leaves another namespace of the same directory alone', async () => {
    await using one = await openCache({ namespace: 'one' });
    await using two = await openCache({ namespace: 'two' });
    await one.set('key', 1);
    await two.set('key', 2);
    await one.clear();
    expect([await one.get('key'), await two.get('key')]).toEqual([undefined, 2]);
  });
});

describe('Cache.close', () => {
  test('waits for what is computing, keeps it, and refuses new calls', async () => {
    const cache = await openCache();
    const { opened, open } = gate<string>();
    const computing = cache.getOrSet('key', () => opened);
    const closing = cache.close();
    await expect(cache.get('key')).rejects.toMatchObject({ code: 'CACHE_CLOSED' });
    expect(() => cache.peek('key')).toThrow(CacheError);
    open('late');
    expect(await computing).toBe('late');
    await closing;
    await cache.close();
    await cache[Symbol.asyncDispose]();
    await using reopened = await openCache();
    expect(await reopened.get('key')).toBe('late');
  });

  test('aborts what is computing when its signal says so', async () => {
    const cache = await openCache();
    const begun = gate();
    const computing = cache.getOrSet(
      'key',
      ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          begun.open();
        }),
    );
    const abort = new AbortController();
    const closing = cache.close({ signal: abort.signal });
    await begun.opened;
    abort.abort();
    await expect(computing).rejects.toMatchObject({ code: 'CACHE_CLOSED' });
    await closing;
  });
});

describe('a store that takes its time', () => {
  /** Holds back every answer of the disk until it is told to go on. */
  async function slowCache() {
    const store = await openDiskStore({ directory });
    const held: (() => void)[] = [];
    const hold = <T>(answer: () => T) =>
      new Promise<Awaited<T>>((resolve) => held.push(() => resolve(answer() as Awaited<T>)));
    const slow = {
      ...faultyStore(store, { fault: () => undefined }),
      get: (namespace: string, key: string) => {
        const found = store.get(namespace, key);
        return hold(() => found);
      },
      set: (namespace: string, key: string, entry: StoredEntry) => hold(() => store.set(namespace, key, entry)),
    };
    const cache = createCache({ stores: [memoryStore(), slow], secrets: [secret] });
    return { cache, held, store };
  }

  async function settle<T>(held: (() => void)[], promise: Promise<T>): Promise<T> {
    let done = false;
    const settled = promise.finally(() => {
      done = true;
    });
    while (!done) {
      held.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return settled;
  }

  test('does not bring back over a newer value the older one it was asked for before', async () => {
    await using earlier = await openCache();
    await earlier.set('key', 'older');
    const { cache, held } = await slowCache();
    const reading = cache.get('key');
    const writing = cache.set('key', 'newer');
    expect(held).toHaveLength(2);
    held.shift()?.();
    expect(await reading).toBe('older');
    await settle(held, writing);
    expect(cache.peek('key')).toBe('newer');
    await cache.close();
  });

  test('keeps the value that was set last though the one before arrives later', async () => {
    const { cache, held } = await slowCache();
    const first = cache.set('key', 'first');
    const second = cache.set('key', 'second');
    expect(held).toHaveLength(1);
    await settle(held, Promise.all([first, second]));
    await cache.close();
    await using reopened = await openCache();
    expect(await reopened.get('key')).toBe('second');
  });

  test('computes once for callers whose lookups overlap', async () => {
    const { cache, held } = await slowCache();
    const callers = Array.from({ length: 10 }, (_, index) => cache.getOrSet('key', () => index));
    expect(new Set(await settle(held, Promise.all(callers)))).toEqual(new Set([0]));
    expect(cache.stats()).toMatchObject({ computations: 1, coalesced: 9 });
    await cache.close();
  });

  test('lets a caller who accepts stale values leave during the lookup', async () => {
    const { cache, held } = await slowCache();
    const abort = new AbortController();
    const asking = cache.getOrSet('key', () => 1, { staleIfErrorMs: 1_000, signal: abort.signal });
    abort.abort(new Error('left'));
    await expect(asking).rejects.toThrow('left');
    expect(cache.stats().computations).toBe(0);
    held.shift()?.();
    await cache.close();
  });
});
