import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type MapStore, mapStore } from '../test/map-store.ts';
import { seed, seededRandom } from '../test/seeded-random.ts';
import { type Cache, createCache } from './cache.ts';
import type { CacheOptions } from './cache-options.ts';
import { memoryStore } from './memory.ts';
import type { Lease, Store } from './store.ts';
import { type FaultyStoreOptions, faultyStore } from './testing.ts';

const secrets = [Buffer.alloc(32, 7)];

/** A near tier that is always well, and a remote one to which things happen. */
function withRemote(fault: FaultyStoreOptions['fault'], options: CacheOptions = {}) {
  const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs };
  const near = mapStore('near', { shared: false });
  const far = mapStore('far');
  const remote = faultyStore(far, { fault, remote: true });
  const cache = createCache({ stores: [near, remote], secrets, clock, ...options });
  const tier = () => cache.stats().tiers[1];
  return { cache, clock, near, far, remote, tier };
}

/** To everyone who asks: nobody else is there. */
function givingLeases(store: MapStore): Store {
  const acquire = (namespace: string, key: string): Lease => ({
    renew: () => true,
    commit: async (entry) => ((await store.set(namespace, key, entry)) ? 'stored' : 'too-large'),
    release: () => undefined,
  });
  return { ...store, leases: { acquire } };
}

describe('a remote tier that is down', () => {
  test('is left alone after five failures, and asked again when its time is over', async () => {
    let isDown = true;
    const { cache, clock, far, remote, tier } = withRemote((operation) =>
      isDown && operation !== 'close' ? new Error('ECONNREFUSED') : undefined,
    );
    for (let index = 0; index < 100; index += 1) {
      expect(await cache.getOrSet(`key ${index}`, () => index)).toBe(index);
      expect(await cache.getOrSet(`key ${index}`, () => -1)).toBe(index);
    }
    expect(remote.faults).toBe(5);
    expect(tier()).toMatchObject({ errors: 5, skipped: 195, breaker: 'open' });
    isDown = false;
    clock.nowMs += 4_999;
    await cache.get('key');
    expect(tier()?.breaker).toBe('open');
    clock.nowMs += 1;
    await cache.get('key');
    expect(tier()?.breaker).toBe('closed');
    await cache.set('key', 'value');
    expect(far.files.size).toBe(1);
    await cache.close();
  });

  test('makes set, delete and deleteByTag reject, with what the other tiers were told done all the same', async () => {
    const { cache } = withRemote((operation) => (operation === 'close' ? undefined : new Error('ECONNREFUSED')));
    await expect(cache.set('key', 1)).rejects.toMatchObject({ code: 'CACHE_STORE_UNAVAILABLE', store: 'far' });
    expect(await cache.get('key')).toBe(1);
    await expect(cache.delete('key')).rejects.toMatchObject({ code: 'CACHE_STORE_UNAVAILABLE', operation: 'delete' });
    expect(await cache.get('key')).toBeUndefined();
    await expect(cache.deleteByTag('tag')).rejects.toMatchObject({ code: 'CACHE_STORE_UNAVAILABLE' });
    await expect(cache.set('key', 1)).rejects.toThrow(/ECONNREFUSED/);
    await expect(cache.set('key', 1)).rejects.toThrow(/left alone for 5000 ms/);
    await cache.close();
  });
});

