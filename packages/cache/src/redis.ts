/**
 * The remote tier: entries in Redis, shared by machines. The client is the caller's: connected, configured and closed by
 * them, and asked for nothing but `sendCommand`. How long a call may take, and what happens while Redis is down, is the
 * cache's business (`remoteTimeoutMs`, the breaker), not this store's.
 *
 *     <prefix>:<16 hex of the namespace's>:{<sha-256 of namespace and key>}           the entry
 *     <prefix>:<16 hex of the namespace's>:{<sha-256 of namespace and key>}:lease     who computes it, if anyone
 *
 * The braces put both into one slot. A lease is a random token under a key that expires; whoever lost it is refused by a
 * script that compares and writes in one step. Source: Redis documentation, "Distributed Locks with Redis", for one
 * instance.
 */
import { randomUUID } from 'node:crypto';
import { CacheError } from './errors.ts';
import type { Lease, Store, StoredEntry } from './store.ts';
import { storeAddresses } from './store-address.ts';

/**
 * What is asked of a client. Those of the `redis` package have it; for `ioredis`:
 * `{ sendCommand: ([name, ...rest]) => client.callBuffer(name, ...rest) }`. Bulk replies must come as buffers, which is
 * what the second argument asks the `redis` package for.
 */
export interface RedisClient {
  sendCommand(
    command: ReadonlyArray<string | Buffer>,
    options?: { readonly typeMapping?: { 36?: BufferConstructor } },
  ): Promise<unknown>;
}

export interface RedisStoreOptions {
  /** Connected already; stays the caller's to close. */
  readonly client: RedisClient;
  /** Begins every key in Redis: 1 to 64 letters, digits, `.`, `_`, `-` and `:`. @default 'cadre' */
  readonly prefix?: string;
  /** A larger entry is not kept in this tier. @default 16 MiB */
  readonly maxEntryBytes?: number;
  /** No entry stays longer, so that what nobody asks for goes even where Redis evicts nothing. @default 30 days */
  readonly maxTtlMs?: number;
  /** @default 'redis' */
  readonly name?: string;
  /** For deadlines; Redis itself counts by its own clock from the moment of writing. @default Date */
  readonly clock?: { now(): number };
}

/**
 * Needs Redis 6.2 or newer, or what speaks its protocol; not a cluster, where `clear` and `scan` would reach one node.
 * @throws {TypeError | RangeError} naming the option, when one is unusable
 * Cost: one round trip a call, calls of one turn pipelined by the client; `clear` and `scan` walk all keys of the
 * database, a thousand a round trip.
 */
