import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fifo } from './fifo.ts';

test('a Fifo behaves as an array does', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 2_000 })), { maxLength: 20 }), (steps) => {
      const fifo = new Fifo<number>();
      const model: number[] = [];
      let pushed = 0;
      for (const [isPush, count] of steps) {
        for (let index = 0; index < count; index++) {
          if (isPush) {
            fifo.push(pushed);
            model.push(pushed++);
          } else if (fifo.peek() !== model[0] || fifo.shift() !== model.shift()) throw new Error('differs');
        }
        expect(fifo.length).toBe(model.length);
      }
    }),
  );
});
