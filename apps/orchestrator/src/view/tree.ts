/**
 * A run as the lines of a terminal: a pure function of what is known and how much room there is. Groups are branches.
 * Where there are more tasks than lines, those that a person would look for stay: failed, running, waiting for their
 * next try; then the ones that come next, and what is finished goes first.
 */
import { type PlannedTask, settledCount, type TaskPhase } from '@cadre/workflow';
import type { Colors } from './colors.ts';
import { formatCount, formatDuration, formatMoney, formatNumber } from './format.ts';
import { truncate, widthOf } from './plain-text.ts';
import type { RunModel } from './run-model.ts';
import { renderSpans, type Span } from './spans.ts';
import { savedText, sign, taskLine } from './task-line.ts';

export interface Frame {
  readonly columns: number;
  readonly rows: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly colors: Colors;
  /** A last line, such as what ctrl-C does next. */
  readonly note?: string | undefined;
}

/** At most `rows` lines of at most `columns` columns. */
export function runLines(model: RunModel, frame: Frame): readonly string[] {
  const { rows, columns, colors } = frame;
  const footer = footerLines(model, frame);
  const note: readonly (readonly Span[])[] = frame.note === undefined ? [] : [[['yellow', frame.note]]];
  // In this order, what there is room for: the bar, the note, the head, the tree.
  const room = rows - footer.length - note.length;
  const head = room >= 1 ? [headLine(model)] : [];
  const tree = treeLines(model, frame, Math.max(0, room - head.length));
  const all = [...head, ...tree, ...footer, ...note];
  return all.slice(Math.max(0, all.length - rows)).map((line) => renderSpans(line, columns, colors));
}

interface Branch {
  readonly name: string | undefined;
  readonly tasks: readonly PlannedTask[];
}

function treeLines(model: RunModel, { now }: Frame, room: number): readonly (readonly Span[])[] {
  const branches = branchesOf(model);
  const total = branches.reduce((sum, { name, tasks }) => sum + tasks.length + (name === undefined ? 0 : 1), 0);
  const isCut = total > room;
  const shown = isCut ? choose(model, branches, room - 1) : undefined;
  const nameWidth = Math.min(32, longestName(model, shown?.tasks));

  const lines: (readonly Span[])[] = [];
  for (const [index, { name, tasks }] of branches.entries()) {
    if (name !== undefined && (shown === undefined || shown.branches.has(index))) {
      lines.push(branchLine(model, name, tasks, now));
    }
    for (const task of tasks) {
      if (shown !== undefined && !shown.tasks.has(task.number)) continue;
      const indent: readonly Span[] = name === undefined ? [] : [['dim', '│ ']];
      lines.push([...indent, ...taskLine(model, task, { now, nameWidth })]);
    }
  }
  if (shown !== undefined && room > 0) lines.push(hiddenLine(model, shown.tasks));
  return lines;
}

function branchesOf(model: RunModel): readonly Branch[] {
  const byName = new Map<string | undefined, PlannedTask[]>();
  for (const task of model.state.plan.tasks) {
    const tasks = byName.get(task.group);
    if (tasks === undefined) byName.set(task.group, [task]);
    else tasks.push(task);
  }
  return [...byName].map(([name, tasks]) => ({ name, tasks }));
}

interface Chosen {
  readonly branches: ReadonlySet<number>;
  readonly tasks: ReadonlySet<number>;
}

/** The tasks most worth a line, each with the line of its branch; then the branches that are left. */
function choose(model: RunModel, branches: readonly Branch[], room: number): Chosen {
  const buckets: { task: PlannedTask; branch: number }[][] = Array.from({ length: leastInteresting + 1 }, () => []);
  for (const [branch, { tasks }] of branches.entries()) {
    for (const task of tasks) buckets[interest[model.state.tasks.get(task.number).phase]]?.push({ task, branch });
  }
  const chosen = { branches: new Set<number>(), tasks: new Set<number>() };
  let left = room;
  const takeBranch = (branch: number): void => {
    if (branches[branch]?.name === undefined || chosen.branches.has(branch)) return;
    chosen.branches.add(branch);
    left -= 1;
  };
  for (const [rank, bucket] of buckets.entries()) {
    // Before the first task that only waits its turn, every branch gets its line.
    if (rank === firstQuiet) for (let branch = 0; branch < branches.length && left > 0; branch += 1) takeBranch(branch);
    for (const { task, branch } of bucket) {
      const needsBranch = branches[branch]?.name !== undefined && !chosen.branches.has(branch);
      if (left < (needsBranch ? 2 : 1)) continue;
      takeBranch(branch);
      chosen.tasks.add(task.number);
      left -= 1;
    }
  }
  return chosen;
}

