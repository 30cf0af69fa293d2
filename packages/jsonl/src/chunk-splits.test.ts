/** Where the bytes of a source are cut into chunks changes nothing of what is read: 5,000 cases, drawn from a seed. */
import { describe, expect, test } from 'vitest';
import { type Random, seeded } from '../test/simulated-disk.ts';
import { checksumText } from './checksum.ts';
import { type InvalidLine, type JsonlEntry, type JsonlSource, type ReadOptions, readJsonlEntries } from './index.ts';

const seed = Number(process.env.CADRE_SEED ?? Date.now() % 1_000_000);
const cases = 5_000;

async function readAll(source: JsonlSource, options: ReadOptions) {
  const entries: JsonlEntry<unknown>[] = [];
  const invalid: InvalidLine[] = [];
  const reading = readJsonlEntries(source, { ...options, onInvalid: (line) => invalid.push(line) });
  for await (const batch of reading) entries.push(...batch);
  return { entries, invalid, nextOffset: reading.nextOffset };
}

const lines: readonly string[] = [
  ...[
    '{"type":"a","n":1}',
    '{"type":"b"}',
    '{"t\\u0079pe":"a"}',
    '{"type":"ü€😀","text":"\u2028\u2029\u0085"}',
    '"é\\n"',
  ],
  ...['', ' \t', '\r', '{"a":1}\r', '\uFEFF1', '12', '[[[[[1]]]]]', `"${'x'.repeat(90)}"`, `["${'ö'.repeat(40)}"]`],
  ...['{', 'nul', '{"type":"a"', '"\0\0\0"', '\0\0\0\0', '"\xff"', '{"a":1}{"b":2}', '"\u0001"'],
  ...['7', '{"type":"a"}'].map((text) => text + checksumText(text)),
  `8${checksumText('9')}`,
];

const optionSets: readonly ReadOptions[] = [
  {},
  { where: { type: 'a' } },
  { maxLineBytes: 40, maxDepth: 3 },
  { unterminatedTail: 'accept', batchBytes: 16 },
  { checksum: 'verify' },
  { checksum: 'require', where: { type: ['a', 'b'] } },
];

function drawBytes(random: Random): Buffer {
  let bytes = Buffer.from(random(4) === 0 ? '\uFEFF' : '');
  for (let left = random(12); left > 0; left--) {
    const line = Buffer.from(`${lines[random(lines.length)]}\n`);
    // Half a character, a lone byte, or a line run into the next.
    if (random(8) === 0) line[random(line.length)] = random(256);
    bytes = Buffer.concat([bytes, line]);
  }
  return bytes.subarray(0, bytes.length - (random(2) === 0 ? 0 : random(bytes.length + 1)));
}

/** At places of any number, next to each other too, and so with chunks of no byte at all. */
function split(bytes: Buffer, random: Random): Buffer[] {
  if (random(10) === 0) return Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
  const places = Array.from({ length: random(12) }, () => random(bytes.length + 1)).sort((a, b) => a - b);
  return [...places, bytes.length].map((end, index) => bytes.subarray(places[index - 1] ?? 0, end));
}

describe('readJsonlEntries', () => {
  // Fails against a reader that decodes its chunks as text one by one, and one that counts positions within a chunk.
  test('gives the same values, positions and invalid lines at whatever places the chunks are cut', async () => {
    const random = seeded(seed);
    const count = { chunks: 0, values: 0, invalid: 0 };
    for (let index = 0; index < cases; index++) {
      const bytes = drawBytes(random);
      const options = optionSets[random(optionSets.length)] ?? {};
      const chunks = split(bytes, random);
      const whole = await readAll([bytes], options);
      const found = await readAll(chunks, options);
      if (JSON.stringify(found) !== JSON.stringify(whole)) expect({ index, ...found }).toEqual({ index, ...whole });
      for (const { byteOffset, byteLength } of [...whole.entries, ...whole.invalid]) {
        expect(byteOffset === 0 || bytes[byteOffset - 1] === 10 || byteOffset === 3).toBe(true);
        expect([10, undefined]).toContain(bytes[byteOffset + byteLength]);
      }
      count.chunks += chunks.length;
      count.values += whole.entries.length;
      count.invalid += whole.invalid.length;
    }
    console.info(`seed ${seed}: ${cases} cases, ${JSON.stringify(count)}`);
    expect(Math.min(count.chunks, count.values, count.invalid)).toBeGreaterThan(cases);
  });
});
