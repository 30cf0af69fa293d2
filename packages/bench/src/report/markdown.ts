/** A record as Markdown tables, for a README or a pull request. */
import type { BenchmarkRecord, CaseRecord } from '../record.ts';
import { median } from '../stats.ts';
import { formatDuration, formatMebibytes, formatRatio } from './format.ts';
import { renderEnvironment } from './terminal.ts';

export function renderMarkdown(record: BenchmarkRecord): string {
  const { createdAt, environment, settings, packages } = record;
  const preface = `Measured ${createdAt.slice(0, 10)}: ${renderEnvironment(environment)}, medians of ${settings.rounds} rounds.`;
  const sections = packages.flatMap(({ name, cases }) => [`## ${name}`, '', ...cases.flatMap(renderCase)]);
  return [preface, '', ...sections].join('\n');
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