describe('a remote tier that never answers', () => {
  // Waiting for the store alone, the first of these calls never came back.
  test('holds no call longer than remoteTimeoutMs, and few calls at all', async () => {
    const never = new Promise<undefined>(() => undefined);
    const { cache, remote, tier } = withRemote((operation) => (operation === 'close' ? undefined : never), {
      remoteTimeoutMs: 10,
    });
    for (let index = 0; index < 50; index += 1) {
      expect(await cache.getOrSet(`key ${index}`, () => index, { tags: ['a', 'b'] })).toBe(index);
      expect(await cache.get(`key ${index}`)).toBe(index);
    }
    expect(remote.faults).toBe(5);
    expect(tier()).toMatchObject({ timeouts: 5, breaker: 'open' });
    await cache.close();
  });

  const neverAnswered = () => new Promise<undefined>(() => undefined);
  const almostTooLate = () => new Promise<undefined>((resolve) => void setTimeout(() => resolve(undefined), 49));

  test.for([
    ['get', 1, (cache: Cache) => cache.get('key')],
    ['getOrSet', 5, (cache: Cache) => cache.getOrSet('key', () => 1)],
    ['getOrSet with new tags', 10, (cache: Cache) => cache.getOrSet('key', () => 1, { tags: ['a', 'b'] })],
    ['set', 1, (cache: Cache) => cache.set('key', 1)],
    ['delete', 1, (cache: Cache) => cache.delete('key')],
  ] as const)('holds %s for %i times remoteTimeoutMs at most', async ([, times, call]) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    for (const wait of [neverAnswered, almostTooLate]) {
      const fault = (operation: string) => (operation === 'close' ? undefined : wait());
      const far = faultyStore(givingLeases(mapStore('far')), { fault, remote: true });
      const stores = [mapStore('near', { shared: false }), far];
      const cache = createCache({ stores, secrets, remoteTimeoutMs: 50, breakerFailures: 100 });
      let settled = false;
      const settle = () => {
        settled = true;
      };
      void Promise.resolve(call(cache)).then(settle, settle);
      let passedMs = 0;
      for (; !settled && passedMs < 1_000; passedMs += 1) await vi.advanceTimersByTimeAsync(1);
      expect(passedMs).toBeLessThanOrEqual(times * 50);
      await cache.close();
    }
  });

  // Releasing the lease that the write had ended, it was asked a fifth time.
  test('is asked four times for a key that has to be computed', async () => {
    const asked: string[] = [];
    const fault = (operation: string) => void asked.push(operation);
    const far = faultyStore(givingLeases(mapStore('far')), { fault, remote: true });
    const cache = createCache({ stores: [memoryStore(), far], secrets });
    await cache.getOrSet('key', () => 1);
    // Writing under a lease is both.
    expect(asked).toEqual(['get', 'lease', 'get', 'set', 'lease']);
    await cache.close();
  });

  // With an allowance for each, the tag was still waited for when that of the entry was long over.
  test('spends one allowance of time for an entry and its tags together', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    let isSlow = false;
    let asked = 0;
    const { cache, near, tier } = withRemote(
      async (operation) => {
        if (!isSlow || operation !== 'get') return undefined;
        asked += 1;
        await new Promise((resolve) => setTimeout(resolve, 30));
        return undefined;
      },
      { remoteTimeoutMs: 50, leaseMs: 0 },
    );
    await cache.set('key', 'value', { tags: ['tag'] });
    near.files.clear();
    isSlow = true;
    const answer = cache.get('key');
    // The entry takes 30 of the 50 ms, so its tag can't have 30 more.
    await vi.advanceTimersByTimeAsync(49);
    expect(asked).toBe(2);
    expect(tier()?.timeouts).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(tier()?.timeouts).toBe(1);
    await answer;
    await cache.close();
  });
});

describe('a remote tier that is full', () => {
  test('still answers what it has, and costs nobody a value', async () => {
    const { cache, tier, remote } = withRemote((operation) =>
      operation === 'set' ? new Error('OOM command not allowed') : undefined,
    );
    for (let index = 0; index < 50; index += 1) {
      expect(await cache.getOrSet(`key ${index}`, () => index)).toBe(index);
    }
    expect(remote.faults).toBe(50);
    expect(tier()).toMatchObject({ errors: 50, breaker: 'closed' });
    await cache.close();
  });
});

