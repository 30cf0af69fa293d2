import { describe, expect, test } from 'vitest';
import type { PreparedVariant } from './case.ts';
import { calibrateBatch, measureBatches, planBatches } from './measure.ts';

describe('calibrateBatch', () => {
  test('doubles until a batch is long enough', async () => {
    const { variant, clock } = simulate(1_500_000);
    const calibration = await calibrateBatch(variant, accept, { batchMs: 20, warmupMs: 0, clock });
    expect(calibration).toEqual({ iterations: 16, nanosecondsPerIteration: 1_500_000 });
  });

  test('leaves one iteration that is longer than a batch alone', async () => {
    const { variant, clock } = simulate(3e9);
    expect(await calibrateBatch(variant, accept, { batchMs: 20, warmupMs: 0, clock })).toMatchObject({ iterations: 1 });
  });

  test('goes on until the code is warm', async () => {
    const { variant, clock, calls } = simulate(25e6);
    await calibrateBatch(variant, accept, { batchMs: 20, warmupMs: 200, clock });
    expect(calls).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  test('gives every result to validate', async () => {
    const { variant, clock } = simulate(1e6);
    const refuse = (result: number) => {
      if (result === 4) throw new Error('wrong at four');
    };
    await expect(calibrateBatch(variant, refuse, { batchMs: 20, warmupMs: 0, clock })).rejects.toThrow('wrong at four');
  });

  test('refuses work that takes no time', async () => {
    const { variant, clock } = simulate(0);
    await expect(calibrateBatch(variant, accept, { batchMs: 20, warmupMs: 0, clock })).rejects.toThrow(
      'nothing is being done',
    );
  });
});

describe('planBatches', () => {
  test('fills the times with whole batches, at least one of each', () => {
    const times = { warmupMs: 100, measureMs: 200 };
    expect(planBatches({ iterations: 10, nanosecondsPerIteration: 2e6 }, times)).toEqual({
      iterations: 10,
      warmupBatches: 5,
      batches: 10,
    });
    expect(planBatches({ iterations: 1, nanosecondsPerIteration: 3e9 }, times)).toEqual({
      iterations: 1,
      warmupBatches: 1,
      batches: 1,
    });
  });
});

describe('measureBatches', () => {
  test('returns nanoseconds per iteration of each batch after the warm-up', async () => {
    const { variant, clock, calls } = simulate(500);
    const { samples, result } = await measureBatches(variant, { iterations: 8, warmupBatches: 2, batches: 3 }, clock);
    expect(samples).toEqual([500, 500, 500]);
    expect(result).toBe(8);
    expect(calls).toEqual([8, 8, 8, 8, 8]);
  });

  test('waits for asynchronous work', async () => {
    const { variant, clock } = simulate(700);
    const slow: PreparedVariant<number> = {
      async run(iterations) {
        await null;
        return variant.run(iterations);
      },
    };
    const { samples } = await measureBatches(slow, { iterations: 2, warmupBatches: 1, batches: 2 }, clock);
    expect(samples).toEqual([700, 700]);
  });
});

/** Work of a known cost on a clock that only that work moves. */
function simulate(nanosecondsPerIteration: number) {
  let now = 0;
  const calls: number[] = [];
  const variant = {
    run(iterations: number) {
      calls.push(iterations);
      now += iterations * nanosecondsPerIteration;
      return iterations;
    },
  };
  return { variant, calls, clock: { now: () => now } };
}

function accept(): void {
  // Every result is right here.
}
