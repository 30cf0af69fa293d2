/** What the verbs that measure have in common: a run with its progress on the screen, and its record in a file. */
import { join, resolve } from 'node:path';
import type { MeasuringOptions } from '../command.ts';
import type { Environment } from '../environment.ts';
import { type FoundCase, findCases } from '../find-cases.ts';
import { showProgress } from '../progress.ts';
import { type BenchmarkRecord, writeRecord } from '../record.ts';
import { renderEnvironment } from '../report/terminal.ts';
import { runBenchmarks } from '../run.ts';
import { withSourceHashes } from '../source-hash.ts';

export async function measureAndKeep(options: MeasuringOptions): Promise<BenchmarkRecord> {
  const record = await measure(options, await findCases(options.casesDirectory, options.filter));
  await keepRecord(options, record);
  return record;
}

interface MeasureHow {
  readonly run?: typeof runBenchmarks;
  /** As it was read just before. */
  readonly environment?: Environment;
}

export async function measure(
  options: MeasuringOptions,
  cases: readonly FoundCase[],
  { run = runBenchmarks, environment }: MeasureHow = {},
): Promise<BenchmarkRecord> {
  const measured = await run({
    cases,
    workDirectory: join(options.resultsDirectory, `work-${process.pid}`),
    ...options.settings,
    onMissing: options.onMissing,
    ...(environment === undefined ? {} : { environment }),
    signal: options.signal,
    onProgress: showProgress(options.screen, { now: () => performance.now() }),
  });
  options.screen.write(`${renderEnvironment(measured.environment)}\n`);
  return withSourceHashes(measured, resolve('packages'));
}

export async function keepRecord(options: MeasuringOptions, record: BenchmarkRecord): Promise<void> {
  const name = `${record.createdAt.replace(/[:.]/g, '-')}.json`;
  const path = options.outFile ?? join(options.resultsDirectory, name);
  await writeRecord(path, record);
  options.screen.write(`record: ${path}\n\n`);
}
