import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRingMemory, RingReader, RingWriter } from './ring.ts';

const headerBytes = 64;

describe('ring', () => {
  // Without `align`, the number of a record that begins at an odd place is read from another.
  test('hands on the bytes that were written, however they are cut and whenever they are read', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 3_000 }), fc.boolean()), { maxLength: 60 }), (steps) => {
        const memory = createRingMemory(1_024);
        const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
        const sent: number[] = [];
        const received: number[] = [];
        const read = () => received.push(...(reader.read() ?? []));
        for (const [size, isReadAfter] of steps) {
          const bytes = Uint8Array.from({ length: size }, (_, index) => (sent.length + index) & 255);
          for (let from = 0; from < size; ) {
            const written = writer.write(bytes, from);
            from += written;
            if (written === 0) {
              expect(reader.takeWaitingWriter()).toBe(true);
              read();
            }
          }
          sent.push(...bytes);
          if (isReadAfter) read();
        }
        read();
        expect(received).toEqual(sent);
      }),
      { numRuns: 200 },
    );
  });

  test('asks to be woken once a sleep, and does not sleep over what is there', () => {
    const memory = createRingMemory(1_024);
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
    expect(reader.sleep()).toBe(true);
    writer.write(new Uint8Array(4), 0);
    expect([writer.takeSleepingReader(), writer.takeSleepingReader()]).toEqual([true, false]);
    expect(reader.sleep()).toBe(false);
    expect(reader.read()).toHaveLength(4);
    expect(reader.read()).toBe(undefined);
  });

  test('never reads a record that was begun and not finished, and knows of it', () => {
    const memory = createRingMemory(1_024);
    const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
    writer.write(Uint8Array.of(1, 2, 3), 0);
    // What a thread leaves that dies while it copies: a number being written, a length, a few bytes.
    new Int32Array(memory)[4] = 2;
    new Uint32Array(memory, headerBytes)[4] = 500;
    expect(reader.read()).toEqual(Buffer.of(1, 2, 3));
    expect(reader.read()).toBe(undefined);
    expect(reader.isTorn).toBe(true);
  });

  test('refuses memory in which lengths or numbers make no sense', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1 }), fc.integer({ min: 1, max: 2 ** 31 - 1 }), (which, noise) => {
        const memory = createRingMemory(1_024);
        const [writer, reader] = [new RingWriter(memory), new RingReader(memory)];
        writer.write(new Uint8Array(100), 0);
        const words = new Uint32Array(memory, headerBytes);
        const before = words[which] ?? 0;
        words[which] = before + 8 + noise;
        expect(() => reader.read()).toThrow(expect.objectContaining({ code: 'BUS_PROTOCOL' }));
      }),
    );
  });
});
