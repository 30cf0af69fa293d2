import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { assertEqualWork, checkCase, defineCase, findCases, loadCase } from './case.ts';
import { BenchError } from './errors.ts';

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

describe('assertEqualWork', () => {
  test('compares what the results say, not in which order', () => {
    expect(() => assertEqualWork('a/b', { one: { x: 1, y: [2] }, two: { y: [2], x: 1 } })).not.toThrow();
    expect(() => assertEqualWork('a/b', { one: undefined, two: undefined })).not.toThrow();
    expect(() => assertEqualWork('a/b', { one: { x: 1 }, two: { x: 1, y: 2 } })).toThrow(BenchError);
  });
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
