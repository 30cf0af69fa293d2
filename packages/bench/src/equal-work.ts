/** Variants are held against each other only when they did the same work. */
import { isDeepStrictEqual } from 'node:util';
import { BenchError } from './errors.ts';

/** @throws {BenchError} BENCH_UNEQUAL_WORK when the variants' results, by variant, differ */
export function assertEqualWork(caseName: string, results: Readonly<Record<string, unknown>>): void {
  const [first, ...others] = Object.entries(results);
  for (const [variant, result] of others) {
    if (first === undefined || isDeepStrictEqual(asJson(result), asJson(first[1]))) continue;
    throw new BenchError(
      'BENCH_UNEQUAL_WORK',
      `${caseName}: ${variant} did other work than ${first[0]}: ` +
        `${JSON.stringify(result)} against ${JSON.stringify(first[1])}. Make them equal before timing them.`,
    );
  }
}

/** As it looks after the way through a pipe, which results of other processes have gone. */
function asJson(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
