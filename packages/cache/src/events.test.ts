import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';
import { mapStore } from '../test/map-store.ts';
import { createCache } from './cache.ts';
import type { CacheEvents } from './events.ts';
import { memoryStore } from './memory.ts';
import { faultyStore } from './testing.ts';

test('a cache tells diagnostics_channel of each kind of event', async () => {
  const names: (keyof CacheEvents)[] = [
    'cadre:cache:hit',
    'cadre:cache:miss',
    'cadre:cache:compute',
    'cadre:cache:reject',
    'cadre:cache:invalidate',
    'cadre:cache:store-error',
    'cadre:cache:breaker',
  ];
  const heard: [string, unknown][] = [];
  const listen = (message: unknown, name: string | symbol) => void heard.push([String(name), message]);
  for (const name of names) subscribe(name, listen);
  let isDown = false;
  const files = mapStore('files');
  const remote = faultyStore(mapStore('remote'), {
    remote: true,
    fault: (operation) => (isDown && operation === 'get' ? new Error('down') : undefined),
  });
  const cache = createCache({
    namespace: 'events',
    stores: [memoryStore(), files, remote],
    secrets: [Buffer.alloc(32, 7)],
    breakerFailures: 1,
  });
  await cache.getOrSet('key', () => 1);
  await cache.getOrSet('bad', () => Promise.reject(new Error('no'))).catch(() => undefined);
  files.files.set('events\ncut', { bytes: Buffer.from('?'), expiresAtMs: Infinity });
  isDown = true;
  await cache.get('cut');
  await cache.deleteByTag('tag').catch(() => undefined);
  await cache.close();
  for (const name of names) unsubscribe(name, listen);
  const summary = heard.map(([name, message]) => [
    name,
    Object.values(message as object)
      .slice(1, 3)
      .join(' '),
  ]);
  expect(summary).toEqual([
    ['cadre:cache:miss', 'key'],
    ['cadre:cache:compute', expect.stringMatching(/^key /)],
    ['cadre:cache:miss', 'bad'],
    ['cadre:cache:compute', expect.stringMatching(/^bad /)],
    ['cadre:cache:reject', 'files cut'],
    ['cadre:cache:breaker', 'remote open'],
    ['cadre:cache:store-error', expect.stringContaining('down')],
    ['cadre:cache:miss', 'cut'],
    ['cadre:cache:invalidate', 'tag'],
  ]);
});
