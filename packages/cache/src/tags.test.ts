import { describe, expect, test } from 'vitest';
import { type MapStore, mapStore } from '../test/map-store.ts';
import { createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import { memoryStore } from './memory.ts';
import { faultyStore } from './testing.ts';

const secrets = [Buffer.alloc(32, 7)];

function openCache(shared: MapStore, options: CacheOptions = {}) {
  return createCache({ stores: [memoryStore(), shared], secrets, ...options });
}

describe('Cache.deleteByTag', () => {
  test('ends every entry with the tag and no other, in memory alone', async () => {
    const cache = createCache();
    await cache.set('a', 1, { tags: ['odd', 'number'] });
    await cache.set('b', 2, { tags: ['even', 'number'] });
    await cache.set('c', 3, { tags: ['odd'] });
    await cache.set('d', 4);
    await cache.deleteByTag('odd');
    expect(['a', 'b', 'c', 'd'].map((key) => cache.peek(key))).toEqual([undefined, 2, undefined, 4]);
    expect(await cache.get('a')).toBeUndefined();
    expect(cache.stats().tiers[0]).toMatchObject({ invalidated: 1, entries: 3 });
    await cache.set('a', 5, { tags: ['odd'] });
    expect([cache.peek('a'), await cache.get('c')]).toEqual([5, undefined]);
    await cache.close();
  });

  // Asking its own memory alone, the second cache went on with the deleted value.
  test('is seen at once by another cache that shares a tier, though the entry is in its memory', async () => {
    const shared = mapStore();
    const [one, two] = [openCache(shared), openCache(shared)];
    await one.set('key', 'value', { tags: ['tag'] });
    expect(await two.get('key')).toBe('value');
    expect(two.peek('key')).toBe('value');
    await one.deleteByTag('tag');
    expect(await two.getOrSet('key', () => 'anew', { tags: ['tag'] })).toBe('anew');
    expect(await one.get('key')).toBe('anew');
  });

  test('is seen after tagCheckMs at the latest, and costs no look at the shared tier before', async () => {
    const shared = mapStore();
    const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs };
    const looks = { get: 0 };
    const counting = faultyStore(shared, {
      fault: (operation) => {
        if (operation === 'get') looks.get += 1;
        return undefined;
      },
    });
    const one = openCache(shared);
    const two = createCache({ stores: [memoryStore(), counting], secrets, clock, tagCheckMs: 1_000 });
    await two.set('key', 'value', { tags: ['tag'] });
    looks.get = 0;
    for (let look = 0; look < 100; look += 1) expect(await two.get('key')).toBe('value');
    expect(looks.get).toBe(0);
    await one.deleteByTag('tag');
    expect(await two.get('key')).toBe('value');
    clock.nowMs += 1_000;
    expect(await two.get('key')).toBeUndefined();
  });

  test('ends what is being computed with the tag, which is returned and not kept', async () => {
    const cache = openCache(mapStore());
    let finish: (value: string) => void = () => undefined;
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const computing = cache.getOrSet(
      'key',
      () => {
        begin();
        return new Promise<string>((resolve) => {
          finish = resolve;
        });
      },
      { tags: ['tag'] },
    );
    await begun;
    await cache.deleteByTag('tag');
    const anew = cache.getOrSet('key', () => 'newer', { tags: ['tag'] });
    finish('older');
    expect(await Promise.all([computing, anew])).toEqual(['older', 'newer']);
    expect(await cache.get('key')).toBe('newer');
  });

  test('is seen by a computation of another cache that began before it', async () => {
    const shared = mapStore();
    const [one, two] = [openCache(shared), openCache(shared)];
    await one.getOrSet(
      'key',
      async () => {
        await two.deleteByTag('tag');
        return 'made of what was deleted';
      },
      { tags: ['tag'] },
    );
    expect(await one.get('key')).toBeUndefined();
    expect(await two.get('key')).toBeUndefined();
  });

  test('takes an entry for deleted whose generation was lost, damaged or evicted', async () => {
    const shared = mapStore();
    const cache = openCache(shared);
    for (const damage of [
      (address: string) => shared.files.delete(address),
      (address: string) => shared.files.set(address, { bytes: Buffer.from('?'), expiresAtMs: Infinity }),
    ]) {
      await cache.set('key', 'value', { tags: ['tag'] });
      damage('default\0tags\ntag');
      expect(await cache.get('key')).toBeUndefined();
    }
  });

  test('keeps the order of writes to a key, with tags and without', async () => {
    const cache = openCache(mapStore());
    await Promise.all([
      cache.set('key', 1, { tags: ['new tag'] }),
      cache.set('key', 2),
      cache.set('key', 3, { tags: ['b'] }),
    ]);
    expect(await cache.get('key')).toBe(3);
    await Promise.all([cache.set('key', 4, { tags: ['c'] }), cache.delete('key')]);
    expect(await cache.get('key')).toBeUndefined();
  });

  test('falls back on what the process knows when no shared tier can be asked', async () => {
    let isDown = false;
    const shared = faultyStore(mapStore(), {
      fault: (operation) => (isDown && operation !== 'close' ? new Error('EIO') : undefined),
    });
    const cache = createCache({ stores: [memoryStore(), shared], secrets });
    await cache.set('key', 'value', { tags: ['tag'] });
    isDown = true;
    expect(await cache.get('key')).toBe('value');
    await expect(cache.deleteByTag('tag')).rejects.toMatchObject({ code: 'CACHE_STORE_UNAVAILABLE' });
    expect(await cache.get('key')).toBeUndefined();
  });

  test('lets keys be named like tags', async () => {
    const cache = openCache(mapStore());
    await cache.set('tag', 'a value', { tags: ['tag'] });
    expect(await cache.get('tag')).toBe('a value');
    await cache.delete('tag');
    await cache.set('other', 1, { tags: ['tag'] });
    expect(await cache.get('other')).toBe(1);
  });

  test.for([
    ['tags', { tags: Array.from({ length: 33 }, () => 'x') }],
    ['tags[1]', { tags: ['a', ''] }],
    ['tags[0]', { tags: ['x'.repeat(257)] }],
    ['tags[0]', { tags: ['\ud800'] }],
  ] as const)('is of no use with unusable %s, which are refused', async ([name, options]) => {
    const cache = createCache();
    await expect(cache.set('key', 1, options)).rejects.toThrow(name);
  });
});
