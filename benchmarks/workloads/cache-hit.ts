import { match } from 'node:assert/strict';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { defineWorkload, type PreparedVariant } from '@cadre/bench';

/** What is worth caching: a digest that takes a second to compute, as a short call of a model does. */
const rounds = { full: 2_000_000, small: 1000 };

type GetOrSet = (key: string, compute: () => Promise<string>) => Promise<string>;

export default defineWorkload<string>({
  question: 'Get a result from the cache instead of computing it for about a second.',
  claims: [
    {
      what: 'a hit in memory',
      unit: 'nanoseconds',
      claimed: 0.1e6,
      source: 'the original reports: "cache hit 0.1 ms"',
      read: ({ time }) => time(),
      explain: ({ verdict }) =>
        verdict === 'missed'
          ? 'The machine was busy with something else: a hit is one look-up and one turn of the event loop’s microtasks.'
          : 'A hit in memory is one look-up and a promise, far below what was claimed.',
    },
    {
      what: 'a hit on disk',
      unit: 'nanoseconds',
      claimed: 0.1e6,
      source: 'the original reports: "cache hit 0.1 ms"',
      read: ({ time }) => time('cadre, from disk'),
      explain: ({ verdict }) =>
        verdict === 'missed'
          ? 'Reading the file, checking its seal and unpacking it takes longer here.'
          : 'The file is in the page cache; reading it, checking its seal and unpacking it is all there is to do.',
    },
    {
      what: 'computing it over a hit in memory',
      unit: 'times',
      claimed: 28_039,
      source: 'the original reports: "28,039×"',
      read: ({ times }) => times('computing it again'),
      explain: ({ figures }) =>
        `Such a factor says how long the work is, here ${(figures.time('computing it again').estimate / 1e9).toFixed(1)} s, and can be made as large as one likes.`,
    },
  ],
  sizes: rounds,
  make: (size) => ({
    unit: 'result',
    // That all variants gave the same one is checked by comparing them.
    validate: (digest) => match(digest, /^[0-9a-f]{64}$/),
    variants: {
      async cadre() {
        const { createCache } = await import('@cadre/cache');
        const cache = createCache();
        return asking(
          size,
          (key, compute) => cache.getOrSet(key, compute),
          () => cache.close(),
        );
      },
      async 'cadre, from disk'({ directory }) {
        const [{ createCache }, { openDiskStore }] = await Promise.all([
          import('@cadre/cache'),
          import('@cadre/cache/disk'),
        ]);
        const store = await openDiskStore({ directory });
        const cache = createCache({ namespace: 'bench', stores: [store], secrets: [randomBytes(32)] });
        return asking(
          size,
          (key, compute) => cache.getOrSet(key, compute),
          () => cache.close(),
        );
      },
      async keyv() {
        const { openKeyv } = await import('../rivals/keyv.ts');
        return asking(size, openKeyv());
      },
      'computing it again': () => ({
        run(iterations) {
          let digest = '';
          for (let iteration = 0; iteration < iterations; iteration += 1) digest = compute(size);
          return digest;
        },
      }),
    },
  }),
});

async function asking(size: number, getOrSet: GetOrSet, close?: () => Promise<void>): Promise<PreparedVariant<string>> {
  const first = await getOrSet('digest', async () => compute(size));
  const computeAgain = () => Promise.reject(new Error('The result is no longer in the cache.'));
  return {
    async run(iterations) {
      let digest = first;
      for (let iteration = 0; iteration < iterations; iteration += 1) digest = await getOrSet('digest', computeAgain);
      return digest;
    },
    ...(close === undefined ? {} : { close }),
  };
}

function compute(size: number): string {
  return pbkdf2Sync('question', 'salt', size, 32, 'sha256').toString('hex');
}
