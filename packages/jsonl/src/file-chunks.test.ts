import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chunkBytes, fileChunks } from './file-chunks.ts';

const directory = mkdtempSync(join(tmpdir(), 'cadre-jsonl-chunks-'));
const path = join(directory, 'numbers');
beforeAll(() =>
  writeFileSync(path, new Uint8Array(Uint32Array.from({ length: 2_600_123 }, (_, index) => index).buffer)),
);
afterAll(() => rmSync(directory, { recursive: true }));

async function collect(startOffset: number, synchronousReads: boolean, readMs: number) {
  let now = 0;
  let synchronous = 0;
  const clock = {
    now: () => {
      synchronous++;
      now += readMs;
      return now;
    },
  };
  const pieces: Buffer[] = [];
  for await (const chunk of fileChunks(openSync(path, 'r'), path, startOffset, synchronousReads, clock)) {
    pieces.push(Buffer.from(chunk));
  }
  return { bytes: Buffer.concat(pieces), synchronous: synchronous / 2 };
}

describe('fileChunks', () => {
  const whole = Math.ceil((4 * 2_600_123) / chunkBytes);

  test.for([
    { reads: 'fast', synchronousReads: true, readMs: 0.1, synchronous: whole + 1 },
    // One, then 32 from the thread pool, then one, and the pool has the rest; the last finds the end.
    { reads: 'slow', synchronousReads: true, readMs: 5, synchronous: 3 },
    { reads: 'not to be synchronous', synchronousReads: false, readMs: 0.1, synchronous: 0 },
  ])('gives every byte once, in order, where reads are $reads', async ({ synchronousReads, readMs, synchronous }) => {
    const found = await collect(0, synchronousReads, readMs);

    expect(found.bytes.equals(readFileSync(path))).toBe(true);
    expect(found.synchronous).toBe(synchronous);
    const tail = await collect(4_000_001, synchronousReads, readMs);
    expect(tail.bytes.equals(readFileSync(path).subarray(4_000_001))).toBe(true);
  });
});
