/**
 * `cadre-bench compare`: measures now and holds it against the stored baselines. What looks slower is measured a second
 * time before it counts.
 */
import { parseArgs } from 'node:util';
import { type CaseComparison, comparePackage, describeBusy } from '../baseline.ts';
import {
  type Command,
  exitCodes,
  folderOptions,
  type MeasuringOptions,
  measuringOptions,
  measuringUsage,
  resolveMeasuring,
} from '../command.ts';
import { readEnvironment } from '../environment.ts';
import { findCases } from '../find-cases.ts';
import { type BenchmarkRecord, countFailures } from '../record.ts';
import { renderComparison } from '../report/terminal.ts';
import { readBaseline } from './baseline.ts';
import { keepRecord, measure } from './measure-and-keep.ts';

export const compareCommand: Command = {
  summary: 'measure the cases and hold them against the stored baselines',
  usage: ['[package[/case]]', ...measuringUsage],
  async run(args, context) {
    const parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...folderOptions, ...measuringOptions },
    });
    return compareWithBaselines(resolveMeasuring(parsed, context));
  },
};

async function compareWithBaselines(options: MeasuringOptions): Promise<number> {
  const { screen, signal } = options;
  const found = await findCases(options.casesDirectory, options.filter);
  const names = [...new Set(found.map(({ packageName }) => packageName))];
  const baselines = new Map<string, BenchmarkRecord>();
  for (const name of names) {
    const baseline = await readBaseline(options.baselinesDirectory, name);
    if (baseline !== undefined) baselines.set(name, baseline);
    else screen.write(`${name} has no baseline: store one with \`cadre-bench baseline ${name}\`.\n`);
  }
  if (baselines.size === 0) return exitCodes.usage;
  const busy = describeBusy(await readEnvironment(process.cwd(), signal));
  if (busy !== undefined) {
    screen.write(`Too noisy, nothing was measured: ${busy}\n`);
    return exitCodes.tooNoisy;
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
function isAsked({ filter }: MeasuringOptions, entry: CaseComparison, measured: ReadonlySet<string>): boolean {
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