describe('a remote tier that comes and goes', () => {
  test('costs no value in 3,000 calls, and is used again in the end', async () => {
    const random = seededRandom(seed);
    let isWell = false;
    const { cache, clock, far, remote, tier } = withRemote((operation) => {
      if (isWell || operation === 'close' || random(3) > 0) return undefined;
      return random(10) === 0 ? Promise.resolve(new Error('late and failed')) : new Error('ECONNRESET');
    });
    let opened = 0;
    for (let call = 0; call < 3_000; call += 1) {
      const key = `key ${random(200)}`;
      if (random(4) === 0) await cache.delete(key).catch((error) => expect(error.store).toBe('far'));
      else expect(await cache.getOrSet(key, () => `value of ${key}`)).toBe(`value of ${key}`);
      if (tier()?.breaker === 'open') {
        opened += 1;
        clock.nowMs += 5_000;
      }
    }
    expect(remote.faults, `seed ${seed}`).toBeGreaterThan(300);
    expect(opened, `seed ${seed}`).toBeGreaterThan(2);
    isWell = true;
    clock.nowMs += 5_000;
    await cache.get('any');
    expect(tier()?.breaker).toBe('closed');
    await cache.set('key', 'value');
    expect(far.files.size).toBeGreaterThan(0);
    await cache.close();
  });
});

type Damage = (
  files: Map<string, { bytes: Uint8Array; expiresAtMs: number }>,
  random: (below: number) => number,
) => void;

