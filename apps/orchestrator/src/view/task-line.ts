/** One task of a run as one line: its sign, how long it took, what it cost, and what is worth knowing beside that. */
import type { PlannedTask, TaskPhase } from '@cadre/workflow';
import { formatDuration, formatMoney, formatNumber } from './format.ts';
import { padEnd, padStart, plainLine, truncate } from './plain-text.ts';
import type { Activity, RunModel } from './run-model.ts';
import type { Span, Style } from './spans.ts';

export interface TaskLineOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Columns for the task's name. */
  readonly nameWidth: number;
}

export function taskLine(model: RunModel, task: PlannedTask, options: TaskLineOptions): readonly Span[] {
  const { now, nameWidth } = options;
  const { phase } = model.state.tasks.get(task.number);
  const activity = phase === 'running' ? model.activities.get(task.id) : undefined;
  const isQuiet = phase === 'blocked' || phase === 'doomed' || phase === 'ready' || phase === 'needFailed';
  const durationMs = activity === undefined ? model.durations.get(task.id) : now - activity.since;
  const isTimed = durationMs !== undefined && !isQuiet && phase !== 'reused' && phase !== 'skipped';
  const known = detail(model, task, activity, now);
  const isAlone = !isTimed && known.length === 0;
  const cut = truncate(task.id, nameWidth);
  const name = isAlone ? cut : padEnd(cut, nameWidth);
  const spans: Span[] = [sign(phase, now), ' ', isQuiet ? ['dim', name] : name];
  if (!isAlone) spans.push(['dim', ` ${padStart(isTimed ? formatDuration(durationMs) : '', 8)}`]);
  const usd = model.state.tasks.get(task.number).usd + (activity?.usd ?? 0);
  if (usd > 0) spans.push(['yellow', ` ${formatMoney(usd)}`]);
  return known.length === 0 ? spans : [...spans, '  ', ...known];
}

export function sign(phase: TaskPhase, now: number): Span {
  if (phase === 'running') return ['cyan', spinner[Math.floor(now / 100) % spinner.length] ?? '•'];
  return signs[phase];
}

const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

const signs: Readonly<Record<Exclude<TaskPhase, 'running'>, readonly [Style, string]>> = {
  succeeded: ['green', '✔'],
  reused: ['green', '↺'],
  failed: ['red', '✖'],
  cancelled: ['yellow', '■'],
  skipped: ['dim', '↓'],
  needFailed: ['dim', '↓'],
  waiting: ['yellow', '◷'],
  ready: ['dim', '·'],
  blocked: ['dim', '·'],
  doomed: ['dim', '·'],
};

function detail(model: RunModel, task: PlannedTask, activity: Activity | undefined, now: number): readonly Span[] {
  const { phase, failure, retryAt, tries } = model.state.tasks.get(task.number);
  const reason = failure === undefined ? '' : `${failure.reason}: ${plainLine(failure.message)}`;
  switch (phase) {
    case 'running':
      return running(activity, tries);
    case 'waiting':
      return [
        ['yellow', `next try in ${formatDuration(Math.max(0, (retryAt ?? now) - now))}`],
        ['dim', `  ${reason}`],
      ];
    case 'failed':
      return [['red', reason]];
    case 'cancelled':
      return [['dim', 'cancelled']];
    case 'reused': {
      const saved = model.saved.get(task.id);
      return [['dim', saved === undefined ? 'reused' : `reused, saved ${savedText(saved.durationMs, saved.usd)}`]];
    }
    case 'skipped':
      return [['dim', 'skipped: its condition is false']];
    case 'needFailed':
      return [['dim', 'skipped: a task it needs failed']];
    default:
      return [];
  }
}

/** `14 s`, `14 s and $0.12`. */
export function savedText(durationMs: number, usd: number): string {
  return usd > 0 ? `${formatDuration(durationMs)} and ${formatMoney(usd)}` : formatDuration(durationMs);
}

function running(activity: Activity | undefined, tries: number): readonly Span[] {
  const spans: Span[] = [];
  if (tries > 1) spans.push(['yellow', `try ${tries} `]);
  if (activity?.progress !== undefined) {
    const { done, total } = activity.progress;
    spans.push(
      ['cyan', total === undefined ? formatNumber(done) : `${formatNumber(done)}/${formatNumber(total)}`],
      ' ',
    );
  }
  if (activity?.text !== undefined) spans.push(['dim', activity.text]);
  return spans;
}
