import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { seed, seededRandom } from '../test/seeded-random.ts';
import { createCache } from './cache.ts';
import { openDiskStore } from './disk.ts';
import { memoryStore } from './memory.ts';
import type { StoredEntry } from './store.ts';

const isSoak = process.env.CADRE_SOAK === '1';
const yearMs = 365 * 24 * 60 * 60 * 1000;

describe('what a store says it holds', () => {
  test('is what a model of it holds, byte for byte, after each of 100,000 operations in memory', () => {
    const random = seededRandom(seed);
    const maxBytes = 50_000;
    const store = memoryStore({ maxBytes, maxEntryBytes: 5_000 });
    /** In the order of their last use. */
    const model = new Map<string, number>();
    const sum = () => [...model.values()].reduce((total, size) => total + size, 0);
    let bytes = 0;
    let evictions = 0;
    const drop = (key: string) => {
      bytes -= model.get(key) ?? 0;
      return model.delete(key);
    };
    for (let step = 0; step < 100_000; step += 1) {
      const key = `key ${random(60)}`;
      const action = random(20);
      if (action < 10) {
        const entry: StoredEntry = { bytes: Buffer.alloc(random(5_500)), expiresAtMs: Infinity };
        const size = entry.bytes.byteLength + key.length * 2 + 256;
        drop(key);
        if (size <= 5_000) {
          for (const oldest of model.keys()) {
            if (bytes + size <= maxBytes) break;
            drop(oldest);
            evictions += 1;
          }
          model.set(key, size);
          bytes += size;
        }
        expect(store.set('n', key, entry)).toBe(size <= 5_000);
      } else if (action < 14) expect(store.delete('n', key)).toBe(drop(key));
      else if (action < 19) {
        const size = model.get(key);
        expect(store.get('n', key) !== undefined).toBe(size !== undefined);
        if (size !== undefined) {
          model.delete(key);
          model.set(key, size);
        }
      } else if (random(200) === 0) {
        void store.clear('n');
        model.clear();
        bytes = 0;
      }
      const usage = store.usage();
      if (usage.bytes !== bytes || usage.entries !== model.size || usage.bytes > maxBytes) {
        expect({ step, seed, ...usage }).toMatchObject({ bytes, entries: model.size });
      }
    }
    expect(bytes).toBe(sum());
    expect(store.usage().evictions).toBe(evictions);
    expect(evictions).toBeGreaterThan(1_000);
  });

  const operations = isSoak ? 100_000 : 8_000;
  test(`is what lies in the directory, after ${operations} operations of two kinds of entry on disk`, {
    timeout: isSoak ? 300_000 : 30_000,
  }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cadre-cache-'));
    const random = seededRandom(seed);
    const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs };
    const maxBytes = 400_000;
    const store = await openDiskStore({ directory, maxBytes, maxEntryBytes: 50_000, clock });
    let recounts = 0;
    let most = 0;
    for (let step = 0; step < operations; step += 1) {
      const key = `key ${random(200)}`;
      const action = random(20);
      clock.nowMs += random(2_000);
      const entry = {
        bytes: Buffer.alloc(random(10) === 0 ? random(55_000) : random(4_000)),
        expiresAtMs: random(3) === 0 ? clock.nowMs + 60_000 : Infinity,
      };
      if (action < 8) await store.set('n', key, entry);
      else if (action < 11) {
        const lease = await store.leases?.acquire('n', key, 30_000);
        if (random(4) === 0) await lease?.release();
        else if (random(10) === 0) await store.delete('n', key);
        await lease?.commit(entry);
      } else if (action < 14) await store.delete('n', key);
      else await store.get('n', key);
      most = Math.max(most, store.usage().bytes);
      if (step % 500 !== 499) continue;
      const { bytes, entries } = store.usage();
      expect({ step, seed, bytes, entries }).toEqual({ step, seed, ...(await recount(directory)) });
      recounts += 1;
    }
    expect(recounts).toBe(operations / 500);
    expect(most).toBeLessThanOrEqual(maxBytes);
    expect(store.usage().evictions).toBeGreaterThan(50);
    await store.close();
    expect((await readdir(join(directory, 'tmp'))).length).toBe(0);
    expect((await readdir(join(directory, 'leases'))).length).toBe(0);
    await rm(directory, { recursive: true });
  });

  // Publishing at once when written, 8 large writes together took the directory 7 entries over its limit.
  test('never exceeds the limit on disk by more than one entry, though many large ones are written at once', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'cadre-cache-'));
    const maxBytes = 6_000_000;
    const store = await openDiskStore({ directory, maxBytes });
    let most = 0;
    let done = false;
    const writing = Promise.all(
      Array.from({ length: 24 }, async (_, index) => {
        await store.set('n', `key ${index}`, { bytes: Buffer.alloc(2_000_000), expiresAtMs: Infinity });
      }),
    ).finally(() => {
      done = true;
    });
    while (!done) {
      most = Math.max(most, (await recount(directory)).bytes, store.usage().bytes);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
    expect(most).toBeLessThanOrEqual(maxBytes + 2_000_000);
    expect((await recount(directory)).bytes).toBeLessThanOrEqual(maxBytes);
    await store.close();
    await rm(directory, { recursive: true });
  });
});

