import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { BenchError } from './errors.ts';
import { findCases, loadCase } from './find-cases.ts';

const samples = fileURLToPath(new URL('../test/sample-cases', import.meta.url));

describe('findCases', () => {
  test('finds all cases, those of a package, and one', async () => {
    const names = async (filter?: string) => (await findCases(samples, filter)).map(({ name }) => name);
    expect(await names()).toEqual([
      'broken/exits',
      'broken/no-case',
      'broken/unequal',
      'broken/wrong-later',
      'sample/sum',
      'sample/turn',
    ]);
    expect(await names('sample')).toEqual(['sample/sum', 'sample/turn']);
    expect(await names('sample/sum')).toEqual(['sample/sum']);
  });

  test('says which cases there are when nothing matches', async () => {
    const error = await rejection(findCases(samples, 'sampel'));
    expect(error).toBeInstanceOf(BenchError);
    expect(error).toMatchObject({ code: 'BENCH_CASE_NOT_FOUND', message: expect.stringContaining('sample/sum') });
  });

  test('asks to build where there is no folder', async () => {
    const error = await rejection(findCases(join(samples, 'missing')));
    expect(error).toMatchObject({ code: 'BENCH_CASE_NOT_FOUND', message: expect.stringContaining('build them first') });
  });
});

describe('loadCase', () => {
  test('loads the definition and hashes the file', async () => {
    const [found] = await findCases(samples, 'sample/sum');
    if (found === undefined) throw new TypeError('The sample case is missing.');
    const loaded = await loadCase(found);
    expect(loaded.definition.unit).toBe('number');
    expect(loaded.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test('refuses a file that is not a case', async () => {
    const [found] = await findCases(samples, 'broken/no-case');
    if (found === undefined) throw new TypeError('The sample case is missing.');
    expect(await rejection(loadCase(found))).toMatchObject({ code: 'BENCH_CASE_INVALID' });
  });
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
