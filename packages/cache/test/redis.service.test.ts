import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createCache } from '../src/cache.ts';
import { memoryStore } from '../src/memory.ts';
import { redisStore } from '../src/redis.ts';
import { storeContract } from '../src/testing.ts';
import { startChild } from './child.ts';
import { freePort, isRedisInstalled, type RedisServer, redisOptions, startRedisServer } from './redis-server.ts';
import { testsOfSharing } from './share-a-tier.ts';

if (!isRedisInstalled && process.env.CADRE_REQUIRE_SERVICES === '1') {
  throw new Error('CADRE_REQUIRE_SERVICES=1 and there is no redis-server; install it (Debian: redis-server)');
}

const secrets = [Buffer.alloc(32, 7)];

describe.skipIf(!isRedisInstalled)('redisStore', () => {
  let server: RedisServer | undefined;
  let client: Awaited<ReturnType<typeof connect>>;
  let prefixes = 0;

  beforeAll(async () => {
    server = await startRedisServer();
    client = await connect(server);
  });

  afterAll(async () => {
    client?.destroy();
    await server?.[Symbol.asyncDispose]();
  });

  function newPrefix(): string {
    prefixes += 1;
    return `test${prefixes}`;
  }

  storeContract({ test, open: () => redisStore({ client, prefix: newPrefix(), maxEntryBytes: 100_000 }) });

  test.for([
    [{ prefix: '' }, 'prefix'],
    [{ prefix: 'a*' }, 'prefix'],
    [{ maxEntryBytes: 0 }, 'maxEntryBytes'],
    [{ maxTtlMs: Infinity }, 'maxTtlMs'],
  ] as const)('refuses %o, naming %s', ([options, name]) => {
    expect(() => redisStore({ client, ...options })).toThrow(name);
  });

  test('leaves the client open that it was given', async () => {
    const cache = createCache({ stores: [redisStore({ client, prefix: newPrefix() })], secrets });
    await cache.set('key', 1);
    await cache.close();
    expect(client.isOpen).toBe(true);
    expect(await client.ping()).toBe('PONG');
  });

  test('keeps everything no longer than maxTtlMs, and an entry no longer than its deadline', async () => {
    const prefix = newPrefix();
    const cache = createCache({ stores: [redisStore({ client, prefix, maxTtlMs: 5_000 })], secrets });
    await cache.set('for ever', 1);
    await cache.set('short', 1, { ttlMs: 1_000 });
    const left = await Promise.all((await client.keys(`${prefix}:*`)).map((key) => client.pTTL(key)));
    expect(left.every((ms) => ms > 0 && ms <= 5_000)).toBe(true);
    expect(left.filter((ms) => ms <= 1_000)).toHaveLength(1);
    await cache.close();
  });

  test('says what is wrong with a client that gives text for bytes', async () => {
    const text = { sendCommand: (command: ReadonlyArray<string | Buffer>) => client.sendCommand([...command]) };
    const store = redisStore({ client: text, prefix: newPrefix() });
    await store.set('n', 'key', { bytes: Buffer.from('x'), expiresAtMs: Infinity });
    await expect(store.get('n', 'key')).rejects.toThrow(/bulk replies as buffers/);
  });

  test('never believes an entry that was moved, altered or sealed elsewhere, and removes it', async () => {
    const prefix = newPrefix();
    const cache = createCache({ stores: [redisStore({ client, prefix })], secrets });
    await cache.set('a', 'value of a');
    const [addressOfA = ''] = await client.keys(`${prefix}:*`);
    await cache.set('b', 'value of b');
    const addressOfB = (await client.keys(`${prefix}:*`)).find((key) => key !== addressOfA) ?? '';
    await client.copy(addressOfA, addressOfB, { REPLACE: true });
    expect(await cache.get('b')).toBeUndefined();
    await client.set(addressOfA, 'no entry at all');
    expect(await cache.get('a')).toBeUndefined();
    expect(cache.stats().tiers[0]?.rejections).toMatchObject({ seal: 1, truncated: 1 });
    expect(await client.exists([addressOfA, addressOfB])).toBe(0);
    await cache.close();
  });

  test('shares entries and deletions by tag between caches with memory of their own', async () => {
    const prefix = newPrefix();
    const open = () => createCache({ stores: [memoryStore(), redisStore({ client, prefix })], secrets });
    const [one, two] = [open(), open()];
    await one.set('key', 'value', { tags: ['project'] });
    expect(await two.get('key')).toBe('value');
    expect(await two.get('key')).toBe('value');
    await one.deleteByTag('project');
    expect(await two.get('key')).toBeUndefined();
    expect(await one.getOrSet('key', () => 'anew', { tags: ['project'] })).toBe('anew');
    expect(await two.get('key')).toBe('anew');
    await one.close();
    await two.close();
  });
});

