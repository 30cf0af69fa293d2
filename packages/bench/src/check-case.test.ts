import { describe, expect, test } from 'vitest';
import { defineCase } from './case.ts';
import { checkCase } from './check-case.ts';

describe('checkCase', () => {
  const closed: string[] = [];
  const counting = (name: string, factor: number) => () => ({
    run: (iterations: number) => iterations * factor,
    close: () => void closed.push(name),
  });
  const options = { iterations: 3, directoryFor: async () => '/nowhere' };

  test('runs, validates and closes every variant', async () => {
    const definition = defineCase<number>({
      question: 'Does it count?',
      unit: 'count',
      validate: (result, iterations) => expect(result).toBe(iterations),
      variants: { cadre: counting('cadre', 1), rival: counting('rival', 1) },
    });
    closed.length = 0;
    await checkCase('sample/count', definition, options);
    expect(closed).toEqual(['cadre', 'rival']);
  });

  test('refuses a timed variant that gives another result the second time', async () => {
    let total = 0;
    const definition = defineCase<number>({
      question: 'Does it count?',
      unit: 'count',
      validate: (result, iterations) => expect(result).toBe(iterations),
      variants: {
        cadre: () => ({
          run(iterations) {
            total += iterations;
            return total;
          },
        }),
      },
    });
    expect(await rejection(checkCase('sample/count', definition, options))).toMatchObject({
      message: expect.stringContaining('expected 4 to be 3'),
    });
  });

  test('refuses variants that did unequal work', async () => {
    const definition = defineCase<number>({
      question: 'Does it count?',
      unit: 'count',
      validate: () => undefined,
      variants: { cadre: counting('cadre', 1), rival: counting('rival', 2) },
    });
    expect(await rejection(checkCase('sample/count', definition, options))).toMatchObject({
      code: 'BENCH_UNEQUAL_WORK',
      message: expect.stringContaining('rival did other work than cadre: 6 against 3'),
    });
  });
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
