import { deepStrictEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { defineCase, needsProgram, type PreparedVariant } from '@cadre/bench';
import { makeResult } from '../../data.ts';
import { startRedisServer } from '../../rivals/redis-server.ts';

const keys = Array.from({ length: 64 }, (_, index) => `result-${index}`);
type Result = ReturnType<typeof makeResult>;

interface RedisCache {
  set(key: string, value: Result): Promise<unknown>;
  get(key: string): Promise<unknown>;
  close(): Promise<unknown> | unknown;
}

export default defineCase<{ readonly ids: number; readonly findings: number }>({
  question: 'How long does a value of 4 KB take that is only in Redis, when 64 are asked for at once?',
  unit: 'get',
  unitsPerIteration: keys.length,
  needs: [needsProgram('redis-server')],
  validate: (summary) =>
    deepStrictEqual(summary, { ids: (keys.length * (keys.length - 1)) / 2, findings: keys.length * 20 }),
  variants: {
    cadre: ({ directory }) =>
      prepare(directory, async (url) => {
        const [{ createCache }, { redisStore }, { createClient }] = await Promise.all([
          import('@cadre/cache'),
          import('@cadre/cache/redis'),
          import('redis'),
        ]);
        const client = await createClient({ url }).connect();
        const cache = createCache({ namespace: 'bench', stores: [redisStore({ client })], secrets: [randomBytes(32)] });
        return {
          set: (key, value) => cache.set(key, value),
          get: (key) => cache.get(key),
          async close() {
            await cache.close();
            await client.close();
          },
        };
      }),
    'redis + JSON': ({ directory }) =>
      prepare(directory, async (url) => {
        const { createClient } = await import('redis');
        const client = await createClient({ url }).connect();
        return {
          set: (key, value) => client.set(key, JSON.stringify(value)),
          get: async (key) => JSON.parse((await client.get(key)) ?? 'null'),
          close: () => client.close(),
        };
      }),
    bentocache: ({ directory }) =>
      prepare(directory, async (url) => {
        const { openRedisBento } = await import('../../rivals/bentocache.ts');
        return openRedisBento(Number(new URL(url).port));
      }),
    keyv: ({ directory }) =>
      prepare(directory, async (url) => {
        const { openRedisKeyv } = await import('../../rivals/keyv.ts');
        return openRedisKeyv(url);
      }),
  },
});

async function prepare(
  directory: string,
  open: (url: string) => Promise<RedisCache>,
): Promise<PreparedVariant<{ ids: number; findings: number }>> {
  const server = await startRedisServer(directory);
  const cache = await open(server.url);
  for (const [id, key] of keys.entries()) await cache.set(key, makeResult(id));
  return {
    async run(iterations) {
      let summary = { ids: 0, findings: 0 };
      for (let iteration = 0; iteration < iterations; iteration += 1) {
        summary = { ids: 0, findings: 0 };
        for (const value of (await Promise.all(keys.map((key) => cache.get(key)))) as Result[]) {
          summary.ids += value.id;
          summary.findings += value.findings.length;
        }
      }
      return summary;
    },
    async close() {
      await cache.close();
      await server.close();
    },
  };
}