describe.skipIf(!isRedisInstalled)('a Redis that fails', () => {
  async function openTiers() {
    const server = await startRedisServer();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const client = await connect(server);
    onTestFinished(() => client.destroy());
    const clock = { aheadMs: 0, now: () => Date.now() + clock.aheadMs };
    const cache = createCache({
      stores: [memoryStore(), redisStore({ client })],
      secrets,
      clock,
      remoteTimeoutMs: 100,
    });
    const tier = () => cache.stats().tiers[1];
    const askedAgain = async () => {
      if (!client.isReady) await once(client, 'ready');
      while (tier()?.breaker !== 'closed') {
        clock.aheadMs += 5_000;
        await cache.get('is it there');
      }
    };
    onTestFinished(() => cache.close());
    return { cache, client, server, tier, askedAgain };
  }

  const faults: [
    string,
    (server: RedisServer) => Promise<void> | void,
    (server: RedisServer) => Promise<void> | void,
  ][] = [
    ['is killed and started again', (server) => server.kill(), (server) => server.start()],
    ['stops answering and goes on', (server) => server.freeze(), (server) => server.thaw()],
  ];

  test.for(faults)('and %s costs no value, is left alone meanwhile, and is used again', async ([, fail, recover]) => {
    const { cache, server, tier, askedAgain } = await openTiers();
    await cache.set('before', 1);
    for (let time = 0; time < 3; time += 1) {
      await fail(server);
      for (let index = 0; index < 30; index += 1) {
        expect(await cache.getOrSet(`${time} ${index}`, () => index)).toBe(index);
        expect(await cache.getOrSet(`${time} ${index}`, () => -1)).toBe(index);
        expect(await cache.getOrSet('before', () => -1)).toBe(1);
      }
      expect(tier()?.breaker).toBe('open');
      expect(tier()?.errors).toBeGreaterThanOrEqual(5 * (time + 1));
      expect(tier()?.skipped).toBeGreaterThan(20 * (time + 1));
      await recover(server);
      await askedAgain();
      await cache.set('after', time);
    }
  });

  test('and is full costs no value, and what it has is still found', async () => {
    const { cache, client, tier } = await openTiers();
    await cache.set('before', 1);
    await client.configSet('maxmemory', '1mb');
    await client.configSet('maxmemory-policy', 'noeviction');
    for (let index = 0; index < 20; index += 1) {
      const value = { index, text: `${index}`.repeat(1_000) };
      expect(await cache.getOrSet(`key ${index}`, () => value)).toEqual(value);
      expect(await cache.get(`key ${index}`)).toEqual(value);
    }
    expect(tier()?.errors).toBeGreaterThan(0);
    await expect(cache.set('key', 1)).rejects.toMatchObject({ code: 'CACHE_STORE_UNAVAILABLE', store: 'redis' });
  });
});

describe.skipIf(!isRedisInstalled)('a Redis of a test', () => {
  // Started without its supervisor, the server outlived each of these processes.
  test('ends with the process that started it, however that ends', async () => {
    const child = startChild('./hold-redis.mjs', redisOptions(await freePort(), tmpdir()));
    const { pid } = await child.next();
    expect(() => process.kill(pid as number, 0)).not.toThrow();
    child.process.kill('SIGKILL');
    await child.exited;
    // Another process, and none of ours: it offers no event.
    await vi.waitFor(() => expect(() => process.kill(pid as number, 0)).toThrow(/ESRCH/), { timeout: 10_000 });
  });
});

describe.skipIf(!isRedisInstalled)('processes that share a Redis', () => {
  testsOfSharing({
    kind: 'redis',
    async open() {
      const server = await startRedisServer();
      return { where: server.url, close: () => server[Symbol.asyncDispose]() };
    },
  });
});

async function connect(server: RedisServer) {
  const client = createClient({ url: server.url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
