import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Environment, readEnvironment } from './environment.ts';
import { findCases } from './find-cases.ts';
import { type RunProgress, runBenchmarks } from './run.ts';

const samples = fileURLToPath(new URL('../test/sample-cases', import.meta.url));
const times = { rounds: 2, batchMs: 1, warmupMs: 1, measureMs: 2 };
let directory: string;
/** Read once: it takes a second. */
let brief: typeof times & { readonly environment: Environment };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cadre-bench-'));
  brief = { ...times, environment: await readEnvironment(directory) };
});
afterAll(() => rm(directory, { recursive: true }));

describe('runBenchmarks', () => {
  test('measures every variant in every round, beside a control that is measured twice', async () => {
    const progress: RunProgress[] = [];
    const workDirectory = join(directory, 'complete');
    const record = await runBenchmarks({
      cases: await findCases(samples, 'sample'),
      workDirectory,
      ...brief,
      onProgress: (event) => progress.push(event),
    });
    const [sample] = record.packages;
    expect(sample?.failures).toEqual([]);
    expect(sample?.controls.cpu?.first).toHaveLength(2);
    expect(sample?.controls.cpu?.second).toHaveLength(2);
    expect(sample?.cases.map(({ name, reference }) => [name, reference])).toEqual([
      ['sample/sum', 'cadre'],
      ['sample/turn', 'cadre'],
    ]);
    const sum = sample?.cases[0]?.variants;
    expect(Object.keys(sum ?? {})).toEqual(['cadre', 'twice']);
    expect(sum?.twice?.samples).toHaveLength(2);
    expect(sum?.twice?.peakRssBytes.every((bytes) => bytes > 2 ** 20)).toBe(true);
    expect(sum?.cadre?.timesReference).toEqual({ estimate: 1, low: 1, high: 1 });
    const started = progress.filter(({ type }) => type === 'processStarted');
    expect(started).toHaveLength((2 + 3) * (1 + brief.rounds));
    expect(existsSync(workDirectory)).toBe(false);
  });

  test('records what a broken case did, each with its reason, and measures nothing of it', async () => {
    const cases = await findCases(samples, 'broken');
    const record = await runBenchmarks({ cases, workDirectory: join(directory, 'broken'), ...brief });
    const [broken] = record.packages;
    expect(broken?.cases).toEqual([]);
    expect(broken?.failures.map(({ case: name, code }) => [name, code])).toEqual([
      ['broken/no-case', 'BENCH_CASE_INVALID'],
      ['broken/exits', 'BENCH_WORKER_FAILED'],
      ['broken/wrong-later', 'BENCH_WORKER_FAILED'],
      ['broken/unequal', 'BENCH_UNEQUAL_WORK'],
    ]);
    expect(broken?.failures[1]?.message).toContain('exited with code 7');
    expect(broken?.failures[2]?.message).toContain('3 of 4');
  });

  test('ends a process that takes too long, with all it started', async () => {
    const cases = await findCases(samples, 'sample/turn');
    const running = runBenchmarks({ cases, workDirectory: join(directory, 'late'), ...brief, timeoutMs: 1 });
    await expect(running).rejects.toMatchObject({ code: 'BENCH_WORKER_TIMEOUT' });
  });

  test('stops when aborted, with the reason given', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const workDirectory = join(directory, 'aborted');
    const running = runBenchmarks({
      cases: await findCases(samples, 'sample'),
      workDirectory,
      ...brief,
      signal: controller.signal,
      onProgress: ({ type }) => type === 'processStarted' && controller.abort(reason),
    });
    await expect(running).rejects.toBe(reason);
    expect(existsSync(workDirectory)).toBe(false);
  });

  test('reads how busy the machine is where nobody did', async () => {
    const { environment } = await runBenchmarks({ cases: [], workDirectory: join(directory, 'none'), ...times });
    expect(environment).toMatchObject({ node: process.version, busyShare: expect.any(Number) });
  });

  test('refuses settings that measure nothing', async () => {
    const options = { cases: [], workDirectory: directory };
    await expect(runBenchmarks({ ...options, rounds: 0 })).rejects.toThrow('rounds must be above 0, not 0');
    await expect(runBenchmarks({ ...options, rounds: 1.5 })).rejects.toThrow('rounds must be an integer, not 1.5');
  });
});