describe('a store whose bytes were tampered with', () => {
  const count = 200;
  const times = 50;
  const addressOf = (index: number) => `default\nkey ${index}`;

  function each(change: (bytes: Buffer, random: (below: number) => number) => Uint8Array): Damage {
    return (files, random) => {
      for (const [address, entry] of files)
        files.set(address, { ...entry, bytes: change(Buffer.from(entry.bytes), random) });
    };
  }

  const otherSecret = [Buffer.alloc(32, 9)];
  /** Of which the cache under test was rid by `secrets: [new, old]` and then `[new]`. */
  const retiredSecret = [Buffer.alloc(32, 8)];

  const damages: [name: string, reasons: string[], damage: Damage][] = [
    [
      'one bit flipped',
      ['seal', 'secret', 'version'],
      each((bytes, random) => {
        const bit = random(bytes.byteLength * 8);
        bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        return bytes;
      }),
    ],
    [
      'the entry of another key',
      ['seal'],
      (files) => {
        const entries = [...files.values()];
        for (const [index, address] of [...files.keys()].entries()) {
          files.set(address, entries[(index + 1) % entries.length] ?? { bytes: Buffer.alloc(0), expiresAtMs: 0 });
        }
      },
    ],
    [
      'the end cut off',
      ['seal', 'truncated', 'secret'],
      each((bytes, random) => bytes.subarray(0, random(bytes.byteLength))),
    ],
    ['nothing left', ['truncated'], each(() => Buffer.alloc(0))],
    [
      'an envelope of the version before',
      ['version'],
      each((bytes) => {
        bytes.writeUInt8(1, 0);
        return bytes;
      }),
    ],
  ];

  test.for(damages)(
    'gives no value and throws nothing for %s, 10,000 times, each counted',
    async ([, reasons, damage]) => {
      const store = mapStore();
      const cache = createCache({ stores: [store], secrets });
      const random = seededRandom(seed);
      for (let time = 0; time < times; time += 1) {
        for (let index = 0; index < count; index += 1)
          await cache.set(`key ${index}`, { index, text: 'text'.repeat(index % 50) });
        damage(store.files, random);
        for (let index = 0; index < count; index += 1) expect(await cache.get(`key ${index}`)).toBeUndefined();
        await cache.clear();
      }
      const [tier] = cache.stats().tiers;
      const counted = Object.entries(tier?.rejections ?? {}).filter(([, rejected]) => rejected > 0);
      expect(
        counted.reduce((sum, [, rejected]) => sum + rejected, 0),
        `seed ${seed}`,
      ).toBe(count * times);
      expect(counted.map(([reason]) => reason).every((reason) => reasons.includes(reason))).toBe(true);
      expect(tier).toMatchObject({ hits: 0, misses: count * times, errors: 0 });
      await cache.close();
    },
  );

  test.for<[name: string, reason: string, elsewhere: CacheOptions, tier: string]>([
    ['another namespace', 'seal', { namespace: 'other', secrets }, 'map'],
    ['another tier', 'seal', { secrets }, 'disk'],
    ['a foreign secret', 'secret', { secrets: otherSecret }, 'map'],
    ['a retired secret', 'secret', { secrets: retiredSecret }, 'map'],
  ])(
    'gives no value and throws nothing for entries of %s, 10,000 times, each counted',
    async ([, reason, elsewhere, tier]) => {
      const store = mapStore();
      const cache = createCache({ stores: [store], secrets });
      const other = mapStore(tier);
      const source = createCache({ ...elsewhere, stores: [other] });
      for (let index = 0; index < count; index += 1) await source.set(`key ${index}`, { index });
      const namespace = elsewhere.namespace ?? 'default';
      for (let time = 0; time < times; time += 1) {
        for (let index = 0; index < count; index += 1) {
          const entry = other.files.get(`${namespace}\nkey ${index}`);
          if (entry !== undefined) store.files.set(addressOf(index), entry);
        }
        for (let index = 0; index < count; index += 1) expect(await cache.get(`key ${index}`)).toBeUndefined();
      }
      expect(cache.stats().tiers[0]).toMatchObject({ hits: 0, errors: 0, rejections: { [reason]: count * times } });
      await cache.close();
    },
  );

  test('gives no value for an older entry that was put back after its tag was deleted, or past its time', async () => {
    const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs };
    const store = mapStore();
    const cache = createCache({ stores: [store], secrets, clock });
    for (let index = 0; index < count; index += 1) {
      const options = index % 2 === 0 ? { tags: ['tag'] } : { ttlMs: 1_000 };
      await cache.set(`key ${index}`, 'older', options);
    }
    const older = new Map([...store.files].filter(([address]) => address.startsWith('default\n')));
    await cache.deleteByTag('tag');
    await cache.set('another', 1, { tags: ['tag'] });
    clock.nowMs += 1_000;
    for (const [address, entry] of older) store.files.set(address, entry);
    for (let index = 0; index < count; index += 1) expect(await cache.get(`key ${index}`)).toBeUndefined();
    expect(cache.stats().tiers[0]).toMatchObject({ invalidated: count / 2, expired: count / 2 });
    await cache.close();
  });
});

describe('secrets that are rotated', () => {
  // When an entry of an unknown secret was removed, the process that was last to hear of the new one lost 1 in 3 of them.
  test('lose no entry in mid-traffic, though one process hears of the new one last', async () => {
    const [old, fresh] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
    const store = mapStore();
    const withSecrets = (...given: Buffer[]) => createCache({ stores: [store], secrets: given });
    let [early, late] = [withSecrets(old), withSecrets(old)];
    const kept = new Map<string, number>();
    const random = seededRandom(seed);
    const traffic = async (calls: number) => {
      for (let call = 0; call < calls; call += 1) {
        const key = `key ${random(300)}`;
        const writer = random(2) === 0 ? early : late;
        if (random(3) === 0 && !kept.has(key)) {
          await writer.set(key, call);
          kept.set(key, call);
        } else await (random(2) === 0 ? early : late).get(key);
      }
    };
    await traffic(500);
    early = withSecrets(fresh, old);
    await traffic(500);
    late = withSecrets(fresh, old);
    await traffic(500);
    for (const [key, value] of kept) {
      expect([await early.get(key), await late.get(key)], `seed ${seed}`).toEqual([value, value]);
    }
    expect(kept.size).toBeGreaterThan(200);
  });
});
