/**
 * `cadre-bench compare`: measures now and holds it against the stored baselines. What looks slower is measured a second
 * time before it counts.
 */
import { comparePackage, describeBusy, runtimeOf } from '../baseline.ts';
import {
  defineCommand,
  exitCodeOf,
  exitCodes,
  type MeasuringOptions,
  measuringOptions,
  resolveMeasuring,
  UsageError,
} from '../command.ts';
import { type CaseComparison, confirm, correctForMany, isRegression, summarise } from '../comparison.ts';
import { readEnvironment } from '../environment.ts';
import { findCases } from '../find-cases.ts';
import { type BenchmarkRecord, countFailures } from '../record.ts';
import { renderComparison } from '../report/terminal.ts';
import { readBaseline } from './baseline.ts';
import { compareAgainst } from './compare-against.ts';
import { keepRecord, measure } from './measure-and-keep.ts';

export const compareCommand = defineCommand({
  summary: 'measure the cases and hold them against the stored baselines, or another commit',
  positional: '[package[/case]]',
  options: {
    ...measuringOptions,
    against: { type: 'string', value: 'REF', help: 'build that commit and measure it in the same rounds' },
    install: { type: 'string', value: 'COMMAND', help: 'against: instead of what its lock file asks for' },
    build: { type: 'string', value: 'COMMAND', help: 'against: instead of npm run build' },
    force: { type: 'boolean', default: false, help: 'against: measure although the machine is busy' },
  },
  async run(typed, context) {
    const options = resolveMeasuring(typed, context);
    const { against: ref, install: installCommand, build: buildCommand, force } = typed.values;
    if (ref !== undefined) return compareAgainst(options, { ref, installCommand, buildCommand, force });
    const extra = Object.entries({
      '--install': installCommand,
      '--build': buildCommand,
      '--force': force || undefined,
    });
    const stray = extra.find(([, value]) => value !== undefined);
    if (stray !== undefined) throw new UsageError(`${stray[0]} goes with --against only.`);
    return compareWithBaselines(options);
  },
});

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
  const environment = await readEnvironment(process.cwd(), signal);
  const busy = describeBusy(environment);
  if (busy !== undefined) {
    screen.write(`Too noisy, nothing was measured: ${busy}\n`);
    return exitCodes.tooNoisy;
  }
  const comparable = found.filter(({ packageName }) => baselines.has(packageName));
  const record = await measure(options, comparable, { environment });
  await keepRecord(options, record);
  const measured = new Set(comparable.map(({ name }) => name));
  const asked = compareWith(baselines, record).filter((entry) => isAsked(options, entry, measured));
  const first = correctForMany(asked);
  const suspects = new Set(first.filter(isRegression).map(({ name }) => name));
  let confirmed: readonly CaseComparison[] = [];
  if (suspects.size > 0) {
    screen.write(`Worse at first sight, so measured once more: ${[...suspects].join(', ')}\n`);
    const again = await measure(
      options,
      comparable.filter(({ name }) => suspects.has(name)),
      { environment },
    );
    confirmed = correctForMany(compareWith(baselines, again).filter(({ name }) => suspects.has(name)));
  }
  const final = first.map((entry) => confirm(entry, confirmed));
  for (const name of baselines.keys()) {
    const shown = final.filter((entry) => entry.name.startsWith(`${name}/`));
    screen.write(`${renderComparison(name, shown)}\n`);
  }
  screen.write(`${summarise(final)}\n`);
  if (countFailures(record) > 0 && !final.some(isRegression)) return exitCodes.caseFailed;
  return exitCodeOf(final);
}

function compareWith(
  baselines: ReadonlyMap<string, BenchmarkRecord>,
  record: BenchmarkRecord,
): readonly CaseComparison[] {
  return record.packages.flatMap((entry) => {
    const stored = baselines.get(entry.name);
    const baseline = stored?.packages.find(({ name }) => name === entry.name);
    if (stored === undefined || baseline === undefined) return [];
    const runtimes = { now: runtimeOf(record.environment), baseline: runtimeOf(stored.environment) };
    return comparePackage(entry, baseline, runtimes);
  });
}

/** A baseline's cases outside the filter are not "gone". */
function isAsked({ filter }: MeasuringOptions, entry: CaseComparison, measured: ReadonlySet<string>): boolean {
  return filter === undefined || !filter.includes('/') || measured.has(entry.name);
}
