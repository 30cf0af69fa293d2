/** Records and comparisons as plain text for a terminal or a log. */
import type { CaseComparison } from '../comparison.ts';
import type { Environment } from '../environment.ts';
import type { KindRecord } from '../kind-records.ts';
import { describeLeftOut } from '../needs.ts';
import type { CaseRecord, PackageRecord } from '../record.ts';
import { median } from '../stats.ts';
import { isEqual } from '../verdict.ts';
import { formatChange, formatColumns, formatDuration, formatMebibytes, formatRatio } from './format.ts';
import { kindTable } from './kind-tables.ts';

export function renderPackage(record: PackageRecord): string {
  return [
    `${record.name}`,
    ...renderControls(record),
    ...record.cases.flatMap((entry) => ['', ...renderCase(entry)]),
    ...record.kinds.flatMap((entry) => ['', ...renderKind(entry)]),
    ...record.leftOut.flatMap((entry) => ['', `  ${describeLeftOut(entry)}`]),
    ...record.failures.flatMap(({ case: name, message }) => ['', `  ${name} could not be measured: ${message}`]),
    '',
  ].join('\n');
}

export function renderEnvironment(environment: Environment): string {
  const { cpu, cores, node, platform, release, commit, dirty, busyShare } = environment;
  const code = commit === undefined ? '' : ` · commit ${commit.slice(0, 10)}${dirty ? ' with changes' : ''}`;
  return `${cpu} · ${cores} cores · ${platform} ${release} · Node ${node}${code} · ${Math.round(busyShare * 100)} % busy before`;
}

export function renderComparison(packageName: string, comparisons: readonly CaseComparison[]): string {
  const rows = comparisons.map(({ name, outcome, change, changeOf, peakRssBytes }) => [
    `  ${name}`,
    outcomeWords[outcome],
    change === undefined ? '' : `${formatChange(change)} ${changeOf ?? 'time'}`,
    peakRssBytes === undefined
      ? ''
      : `${formatMebibytes(peakRssBytes.now)} (was ${formatMebibytes(peakRssBytes.baseline)})`,
  ]);
  const header = ['  case', 'verdict', 'change', 'peak memory'];
  const reasons = comparisons.flatMap(({ name, reason }) => (reason === undefined ? [] : [`  ${name}: ${reason}`]));
  return [packageName, ...formatColumns([header, ...rows], [false, false, true, true]), ...reasons, ''].join('\n');
}

const outcomeWords: Readonly<Record<CaseComparison['outcome'], string>> = {
  faster: 'faster',
  slower: 'SLOWER',
  better: 'better',
  worse: 'WORSE',
  inconclusive: 'no proven change',
  tooNoisy: 'too noisy',
  notComparable: 'not comparable',
};

function renderControls(record: PackageRecord): readonly string[] {
  return Object.entries(record.controls).map(([name, control]) => {
    const figure = formatDuration(median([...control.first, ...control.second]));
    const calm = isEqual(control.selfRatio) ? 'equal' : 'too noisy to prove anything';
    return `  control ${name}: ${figure} per ${control.unit}; against itself ${formatRatio(control.selfRatio)}: ${calm}`;
  });
}

function renderKind(entry: KindRecord): readonly string[] {
  const { header, rows, textColumns, notes } = kindTable(entry);
  const lines = [header, ...rows].map(([first = '', ...cells]) => [`    ${first}`, ...cells]);
  const alignRight = header.map((_, column) => !textColumns.includes(column));
  const below = notes.map((note) => `    ${note}`);
  return [`  ${entry.name}: ${entry.question}`, ...formatColumns(lines, alignRight), ...below];
}

function renderCase(entry: CaseRecord): readonly string[] {
  const header = ['    variant', `per ${entry.unit}`, `time, ${entry.reference} = 1`, 'peak memory'];
  const rows = Object.entries(entry.variants).map(([variant, figures]) => [
    `    ${variant}`,
    formatDuration(figures.nanosecondsPerUnit),
    variant === entry.reference ? '1' : formatRatio(figures.timesReference),
    formatMebibytes(median(figures.peakRssBytes)),
  ]);
  return [`  ${entry.name}: ${entry.question}`, ...formatColumns([header, ...rows], [false, true, true, true])];
}
