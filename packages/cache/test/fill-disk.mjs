// Run under a limit on the size of files: small entries are kept, larger ones can't be.
import { randomBytes } from 'node:crypto';
import { openDiskStore } from '../dist/disk.js';
import { createCache } from '../dist/index.js';

const cache = createCache({
  stores: [await openDiskStore({ directory: process.argv[2] })],
  secrets: [Buffer.alloc(32, 7)],
});
await cache.set('large', 'an older, smaller value');
const bytes = randomBytes(Number(process.argv[3]));
const computed = await cache.getOrSet('computed', () => bytes);
const thrown = await cache.set('large', bytes).catch((error) => error);
const [tier] = cache.stats().tiers;
console.log(
  JSON.stringify({
    computed: bytes.equals(computed),
    code: thrown?.code,
    cause: thrown?.cause?.code,
    errors: tier.errors,
    older: String(await cache.get('large')).slice(0, 40),
    entries: tier.entries,
  }),
);
await cache.close();