export function redisStore(options: RedisStoreOptions): Store {
  const { client, prefix, maxEntryBytes, maxTtlMs, name, clock } = resolveRedisStoreOptions(options);
  let state: 'open' | 'closed' = 'open';
  const addresses = storeAddresses();
  const send = (...command: (string | Buffer)[]) => client.sendCommand(command, replyAsBuffers);

  return {
    name,
    supports: { references: false, shared: true, remote: true, counts: false },
    leases: {
      async acquire(namespace, key, ttlMs) {
        assertOpen();
        const token = randomUUID();
        const address = addressOf(namespace, key);
        const reply = await send('SET', leaseOf(address), token, 'NX', 'PX', String(wholeMs(ttlMs)));
        return reply === null ? undefined : createLease(address, token, ttlMs);
      },
    },
    async get(namespace, key) {
      assertOpen();
      return toEntry(await send('GET', addressOf(namespace, key)));
    },
    async set(namespace, key, entry) {
      assertOpen();
      const address = addressOf(namespace, key);
      if (entry.bytes.byteLength > maxEntryBytes) {
        await send('DEL', leaseOf(address), address);
        return false;
      }
      const ttlMs = ttlOf(entry);
      // In one turn, so one round trip: whoever takes the lease in between began after this call did.
      const [, reply] = await Promise.all([
        send('DEL', leaseOf(address)),
        ttlMs <= 0 ? send('DEL', address) : send('SET', address, asBuffer(entry.bytes), 'PX', String(ttlMs)),
      ]);
      return reply !== null;
    },
    async delete(namespace, key) {
      assertOpen();
      const address = addressOf(namespace, key);
      const [, removed] = await Promise.all([send('DEL', leaseOf(address)), send('DEL', address)]);
      return Number(removed) > 0;
    },
    async clear(namespace) {
      assertOpen();
      for await (const keys of scanKeys(`${tagOf(namespace)}:*`)) if (keys.length > 0) await send('UNLINK', ...keys);
    },
    async *scan(namespace) {
      assertOpen();
      for await (const keys of scanKeys(`${tagOf(namespace)}:*}`)) {
        for (const reply of await Promise.all(keys.map((key) => send('GET', key)))) {
          const entry = toEntry(reply);
          if (entry !== undefined) yield entry;
        }
      }
    },
    usage: () => ({ entries: 0, bytes: 0, maxBytes: Infinity, evictions: 0, expirations: 0 }),
    close() {
      state = 'closed';
    },
  };

  function createLease(address: string, token: string, ttlMs: number): Lease {
    const lease = leaseOf(address);
    return {
      async renew() {
        return Number(await send('EVAL', renewScript, '1', lease, token, String(wholeMs(ttlMs)))) === 1;
      },
      async commit(entry) {
        assertOpen();
        if (entry.bytes.byteLength > maxEntryBytes) {
          await send('EVAL', releaseScript, '1', lease, token);
          return 'too-large';
        }
        const bytes = asBuffer(entry.bytes);
        const reply = await send('EVAL', commitScript, '2', lease, address, token, bytes, String(ttlOf(entry)));
        return Number(reply) === 1 ? 'stored' : 'lost';
      },
      async release() {
        await send('EVAL', releaseScript, '1', lease, token);
      },
    };
  }

  /** Not above 0: past. */
  function ttlOf(entry: StoredEntry): number {
    return Math.min(Math.ceil(entry.expiresAtMs - clock.now()), maxTtlMs);
  }

  function tagOf(namespace: string): string {
    return `${prefix}:${addresses.namespaceTag(namespace)}`;
  }

  function addressOf(namespace: string, key: string): string {
    return `${tagOf(namespace)}:{${addresses.digest(namespace, key)}}`;
  }

  async function* scanKeys(pattern: string): AsyncGenerator<Buffer[], void, void> {
    for (let cursor = '0'; ; ) {
      const [next, keys] = scanReply(await send('SCAN', cursor, 'MATCH', pattern, 'COUNT', '1000'));
      yield keys;
      if (next === '0') return;
      cursor = next;
    }
  }

  function assertOpen(): void {
    if (state === 'closed') throw new CacheError('CACHE_CLOSED', `Store '${name}' is closed`);
  }
}

/** 36 is `$`, by which Redis marks a bulk string. */
const replyAsBuffers = { typeMapping: { 36: Buffer } } as const;

const renewScript = `return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('PEXPIRE', KEYS[1], ARGV[2]) or 0`;
const releaseScript = `return redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('DEL', KEYS[1]) or 0`;
const commitScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if tonumber(ARGV[3]) > 0 then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) else redis.call('DEL', KEYS[2]) end
redis.call('DEL', KEYS[1])
return 1`;

function leaseOf(address: string): string {
  return `${address}:lease`;
}

function toEntry(reply: unknown): StoredEntry | undefined {
  if (reply === null || reply === undefined) return undefined;
  if (!(reply instanceof Uint8Array)) {
    throw new TypeError(`Expected sendCommand to give bulk replies as buffers, got a ${typeof reply}`);
  }
  return { bytes: reply, expiresAtMs: Infinity };
}

function scanReply(reply: unknown): [cursor: string, keys: Buffer[]] {
  if (!Array.isArray(reply) || !Array.isArray(reply[1])) throw new TypeError('Expected SCAN to reply with two parts');
  return [String(reply[0]), reply[1]];
}

function wholeMs(ttlMs: number): number {
  return Math.max(Math.ceil(ttlMs), 1);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function resolveRedisStoreOptions(options: RedisStoreOptions): Required<RedisStoreOptions> {
  const { client, prefix = 'cadre', maxEntryBytes = 16 * 1024 ** 2, name = 'redis', clock = Date } = options;
  const { maxTtlMs = 30 * 24 * 60 * 60 * 1000 } = options;
  if (typeof client?.sendCommand !== 'function') {
    throw new TypeError('Expected client to have sendCommand, as those of the redis package do');
  }
  if (typeof prefix !== 'string' || !/^[\w.:-]{1,64}$/.test(prefix)) {
    throw new TypeError(
      `Expected prefix to be 1 to 64 letters, digits, '.', '_', '-' or ':', got ${JSON.stringify(prefix)}`,
    );
  }
  for (const [option, value] of Object.entries({ maxEntryBytes, maxTtlMs })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`Expected ${option} to be a positive whole number, got ${value}`);
    }
  }
  return { client, prefix, maxEntryBytes, maxTtlMs, name, clock };
}
