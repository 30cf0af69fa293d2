import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BlockScanner, blockBytes, plainScanner, simdScanner } from './block-scanner.ts';

const seed = Number(process.env.CADRE_SEED ?? Date.now() % 1_000_000);
const scanners: readonly [string, BlockScanner | undefined, boolean][] = [
  ['with SIMD', simdScanner(), true],
  ['without', plainScanner(), false],
];

/** Bytes from few, so that needles stand everywhere; runs, so that lines get long; sizes about the widths of the loops. */
const piece = fc.tuple(fc.constantFrom(0x0a, 0x22, 0x61, 0x62, 0x7f, 0x80, 0xff, 0), fc.integer({ min: 1, max: 70 }));
const block = fc
  .array(fc.oneof(piece, fc.tuple(fc.constantFrom(0x0a, 0x22, 0x61, 0x80), fc.constant(1))), { maxLength: 60 })
  .map((pieces) => Buffer.concat(pieces.map(([byte, length]) => Buffer.alloc(length, byte))));

/** Newlines and the bytes of each line, one by one. */
function linesOf(bytes: Buffer): { end: number; isBeyondAscii: boolean }[] {
  const lines: { end: number; isBeyondAscii: boolean }[] = [];
  let isBeyondAscii = false;
  for (const [end, byte] of bytes.entries()) {
    if (byte >= 0x80) isBeyondAscii = true;
    if (byte !== 0x0a) continue;
    lines.push({ end, isBeyondAscii });
    isBeyondAscii = false;
  }
  return lines;
}

function scan(scanner: BlockScanner, bytes: Buffer): number[] {
  scanner.load(bytes, 0, bytes.length);
  return Array.from(scanner.entries.subarray(0, scanner.scanLines()));
}

describe('BlockScanner', () => {
  // Fails against a scanner that forgets after 16 bytes what it saw of a line.
  test.for(scanners)('%s finds every newline and tells which lines are ASCII', ([, scanner, isExact]) => {
    if (scanner === undefined) throw new Error('This processor or this Node.js has no SIMD for WebAssembly');
    let lines = 0;
    fc.assert(
      fc.property(block, fc.nat({ max: 80 }), (bytes, start) => {
        const inside = bytes.subarray(Math.min(start, bytes.length));
        const expected = linesOf(inside);
        const entries = scan(scanner, inside);
        lines += entries.length;
        expect(entries.map((entry) => entry >>> 1)).toEqual(expected.map(({ end }) => end));
        for (const [index, { isBeyondAscii }] of expected.entries()) {
          const isFlagged = ((entries[index] ?? 0) & 1) === 1;
          // Without SIMD a line may be flagged for its neighbours, which costs time only.
          if (isExact || isBeyondAscii) expect(isFlagged).toBe(isBeyondAscii);
        }
      }),
      { numRuns: 2_000, seed },
    );
    expect(lines).toBeGreaterThan(2_000);
  });

  // Fails against a scanner that checks the end once for 64 bytes, and not for each place.
  test.for(scanners)('%s finds needles whole and within bounds, whatever was there before', ([, scanner]) => {
    if (scanner === undefined) throw new Error('This processor or this Node.js has no SIMD for WebAssembly');
    let found = 0;
    fc.assert(
      fc.property(
        block,
        fc.nat(),
        fc.integer({ min: 1, max: 90 }),
        fc.nat(),
        fc.nat(),
        (bytes, at, length, from, to) => {
          const place = at % (bytes.length + 1);
          const needle = length < 80 ? Buffer.from(bytes.subarray(place, place + length)) : Buffer.from('"ab"');
          if (needle.length === 0) return;
          const end = to % (bytes.length + 1);
          const start = from % (end + 1);
          scanner.load(bytes, 0, bytes.length);
          const expected = bytes.subarray(0, end).indexOf(needle.subarray(0, 64), start);
          // Of a long needle only the first 64 bytes are sure to be compared.
          const result = scanner.find(needle, start, end);
          if (needle.length <= 64) expect(result).toBe(expected);
          if (result !== -1) found++;
          const beyond = bytes.subarray(0, end).findIndex((byte, index) => index >= start && byte >= 0x80);
          expect(scanner.findBeyondAscii(start, end)).toBe(beyond);
        },
      ),
      { numRuns: 3_000, seed },
    );
    expect(found).toBeGreaterThan(300);
  });

  test.for(scanners)('%s takes a block of newlines only', ([, scanner]) => {
    if (scanner === undefined) throw new Error('This processor or this Node.js has no SIMD for WebAssembly');
    const entries = scan(scanner, Buffer.alloc(blockBytes, '\n'));
    expect(entries).toEqual(Array.from({ length: blockBytes }, (_, index) => index * 2));
  });

  test('gives readers the same where there is no WebAssembly', () => {
    const directory = mkdtempSync(join(tmpdir(), 'jsonl-jitless-'));
    try {
      const path = join(directory, 'lines.jsonl');
      const kinds = ['a', 'b', 'ü', '\u2028'];
      const lines = Array.from({ length: 3_000 }, (_, id) => {
        const line = JSON.stringify({ id, kind: kinds[id % 7], text: 'é'.repeat(id % 5) + 'x'.repeat(id % 211) });
        return id % 97 === 0 ? line.slice(0, -3) : id % 53 === 0 ? line.replace('kind', 'k\\u0069nd') : line;
      });
      lines.push(JSON.stringify({ kind: 'a', text: 'y'.repeat(100_000) }), '"\xff"');
      writeFileSync(path, Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), Buffer.from([0x22, 0xff, 0x22, 0x0a])]));
      const program = fileURLToPath(new URL('../test/programs/decode-file.mjs', import.meta.url));
      const run = (...flags: string[]) => {
        const output = execFileSync(process.execPath, [...flags, program, path, 'a'], {
          encoding: 'utf8',
          maxBuffer: 64 * 1024 * 1024,
          env: {},
          // It warns of a flag of its own.
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        return JSON.parse(output);
      };
      const [usual, jitless] = [run(), run('--jitless')];
      expect([usual.hasWebAssembly, jitless.hasWebAssembly]).toEqual([true, false]);
      expect(jitless.found).toEqual(usual.found);
      expect(usual.found.whole.invalid.length).toBeGreaterThan(30);
      expect(usual.found.selected.entries.length).toBeGreaterThan(400);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
