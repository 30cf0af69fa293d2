/** The verbs of `cadre-bench`, each to an exit code; `cli.ts` parses what the user typed. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type CaseComparison, comparePackage, describeBusy, findNoise } from './baseline.ts';
import { type FoundCase, findCases } from './case.ts';
import { readEnvironment } from './environment.ts';
import { BenchError } from './errors.ts';
import { type Screen, showProgress } from './progress.ts';
import { type BenchmarkRecord, formatRecord, readRecord, writeRecord } from './record.ts';
import { renderMarkdown } from './report/markdown.ts';
import { renderComparison, renderEnvironment, renderPackage } from './report/terminal.ts';
import { type RunOptions, runBenchmarks } from './run.ts';

/** Documented in the README. */
export const exitCodes = { done: 0, slower: 1, usage: 2, caseFailed: 3, tooNoisy: 4, interrupted: 130 } as const;

export interface CommandOptions {
  /** A package or a case; all where undefined. */
  readonly filter?: string | undefined;
  readonly casesDirectory: string;
  readonly baselinesDirectory: string;
  readonly resultsDirectory: string;
  readonly settings: Pick<RunOptions, 'rounds' | 'batchMs' | 'warmupMs' | 'measureMs'>;
  readonly signal: AbortSignal;
  readonly screen: Screen;
  /** Where the record goes; a file named by the time in the results folder where undefined. */
  readonly outFile?: string | undefined;
}

export async function runCommand(options: CommandOptions): Promise<number> {
  const record = await measureAndKeep(options);
  return countFailures(record) > 0 ? exitCodes.caseFailed : exitCodes.done;
}

/** Measures now and holds it against the stored baselines. What looks slower is measured a second time before it counts. */
export async function compareCommand(options: CommandOptions): Promise<number> {
  const { screen, signal } = options;
  const found = await findCases(options.casesDirectory, options.filter);
  const names = [...new Set(found.map(({ packageName }) => packageName))];
  const baselines = new Map<string, BenchmarkRecord>();
  for (const name of names) {
    const baseline = await readBaseline(options, name);
    if (baseline !== undefined) baselines.set(name, baseline);
    else screen.write(`${name} has no baseline: store one with \`cadre-bench baseline ${name}\`.\n`);
  }
  if (baselines.size === 0) return exitCodes.usage;
  const busy = describeBusy(await readEnvironment(process.cwd(), signal));
  if (busy !== undefined) {
    screen.write(`Too noisy, nothing was measured: ${busy}\n`);
    return exitCodes.done;
  }
  const comparable = found.filter(({ packageName }) => baselines.has(packageName));
  const record = await measure(options, comparable);
  await keepRecord(options, record);
  const first = compareWith(baselines, record);
  const suspects = new Set(first.filter(isSlower).map(({ name }) => name));
  let confirmed: readonly CaseComparison[] = [];
  if (suspects.size > 0) {
    screen.write(`Slower at first sight, so measured once more: ${[...suspects].join(', ')}\n`);
    const suspectCases = comparable.filter(({ name }) => suspects.has(name));
    confirmed = compareWith(baselines, await measure(options, suspectCases)).filter(({ name }) => suspects.has(name));
  }
  const measured = new Set(comparable.map(({ name }) => name));
  const final = first
    .filter((entry) => isAsked(options, entry, measured))
    .map((entry) => (isSlower(entry) ? confirm(entry, confirmed) : entry));
  for (const name of baselines.keys()) {
    const shown = final.filter((entry) => entry.name.startsWith(`${name}/`));
    screen.write(`${renderComparison(name, shown)}\n`);
  }
  const slower = final.filter(isSlower).map(({ name }) => name);
  screen.write(`${summarise(slower, final)}\n`);
  if (slower.length > 0) return exitCodes.slower;
  return countFailures(record) > 0 ? exitCodes.caseFailed : exitCodes.done;
}

/** Measures, or takes a kept record, and stores each package's part as its baseline. */
export async function baselineCommand(
  options: CommandOptions & { readonly fromFile?: string | undefined; readonly force: boolean },
): Promise<number> {
  const { fromFile, screen, force } = options;
  const record = fromFile === undefined ? await measureAndKeep(options) : await readRecord(fromFile);
  const noise = findNoise(record);
  if (noise !== undefined && !force) {
    screen.write(
      `Too noisy, no baseline was stored: ${noise}\nWait for a quiet machine, or store it all the same with --force.\n`,
    );
    return exitCodes.tooNoisy;
  }
  if (countFailures(record) > 0) {
    screen.write('A case failed, so no baseline was stored.\n');
    return exitCodes.caseFailed;
  }
  const chosen = record.packages.filter(({ name }) => options.filter === undefined || options.filter === name);
  if (chosen.length === 0) {
    screen.write(
      `A baseline is stored for a whole package; this record has ${record.packages.map(({ name }) => name).join(', ')}.\n`,
    );
    return exitCodes.usage;
  }
  for (const entry of chosen) {
    const path = baselinePath(options, entry.name);
    await writeRecord(path, { ...record, packages: [entry] });
    screen.write(`stored ${path}\n`);
  }
  return exitCodes.done;
}

