import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OutputTail } from './output.ts';

describe('OutputTail', () => {
  test('keeps exactly the last bytes, whatever the chunks', () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 0, maxLength: 9000 }), { maxLength: 12 });
    fc.assert(
      fc.property(chunks, fc.integer({ min: 0, max: 20_000 }), (parts, maxBytes) => {
        const ascii = parts.map((part) => part.map((byte) => byte & 0x7f));
        const tail = new OutputTail(maxBytes);
        for (const part of ascii) tail.push(part);
        const all = Buffer.concat(ascii);
        expect(tail.totalBytes).toBe(all.byteLength);
        expect(tail.text()).toBe(all.subarray(Math.max(0, all.byteLength - maxBytes)).toString('utf8'));
      }),
    );
  });

  test('leaves out a character that the bound cuts in half', () => {
    const tail = new OutputTail(5);
    tail.push(Buffer.from('aé€x'));
    expect(tail.text()).toBe('€x');
  });

  test('keeps a stray continuation byte when nothing was cut', () => {
    const tail = new OutputTail(5);
    tail.push(Uint8Array.of(0x80, 0x61));
    expect(tail.text()).toBe('\ufffda');
  });
});
