import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mapStore } from '../test/map-store.ts';
import { seed, seededRandom } from '../test/seeded-random.ts';
import { createCache } from './cache.ts';
import { openDiskStore } from './disk.ts';
import { memoryStore } from './memory.ts';

const secrets = [Buffer.alloc(32, 7)];

async function exported(cache: { export(): AsyncIterable<Uint8Array> }): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of cache.export()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function filled(count: number) {
  const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs };
  const cache = createCache({ stores: [memoryStore(), mapStore()], secrets, clock });
  for (let index = 0; index < count; index += 1)
    await cache.set(`key ${index} é \ud800`, { index, text: 'x'.repeat(index) });
  return { cache, clock };
}

describe('Cache.export and Cache.import', () => {
  test('move every entry that is not expired to another cache, times and tags included', async () => {
    const { cache, clock } = await filled(50);
    await cache.set('tagged', 'value', { tags: ['a', 'b'] });
    await cache.set('short', 'value', { ttlMs: 1_000 });
    await cache.set('long', 'value', { ttlMs: 5_000 });
    await cache.set('deleted', 'value', { tags: ['gone'] });
    await cache.deleteByTag('gone');
    clock.nowMs += 1_000;
    const bytes = await exported(cache);
    const other = createCache({ stores: [memoryStore(), mapStore()], secrets, clock });
    expect(await other.import([bytes])).toMatchObject({ imported: 52, expired: 0, notStored: 0 });
    expect(await other.get('key 7 é \ud800')).toEqual({ index: 7, text: 'x'.repeat(7) });
    expect([await other.get('short'), await other.get('deleted')]).toEqual([undefined, undefined]);
    await other.deleteByTag('b');
    expect(await other.get('tagged')).toBeUndefined();
    clock.nowMs += 3_999;
    expect(await other.get('long')).toBe('value');
    clock.nowMs += 1;
    expect(await other.get('long')).toBeUndefined();
  });

  test('gives the same however the bytes are divided', async () => {
    const { cache } = await filled(40);
    const bytes = await exported(cache);
    const random = seededRandom(seed);
    for (let time = 0; time < 20; time += 1) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < bytes.byteLength; ) {
        const next = at + 1 + random(time === 0 ? 1 : 400);
        chunks.push(bytes.subarray(at, next));
        at = next;
      }
      const other = createCache({ stores: [mapStore()], secrets });
      expect((await other.import(chunks)).imported, `seed ${seed}`).toBe(40);
    }
  });

  // Without the length's complement, a flipped bit in a length swallowed all entries behind it.
  test('lose the damaged entry and no other, 1,000 times', async () => {
    const { cache } = await filled(20);
    const bytes = await exported(cache);
    const random = seededRandom(seed);
    let rejected = 0;
    for (let time = 0; time < 1_000; time += 1) {
      const damaged = Buffer.from(bytes);
      const bit = random(damaged.byteLength * 8);
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const other = createCache({ secrets });
      const report = await other.import([damaged]);
      expect(report.imported, `seed ${seed}, bit ${bit}`).toBe(19);
      rejected += Object.values(report.rejections).reduce((sum, count) => sum + count, 0);
    }
    expect(rejected).toBe(1_000);
  });

  test('take nothing sealed with a foreign secret, and no file of a store for a frame', async () => {
    const { cache } = await filled(3);
    const bytes = await exported(cache);
    const other = createCache({ secrets: [Buffer.alloc(32, 9)] });
    expect(await other.import([bytes])).toMatchObject({ imported: 0, rejections: { secret: 3 } });
    const store = mapStore('(other)');
    const source = createCache({ stores: [store], secrets });
    await source.set('key', 'value');
    const sealed = Buffer.from(store.files.get('default\nkey')?.bytes ?? []);
    const head = Buffer.alloc(12);
    head.write('CDRX');
    head.writeUInt32BE(sealed.byteLength, 4);
    head.writeUInt32BE(~sealed.byteLength >>> 0, 8);
    expect(await source.import([head, sealed])).toMatchObject({ imported: 0, rejections: { seal: 1 } });
  });

  test('refuse a cache without secrets', async () => {
    const cache = createCache();
    await cache.set('key', 1);
    await expect(exported(cache)).rejects.toThrow(/secrets/);
  });
});

describe('Cache.verify', () => {
  test('counts what is genuine, expired and damaged, and removes the damaged', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cadre-cache-'));
    const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs };
    const cache = createCache({ stores: [await openDiskStore({ directory, clock })], secrets, clock });
    for (let index = 0; index < 20; index += 1)
      await cache.set(`key ${index}`, { index }, { ttlMs: index < 5 ? 1_000 : 9_000 });
    clock.nowMs += 1_000;
    const files = (await readdir(directory, { recursive: true })).filter((name) => /[0-9a-f]{64}\./.test(name)).sort();
    for (const name of files.slice(0, 4)) {
      const bytes = await readFile(join(directory, name));
      bytes.writeUInt8(bytes.readUInt8(bytes.byteLength - 1) ^ 1, bytes.byteLength - 1);
      await writeFile(join(directory, name), bytes);
    }
    const [first] = await cache.verify();
    expect(first).toMatchObject({ tier: 'disk', genuine: 16, rejections: { seal: 4 } });
    const [second] = await cache.verify();
    expect(second).toMatchObject({ genuine: 16, rejections: { seal: 0 } });
    await cache.close();
    await rm(directory, { recursive: true });
  });
});

describe('Cache.warm', () => {
  test('brings into memory what a farther tier has and computes the rest, so many at once', async () => {
    const far = mapStore();
    const before = createCache({ stores: [far], secrets });
    await before.set('a', 'kept');
    const cache = createCache({ stores: [memoryStore(), far], secrets });
    let atOnce = 0;
    let most = 0;
    const report = await cache.warm(
      ['a', 'b', 'c', 'd', 'bad'],
      async (key) => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await new Promise((resolve) => setImmediate(resolve));
        atOnce -= 1;
        if (key === 'bad') throw new Error('no');
        return `computed ${key}`;
      },
      { concurrency: 2 },
    );
    expect(report).toMatchObject({ present: 4, computed: 3, missing: 0, failed: 1, failures: [{ key: 'bad' }] });
    expect(most).toBe(2);
    expect(['a', 'b'].map((key) => cache.peek(key))).toEqual(['kept', 'computed b']);
  });

  test('only looks without a function, and ends when its signal says so', async () => {
    const cache = createCache();
    await cache.set('a', 1);
    expect(await cache.warm(['a', 'b'])).toMatchObject({ present: 1, missing: 1 });
    await expect(cache.warm(['a'], undefined, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow(
      'enough',
    );
    await expect(cache.warm([], undefined, { concurrency: 0 })).rejects.toThrow('concurrency');
  });
});
