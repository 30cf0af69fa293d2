/**
 * Times one prepared variant inside its own process. The number of iterations in a batch is found once
 * (`calibrateBatch`) and then held fixed, so that every later process does exactly the same work.
 */
import type { PreparedVariant } from './case.ts';

export interface NanosecondClock {
  /** Nanoseconds from any fixed point; never goes back. */
  now(): number;
}

export interface CalibrationOptions {
  /** A batch lasts at least this long, and less than twice that unless one iteration is longer. */
  readonly batchMs: number;
  /** Work is done at least this long before the batch is settled, so that it is sized for compiled code. */
  readonly warmupMs: number;
  readonly clock: NanosecondClock;
}

export interface BatchPlan {
  /** Iterations of a batch. */
  readonly iterations: number;
  /** How many batches are thrown away before measuring. */
  readonly warmupBatches: number;
  readonly batches: number;
}

export interface Calibration {
  readonly iterations: number;
  readonly nanosecondsPerIteration: number;
}

export const processClock: NanosecondClock = { now: () => Number(process.hrtime.bigint()) };

/**
 * Doubles the batch until it is long enough, and goes on until the code is warm. Every batch's result is given to
 * `validate`, so that work which is right once and wrong when repeated is found before any time is taken.
 * @throws {RangeError} when 2^31 iterations take no time: the work was optimised away, or is not done at all
 */
export async function calibrateBatch<Result>(
  variant: PreparedVariant<Result>,
  validate: (result: Result, iterations: number) => void,
  { batchMs, warmupMs, clock }: CalibrationOptions,
): Promise<Calibration> {
  const warmAt = clock.now() + warmupMs * 1e6;
  let iterations = 1;
  for (;;) {
    const { nanoseconds, result } = await timeBatch(variant, iterations, clock);
    validate(result, iterations);
    if (iterations >= 2 ** 31)
      throw new RangeError(`${iterations} iterations took ${nanoseconds} ns: nothing is being done.`);
    const longEnough = nanoseconds >= batchMs * 1e6;
    if (longEnough && clock.now() >= warmAt) {
      return { iterations, nanosecondsPerIteration: nanoseconds / iterations };
    }
    if (!longEnough) iterations *= 2;
  }
}

/** How a variant is measured in every round, from its calibration. */
export function planBatches(
  { iterations, nanosecondsPerIteration }: Calibration,
  times: { readonly warmupMs: number; readonly measureMs: number },
): BatchPlan {
  const batchMs = (iterations * nanosecondsPerIteration) / 1e6;
  return {
    iterations,
    warmupBatches: Math.max(1, Math.round(times.warmupMs / batchMs)),
    batches: Math.max(1, Math.round(times.measureMs / batchMs)),
  };
}

/** Nanoseconds per iteration of each batch after the warm-up, and what the last batch returned. */
export async function measureBatches<Result>(
  variant: PreparedVariant<Result>,
  plan: BatchPlan,
  clock: NanosecondClock,
): Promise<{ readonly samples: readonly number[]; readonly result: Result }> {
  for (let batch = 0; batch < plan.warmupBatches; batch += 1) await timeBatch(variant, plan.iterations, clock);
  globalThis.gc?.();
  const samples: number[] = [];
  for (;;) {
    const { nanoseconds, result } = await timeBatch(variant, plan.iterations, clock);
    samples.push(nanoseconds / plan.iterations);
    if (samples.length >= plan.batches) return { samples, result };
  }
}

async function timeBatch<Result>(
  variant: PreparedVariant<Result>,
  iterations: number,
  clock: NanosecondClock,
): Promise<{ readonly nanoseconds: number; readonly result: Result }> {
  const start = clock.now();
  const returned = variant.run(iterations);
  // Awaiting what is not a promise would add a turn of the microtask queue to the time of synchronous work.
  const result = returned instanceof Promise ? await returned : returned;
  return { nanoseconds: clock.now() - start, result };
}