/** Prints a kept record: the newest where no file is named. */
export async function reportCommand(
  options: Pick<CommandOptions, 'resultsDirectory' | 'screen'> & {
    readonly file?: string | undefined;
    readonly format: 'terminal' | 'markdown' | 'json';
  },
): Promise<number> {
  const record = await readRecord(options.file ?? (await findNewestRecord(options.resultsDirectory)));
  const text = {
    terminal: () => [renderEnvironment(record.environment), '', ...record.packages.map(renderPackage)].join('\n'),
    markdown: () => renderMarkdown(record),
    json: () => formatRecord(record),
  }[options.format]();
  options.screen.write(`${text}\n`);
  return exitCodes.done;
}

async function measureAndKeep(options: CommandOptions): Promise<BenchmarkRecord> {
  const record = await measure(options, await findCases(options.casesDirectory, options.filter));
  await keepRecord(options, record);
  return record;
}

async function measure(options: CommandOptions, cases: readonly FoundCase[]): Promise<BenchmarkRecord> {
  const record = await runBenchmarks({
    cases,
    workDirectory: join(options.resultsDirectory, `work-${process.pid}`),
    ...options.settings,
    signal: options.signal,
    onProgress: showProgress(options.screen, { now: () => performance.now() }),
  });
  options.screen.write(`${renderEnvironment(record.environment)}\n`);
  return record;
}

async function keepRecord(options: CommandOptions, record: BenchmarkRecord): Promise<void> {
  const name = `${record.createdAt.replace(/[:.]/g, '-')}.json`;
  const path = options.outFile ?? join(options.resultsDirectory, name);
  await writeRecord(path, record);
  options.screen.write(`record: ${path}\n\n`);
}

async function readBaseline(options: CommandOptions, name: string): Promise<BenchmarkRecord | undefined> {
  try {
    return await readRecord(baselinePath(options, name));
  } catch (error) {
    if (error instanceof BenchError && error.code === 'BENCH_RECORD_NOT_FOUND') return undefined;
    throw error;
  }
}

function baselinePath(options: CommandOptions, name: string): string {
  return join(options.baselinesDirectory, `${name}.json`);
}

function compareWith(
  baselines: ReadonlyMap<string, BenchmarkRecord>,
  record: BenchmarkRecord,
): readonly CaseComparison[] {
  return record.packages.flatMap((entry) => {
    const baseline = baselines.get(entry.name)?.packages.find(({ name }) => name === entry.name);
    return baseline === undefined ? [] : comparePackage(entry, baseline);
  });
}

function confirm(first: CaseComparison, confirmed: readonly CaseComparison[]): CaseComparison {
  const second = confirmed.find(({ name }) => name === first.name);
  if (second !== undefined && isSlower(second)) return first;
  const { reason: _, ...rest } = second ?? first;
  return { ...rest, outcome: 'inconclusive', reason: 'It looked slower once and not the second time.' };
}

/** A baseline's cases outside the filter are not "gone". */
function isAsked({ filter }: CommandOptions, entry: CaseComparison, measured: ReadonlySet<string>): boolean {
  return filter === undefined || !filter.includes('/') || measured.has(entry.name);
}

function summarise(slower: readonly string[], all: readonly CaseComparison[]): string {
  const count = (outcome: CaseComparison['outcome']) => all.filter((entry) => entry.outcome === outcome).length;
  const rest =
    `${count('faster')} faster, ${count('inconclusive')} without a proven change, ` +
    `${count('tooNoisy')} too noisy, ${count('notComparable')} not comparable`;
  return slower.length > 0 ? `Slower: ${slower.join(', ')}; ${rest}.` : `No proven regression: ${rest}.`;
}

function isSlower({ outcome }: CaseComparison): boolean {
  return outcome === 'slower';
}

function countFailures({ packages }: BenchmarkRecord): number {
  return packages.reduce((sum, { failures }) => sum + failures.length, 0);
}

async function findNewestRecord(directory: string): Promise<string> {
  const names = await readdir(directory).catch(() => []);
  const newest = names
    .filter((name) => /^\d{4}-.*\.json$/.test(name))
    .sort()
    .at(-1);
  if (newest !== undefined) return join(directory, newest);
  throw new BenchError('BENCH_RECORD_NOT_FOUND', `There is no record in ${directory}: run \`cadre-bench run\` first.`);
}