const interest: Readonly<Record<TaskPhase, number>> = {
  running: 0,
  failed: 1,
  waiting: 2,
  cancelled: 3,
  ready: 4,
  blocked: 5,
  succeeded: 6,
  reused: 6,
  doomed: 7,
  skipped: 7,
  needFailed: 7,
};
const firstQuiet = 3;
const leastInteresting = 7;

function longestName(model: RunModel, shown: ReadonlySet<number> | undefined): number {
  let longest = 0;
  for (const { id, number } of model.state.plan.tasks) {
    if (shown === undefined || shown.has(number)) longest = Math.max(longest, widthOf(id));
  }
  return longest;
}

function headLine({ name, id, workflow }: RunModel): readonly Span[] {
  return [
    ['bold', truncate(name, 60)],
    ['dim', `  ${formatCount(workflow.tasks.length, 'task')}, run ${id}`],
  ];
}

function branchLine(model: RunModel, name: string, tasks: readonly PlannedTask[], now: number): readonly Span[] {
  const phases = tasks.map((task) => model.state.tasks.get(task.number).phase);
  const settled = phases.filter((phase) => settledPhases.has(phase)).length;
  const phase = branchPhase(phases, settled);
  return [sign(phase, now), ' ', ['bold', name], ['dim', `  ${formatNumber(settled)}/${formatNumber(tasks.length)}`]];
}

function branchPhase(phases: readonly TaskPhase[], settled: number): TaskPhase {
  if (phases.includes('running')) return 'running';
  if (phases.includes('failed')) return 'failed';
  if (settled < phases.length) return phases.includes('waiting') ? 'waiting' : 'blocked';
  if (phases.includes('cancelled')) return 'cancelled';
  if (phases.includes('succeeded')) return 'succeeded';
  if (phases.includes('reused')) return 'reused';
  return 'skipped';
}

const settledPhases: ReadonlySet<TaskPhase> = new Set<TaskPhase>([
  'succeeded',
  'reused',
  'failed',
  'cancelled',
  'skipped',
  'needFailed',
]);

function hiddenLine(model: RunModel, shown: ReadonlySet<number>): readonly Span[] {
  const counts = { done: 0, running: 0, failed: 0, 'to come': 0 };
  for (const { number } of model.state.plan.tasks) {
    if (shown.has(number)) continue;
    const { phase } = model.state.tasks.get(number);
    if (phase === 'running') counts.running += 1;
    else if (phase === 'failed') counts.failed += 1;
    else if (settledPhases.has(phase)) counts.done += 1;
    else counts['to come'] += 1;
  }
  const parts = Object.entries(counts).flatMap(([what, count]) =>
    count > 0 ? [`${formatNumber(count)} ${what}`] : [],
  );
  return [['dim', `… and ${parts.join(', ')}`]];
}

function footerLines(model: RunModel, { columns, now }: Frame): readonly (readonly Span[])[] {
  const { state } = model;
  const total = state.tasks.length;
  const settled = settledCount(state);
  const { failed, reused } = state.counts;
  const parts: Span[] = [` ${formatNumber(settled)}/${formatNumber(total)}`];
  parts.push(['dim', ` · ${formatDuration((state.endedAt ?? now) - model.takenUpAt)}`]);
  if (model.usd > 0) parts.push(['dim', ' · '], ['yellow', formatMoney(model.usd)]);
  if (failed > 0) parts.push(['dim', ' · '], ['red', `${formatNumber(failed)} failed`]);
  if (reused > 0) {
    const { savedMs, savedUsd } = state.totals;
    parts.push(['dim', ` · ${formatNumber(reused)} reused, saved ${savedText(savedMs, savedUsd)}`]);
  }
  const width = Math.max(0, Math.min(24, columns - 12));
  const filled = total === 0 ? width : Math.floor((width * settled) / total);
  return [[[failed > 0 ? 'red' : 'green', '━'.repeat(filled)], ['dim', '─'.repeat(width - filled)], ...parts]];
}