async function recount(directory: string): Promise<{ bytes: number; entries: number }> {
  const names = (await readdir(directory, { recursive: true })).filter((name) =>
    /^[0-9a-f]{2}\/[0-9a-f]{64}\./.test(name),
  );
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(directory, name)).then(
        ({ size }) => size,
        () => undefined,
      ),
    ),
  );
  const found = sizes.filter((size) => size !== undefined);
  return { bytes: found.reduce((sum, size) => sum + size, 0), entries: found.length };
}

describe('time that jumps', () => {
  const hourMs = 60 * 60 * 1000;
  const jumps = [hourMs, -hourMs, yearMs, -yearMs];

  // Comparing the time with the deadline alone, entries made before a jump back lived for the length of the jump.
  test.for(jumps)('by %i ms leaves no entry good that is not within its own time', async (jumpMs) => {
    const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs };
    const directory = await mkdtemp(join(tmpdir(), 'cadre-cache-'));
    const disk = async () => openDiskStore({ directory, clock });
    const options = { secrets: [Buffer.alloc(32, 7)], clock };
    const cache = createCache({ ...options, stores: [memoryStore(), await disk()] });
    const ttls = [1, 1_000, 60_000, hourMs / 2, 2 * hourMs, 30 * 24 * hourMs, 2 * yearMs];
    const skewMs = 60_000;
    for (const ttlMs of ttls) await cache.set(`before ${ttlMs}`, 1, { ttlMs });
    clock.nowMs += jumpMs;
    const other = createCache({ ...options, stores: [await disk()] });
    for (const ttlMs of ttls) await cache.set(`after ${ttlMs}`, 1, { ttlMs });
    for (const reader of [cache, other]) {
      for (const ttlMs of ttls) {
        const isGood = jumpMs > 0 ? jumpMs < ttlMs : -jumpMs <= Math.min(skewMs, ttlMs);
        expect(await reader.get(`before ${ttlMs}`), `${ttlMs}`).toBe(isGood ? 1 : undefined);
        expect(await reader.get(`after ${ttlMs}`), `${ttlMs}`).toBe(1);
      }
    }
    for (const ttlMs of ttls) {
      clock.nowMs += ttlMs;
      for (const reader of [cache, other]) {
        expect(await reader.get(`after ${ttlMs}`)).toBeUndefined();
        if (jumpMs > 0) expect(await reader.get(`before ${ttlMs}`)).toBeUndefined();
      }
    }
    await cache.close();
    await other.close();
    await rm(directory, { recursive: true });
  });

  test.for(jumps)('by %i ms keeps no lease for ever', async (jumpMs) => {
    const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs };
    const directory = await mkdtemp(join(tmpdir(), 'cadre-cache-'));
    const store = await openDiskStore({ directory, clock });
    const lost = await store.leases?.acquire('n', 'key', 30_000);
    clock.nowMs += jumpMs;
    const next = await store.leases?.acquire('n', 'key', 30_000);
    expect(next).toBeDefined();
    expect(await lost?.commit({ bytes: Buffer.from('late'), expiresAtMs: Infinity })).toBe('lost');
    expect(await next?.commit({ bytes: Buffer.from('value'), expiresAtMs: Infinity })).toBe('stored');
    await store.close();
    await rm(directory, { recursive: true });
  });
});
