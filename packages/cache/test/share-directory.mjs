// Reads and writes a directory beside other processes of itself; prints what it saw as one line of JSON.

import { openDiskStore } from '../dist/disk.js';
import { createCache } from '../dist/index.js';

const [directory, name, rounds] = process.argv.slice(2);
const reported = [];
const cache = createCache({
  stores: [await openDiskStore({ directory, maxBytes: 200_000 })],
  secrets: [Buffer.alloc(32, 7)],
  onStoreError: (error) => reported.push(error.message),
});
let wrong = 0;
let hits = 0;
for (let round = 0; round < Number(rounds); round += 1) {
  const key = `key ${round % 50}`;
  await cache.set(key, { key, by: name, filler: `${round} `.repeat(round % 2_000) });
  const other = `key ${(round * 7) % 50}`;
  const value = await cache.get(other);
  if (value !== undefined) hits += 1;
  if (value !== undefined && value.key !== other) wrong += 1;
}
const [tier] = cache.stats().tiers;
await cache.close();
console.log(JSON.stringify({ wrong, hits, reported, rejections: tier.rejections, evictions: tier.evictions }));
