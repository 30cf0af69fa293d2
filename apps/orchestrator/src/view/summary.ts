/** How a run came out: the last thing that is printed of it. */
import { attemptDirectory, type RunState } from '@cadre/workflow';
import type { Colors } from './colors.ts';
import { formatCount, formatDuration, formatMoney, formatNumber } from './format.ts';
import { plainLine, truncate } from './plain-text.ts';
import { shownPath } from './result.ts';
import type { RunModel } from './run-model.ts';

export interface SummaryOptions {
  readonly columns: number;
  readonly colors: Colors;
  readonly directory: string;
  readonly now: number;
  /** What to type, in this order, and why. */
  readonly next: readonly NextStep[];
}

export interface NextStep {
  readonly command: string;
  readonly why: string;
}

const mostFailures = 10;

export function summaryLines(model: RunModel, options: SummaryOptions): readonly string[] {
  const { colors } = options;
  const lines = [...failureLines(model, options), totalsLine(model, options)];
  const { reused } = model.state.counts;
  if (reused > 0) lines.push(reusedLine(model.state));
  if (options.next.length > 0) {
    const width = Math.max(...options.next.map(({ command }) => command.length));
    lines.push('', ...options.next.map(({ command, why }) => `  ${command.padEnd(width)}  ${colors.dim(why)}`));
  }
  return lines;
}

/** `reused 23 of 23 tasks (saved 14 s, $0.12)` */
function reusedLine({ counts, tasks, totals }: RunState): string {
  const saved = [formatDuration(totals.savedMs)];
  if (totals.savedUsd > 0) saved.push(formatMoney(totals.savedUsd));
  return `reused ${formatNumber(counts.reused)} of ${formatCount(tasks.length, 'task')} (saved ${saved.join(', ')})`;
}

function totalsLine(model: RunModel, { colors, now }: SummaryOptions): string {
  const { state } = model;
  const word = { succeeded: colors.green, failed: colors.red }[String(state.status)] ?? colors.yellow;
  const parts = [
    `${colors.bold(word(state.status))} in ${formatDuration((state.endedAt ?? now) - model.takenUpAt)}`,
    formatCount(state.totals.attempts, 'attempt'),
  ];
  const { failed, skipped, needFailed, cancelled } = state.counts;
  if (failed > 0) parts.push(colors.red(`${formatNumber(failed)} failed`));
  if (skipped + needFailed > 0) parts.push(`${formatNumber(skipped + needFailed)} skipped`);
  if (cancelled > 0) parts.push(`${formatNumber(cancelled)} cancelled`);
  if (model.usd > 0) parts.push(colors.yellow(formatMoney(model.usd)));
  return parts.join(' · ');
}

function failureLines(model: RunModel, { colors, columns, directory }: SummaryOptions): readonly string[] {
  const failed = model.state.plan.tasks.filter((task) => model.state.tasks.get(task.number).phase === 'failed');
  const lines = failed.slice(0, mostFailures).flatMap(({ id, number }) => {
    const { failure, attempt } = model.state.tasks.get(number);
    const message = truncate(plainLine(failure?.message ?? ''), Math.max(200, columns));
    const folder = shownPath(attemptDirectory(model.directory, id, attempt), directory);
    return [
      `${colors.red('✖')} ${colors.bold(id)} ${failure?.reason ?? 'failed'}: ${message}`,
      `  ${colors.dim(folder)}`,
    ];
  });
  if (failed.length > mostFailures) lines.push(`  … and ${formatNumber(failed.length - mostFailures)} more`);
  return lines.length === 0 ? [] : [...lines, ''];
}
