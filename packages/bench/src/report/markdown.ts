/** A record as Markdown tables, for a README or a pull request. */
import type { KindRecord } from '../kind-records.ts';
import { describeLeftOut } from '../needs.ts';
import type { BenchmarkRecord, CaseRecord, PackageRecord } from '../record.ts';
import { median } from '../stats.ts';
import { formatDuration, formatMebibytes, formatRatio } from './format.ts';
import { kindTable } from './kind-tables.ts';
import { renderEnvironment } from './terminal.ts';
import { renderWorkloadTable } from './workloads.ts';

export function renderMarkdown(record: BenchmarkRecord): string {
  const { createdAt, environment, settings, packages } = record;
  const preface = `Measured ${createdAt.slice(0, 10)}: ${renderEnvironment(environment)}, medians of ${settings.rounds} rounds.`;
  const sections = packages.flatMap((entry) => [
    `## ${entry.name}`,
    '',
    ...entry.cases.flatMap(renderCase),
    ...entry.kinds.flatMap(renderKind),
    ...renderMissing(entry),
  ]);
  return [preface, '', ...renderWorkloadTable(record), ...sections].join('\n');
}

/** What has no table, and why. */
function renderMissing({ leftOut, failures }: PackageRecord): readonly string[] {
  const lines = [
    ...leftOut.map((entry) => `- ${describeLeftOut(entry)}`),
    ...failures.map(({ case: name, message }) => `- ${name} could not be measured: ${message.split('\n', 1)[0]}`),
  ];
  return lines.length === 0 ? [] : [...lines, ''];
}

function renderCase(entry: CaseRecord): readonly string[] {
  const rows = Object.entries(entry.variants).map(([variant, figures]) => {
    const times = variant === entry.reference ? '1' : formatRatio(figures.timesReference);
    const memory = formatMebibytes(median(figures.peakRssBytes));
    return `| ${variant} | ${formatDuration(figures.nanosecondsPerUnit)} | ${times} | ${memory} |`;
  });
  return [
    `**${entry.name}**: ${entry.question}`,
    '',
    `| variant | per ${entry.unit} | time, ${entry.reference} = 1 | peak memory |`,
    '|---|---:|---:|---:|',
    ...rows,
    '',
  ];
}

function renderKind(entry: KindRecord): readonly string[] {
  const { header, rows, textColumns, notes } = kindTable(entry);
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = `|${header.map((_, column) => (textColumns.includes(column) ? '---|' : '---:|')).join('')}`;
  const below = notes.length === 0 ? [] : ['', ...notes.map((note) => `- ${note}`)];
  return [`**${entry.name}**: ${entry.question}`, '', row(header), rule, ...rows.map(row), ...below, ''];
}
