import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Entry, sealEntry, unsealEntry } from './entry.ts';
import { createSealer } from './seal.ts';
import { encodeValue } from './value.ts';

const secret = Buffer.alloc(32, 1);
const sealer = createSealer([secret]);
const address = { namespace: 'results', key: 'key', tier: 'disk' };
const times = { createdAtMs: 1_000, freshUntilMs: 2_000, expiresAtMs: 3_000 };

function entryOf(value: unknown): Entry {
  return new Entry(address.key, times, encodeValue(value));
}

describe('sealEntry and unsealEntry', () => {
  test.for([
    ['small', { a: [1, 2, 3] }],
    ['compressible', { text: 'again and again '.repeat(5_000) }],
    ['incompressible', { bytes: randomBytes(50_000) }],
    ['with lone surrogates', { text: '\ud800' }],
  ] as const)('give back an entry that is %s', ([, value]) => {
    const opened = unsealEntry(sealEntry(entryOf(value), address, sealer), address, sealer);
    expect(opened).toBeInstanceOf(Entry);
    expect(opened).toMatchObject(times);
    expect(opened instanceof Entry && opened.value()).toEqual(value);
  });

  test('compress what is large and leave what fits a block', () => {
    const text = 'again and again '.repeat(400);
    expect(sealEntry(entryOf(text), address, sealer).byteLength).toBeGreaterThan(text.length);
    const long = text.repeat(10);
    expect(sealEntry(entryOf(long), address, sealer).byteLength).toBeLessThan(long.length / 10);
  });

  // Against a seal over the payload alone, the flips in the 48 bytes of the header came back as entries.
  test('believe none of 10,000 entries with one bit flipped', () => {
    const seed = 20_261_121;
    const random = seededRandom(seed);
    const values = [1, 'short', { a: [1, 2, { b: null }] }, { at: new Date(5) }, 'long '.repeat(4_000)];
    const sealed = values.map((value) => sealEntry(entryOf(value), address, sealer));
    const reasons: Record<string, number> = {};
    for (let flip = 0; flip < 10_000; flip += 1) {
      const bytes = Buffer.from(sealed[flip % sealed.length] ?? []);
      // Half of the flips where the header and the seal are, since long payloads would get nearly all of them.
      const within = flip % 2 === 0 ? bytes.byteLength : 48;
      const bit = Math.floor(random() * within * 8);
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const outcome = unsealEntry(bytes, address, sealer);
      const reason = outcome instanceof Entry ? 'believed' : outcome;
      reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
    expect(reasons, `seed ${seed}`).not.toHaveProperty('believed');
    expect(Object.values(reasons).reduce((sum, count) => sum + count)).toBe(10_000);
    expect(Object.keys(reasons).sort()).toEqual(['seal', 'secret', 'version']);
  });

  test('believe no entry cut at any length, nor one with more behind it', () => {
    const sealed = sealEntry(entryOf({ a: 'value' }), address, sealer);
    for (let length = 0; length < sealed.byteLength; length += 1) {
      expect(unsealEntry(sealed.subarray(0, length), address, sealer)).toBeTypeOf('string');
    }
    expect(unsealEntry(Buffer.concat([sealed, Buffer.alloc(1)]), address, sealer)).toBe('seal');
  });

  test.for([
    [{ key: 'other' }],
    [{ namespace: 'other' }],
    [{ tier: 'other' }],
    // The same characters, divided otherwise.
    [{ namespace: 'result', key: 'skey' }],
    [{ key: 'keyd', tier: 'isk' }],
  ])('believe no entry moved to %o', ([elsewhere]) => {
    const sealed = sealEntry(entryOf('value'), address, sealer);
    expect(unsealEntry(sealed, { ...address, ...elsewhere }, sealer)).toBe('seal');
  });

  test('tell apart keys that UTF-8 would make one', () => {
    const sealed = sealEntry(entryOf('value'), { ...address, key: '\ud800' }, sealer);
    expect(unsealEntry(sealed, { ...address, key: '\ud801' }, sealer)).toBe('seal');
  });

  test('open what any of the secrets sealed, and nothing a retired or foreign one did', () => {
    const newer = Buffer.alloc(32, 2);
    const rotated = createSealer([newer, secret]);
    const old = sealEntry(entryOf('old'), address, sealer);
    const fresh = sealEntry(entryOf('new'), address, rotated);
    expect(unsealEntry(old, address, rotated)).toBeInstanceOf(Entry);
    expect(unsealEntry(fresh, address, createSealer([newer]))).toBeInstanceOf(Entry);
    expect(unsealEntry(old, address, createSealer([newer]))).toBe('secret');
    expect(unsealEntry(fresh, address, sealer)).toBe('secret');
  });
});

/** Source: mulberry32, public domain. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
