/** What was claimed beside what was measured, as plain text and as Markdown. */
import type { BenchmarkRecord, ClaimRecord, ClaimUnit } from '../record.ts';
import type { Interval } from '../stats.ts';
import { formatColumns, formatDuration, formatTimes } from './format.ts';

export const claimWords: Readonly<Record<ClaimRecord['verdict'], string>> = {
  met: 'met',
  missed: 'NOT MET',
  level: 'level',
  unclaimed: 'none claimed',
};

const columns = ['workload', 'figure', 'claimed', 'measured', ''] as const;

/** The empty string where the record has no workloads. */
export function renderWorkloads({ workloads = [] }: BenchmarkRecord): string {
  if (workloads.length === 0) return '';
  const claims = workloads.flatMap(({ name, claims: ofOne }) =>
    ofOne.map((claim) => ({ name: shortName(name), claim })),
  );
  const rows = claims.map(({ name, claim }) => [`  ${name}`, ...claimCells(claim)]);
  const [first, ...others] = columns;
  const reasons = claims.map(({ name, claim }) => `  ${name}, ${claim.what}: ${claim.reason}`);
  return [...formatColumns([[`  ${first}`, ...others], ...rows], [false, false, true, true]), '', ...reasons].join(
    '\n',
  );
}

/** Nothing where the record has no workloads. */
export function renderWorkloadTable({ workloads = [] }: BenchmarkRecord): readonly string[] {
  if (workloads.length === 0) return [];
  const rows = workloads.flatMap(({ name, claims }) =>
    claims.map((claim) => `| ${[shortName(name), ...claimCells(claim), claim.reason].map(escapeCell).join(' | ')} |`),
  );
  return [
    `| ${[...columns.slice(0, 4), 'verdict', 'because'].join(' | ')} |`,
    '|---|---|---:|---:|---|---|',
    ...rows,
    '',
  ];
}

export function formatClaimed({ claimed, unit }: ClaimRecord): string {
  if (claimed === undefined) return '—';
  // As it was claimed, to the last digit.
  if (unit === 'times' || unit === 'timesExactly') return `${claimed.toLocaleString('en')}×`;
  return unit === 'perSecond' && claimed < 1e6 ? `${claimed.toLocaleString('en')}/s` : formatFigure(claimed, unit);
}

/** `1.02 ms (0.98 ms–1.1 ms)` */
export function formatMeasured({ measured, unit }: ClaimRecord): string {
  return formatFigureInterval(measured, unit);
}

function formatFigure(value: number, unit: ClaimUnit): string {
  if (unit === 'nanoseconds') return formatDuration(value);
  if (unit === 'times') return formatTimes(value);
  if (unit === 'timesExactly') return `${value.toFixed(4)}×`;
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M/s`;
  return `${Number(value.toPrecision(3)).toLocaleString('en')}/s`;
}

export function shortName(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

function claimCells(claim: ClaimRecord): readonly string[] {
  return [claim.what, formatClaimed(claim), formatMeasured(claim), claimWords[claim.verdict]];
}

function formatFigureInterval({ estimate, low, high }: Interval, unit: ClaimUnit): string {
  return `${formatFigure(estimate, unit)} (${formatFigure(low, unit)} to ${formatFigure(high, unit)})`;
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
