/** `cadre logs`: what happened in a run, or what one task's agent was asked and said. */
import { join } from 'node:path';
import { followJsonl } from '@cadre/jsonl';
import { attemptDirectory, loadResult, type RunEvent, type RunRecord, readRun, type TaskState } from '@cadre/workflow';
import { readAttempt } from '../attempt.ts';
import { type Console, openConsole, type SharedOptions } from '../console.ts';
import { CadreError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import { findRun } from '../runs.ts';
import { eventLine } from '../view/event-line.ts';
import { formatCount, formatDuration, formatMoney } from '../view/format.ts';
import { plainLine, plainLines, truncate } from '../view/plain-text.ts';

export interface LogsOptions extends SharedOptions {
  readonly follow?: boolean;
  /** Everything the agent printed, as it printed it. */
  readonly raw?: boolean;
  readonly attempt?: number;
}

/**
 * @param names  a run, a task, or both. Ids of runs begin with a digit and those of tasks with a letter, so one name is
 * enough to tell; without a run it is the newest.
 */
export async function logs(host: Host, names: readonly string[], options: LogsOptions): Promise<number> {
  const console = openConsole(host, options);
  const { projectFolder } = console;
  const [first, second] = names;
  const isTask = first !== undefined && second === undefined && !/^\d/.test(first);
  const record = await readRun(projectFolder, await findRun(projectFolder, isTask ? undefined : first));
  const task = isTask ? first : second;
  if (task !== undefined && !record.state.plan.numberOf.has(task)) {
    const known = record.state.plan.tasks.slice(0, 30).map(({ id }) => id);
    throw new CadreError('CADRE_USAGE', `Run ${record.id} has no task ${task}; it has ${known.join(', ')}.`);
  }
  if (options.follow === true) await follow(console, record, task);
  else if (task === undefined) printEvents(console, record.events);
  else await showTask(console, record, task, options);
  return exitCodes.succeeded;
}

function printEvents({ print, json }: Console, events: readonly RunEvent[]): void {
  for (const event of events) {
    const line = json ? JSON.stringify(event) : eventLine(event);
    if (line !== undefined) print(line);
  }
}

/** Until the run ends, or somebody interrupts. */
async function follow(console: Console, record: RunRecord, task: string | undefined): Promise<void> {
  await using events = followJsonl<RunEvent>(join(record.directory, 'journal.jsonl'));
  const stopListening = console.host.onInterruption(() => void events.close());
  // Of a run that was taken up again, earlier ends are no end.
  let ends = record.events.filter((event) => event.type === 'runEnded').length;
  if (record.state.endedAt === undefined) ends += 1;
  try {
    for await (const batch of events) {
      for (const event of batch) {
        if (task === undefined || !('task' in event) || event.task === task) printEvents(console, [event]);
        if (event.type === 'runEnded') ends -= 1;
        if (ends === 0) return;
      }
    }
  } finally {
    stopListening();
  }
}

async function showTask(console: Console, record: RunRecord, task: string, options: LogsOptions): Promise<void> {
  const { print, colors, columns } = console;
  const { plan, tasks } = record.state;
  const number = plan.numberOf.get(task) ?? 0;
  const state = tasks.get(number);
  const attempt = options.attempt ?? state.attempt;
  const directory = attemptDirectory(record.directory, task, attempt);
  const agent = record.workflow.agents[plan.tasks[number]?.agent ?? ''];
  const attemptFiles =
    attempt === 0 ? undefined : await readAttempt(directory, agent?.definition, options.raw === true);
  const result = attempt === state.attempt || state.phase === 'reused' ? state.result : undefined;

  if (console.json) {
    const events = record.events.filter((event) => 'task' in event && event.task === task);
    const output = result === undefined ? null : await loadResult(record.directory, result);
    const paths = attemptFiles === undefined ? null : directory;
    print(
      JSON.stringify(
        { run: record.id, task, attempt, ...phaseValue(state), directory: paths, events, output },
        null,
        2,
      ),
    );
    return;
  }
  if (options.raw === true) {
    for (const line of attemptFiles?.said ?? []) print(line);
    return;
  }
  print(`${colors.bold(task)}  ${agent?.name ?? ''} (${agent?.definition.adapter ?? ''}), run ${record.id}`);
  print(headText(record, task, state));
  if (attemptFiles === undefined) {
    print(
      state.phase === 'reused'
        ? 'Its result was made by an earlier run: no agent was started.'
        : 'No agent was started.',
    );
  } else {
    print(colors.dim(directory));
    section(console, 'asked', attemptFiles.prompt, { keep: 'beginning', rest: 'prompt.txt' });
    section(console, 'given', attemptFiles.input, { keep: 'beginning', rest: 'input.json' });
    section(console, 'said', attemptFiles.said, { keep: 'end', rest: 'stdout.raw' });
    section(console, 'on stderr', attemptFiles.stderr, { keep: 'end', rest: 'stderr.txt' });
  }
  if (result !== undefined) {
    const output = await loadResult(record.directory, result);
    const text = typeof output === 'string' ? output : JSON.stringify(output, null, 2);
    section(console, 'result', plainLines(text), { keep: 'beginning', rest: 'what --json prints' });
  }
  if (state.failure !== undefined) {
    const text = truncate(`${state.failure.reason}: ${plainLine(state.failure.message)}`, Math.max(columns, 400));
    section(console, 'failed', [text], { keep: 'end', rest: 'the journal' });
  }
}

const shownLines = 40;

/** A text of which the beginning counts, or one whose end does: that is where it went wrong. */
function section(
  { print, colors }: Console,
  title: string,
  lines: readonly string[],
  bound: { readonly keep: 'beginning' | 'end'; readonly rest: string },
): void {
  if (lines.length === 0) return;
  const hidden = lines.length - shownLines;
  const note = colors.dim(`  … ${formatCount(hidden, 'more line')} in ${bound.rest}`);
  print('');
  print(colors.bold(title));
  if (hidden > 0 && bound.keep === 'end') print(note);
  for (const line of bound.keep === 'end' ? lines.slice(-shownLines) : lines.slice(0, shownLines)) print(`  ${line}`);
  if (hidden > 0 && bound.keep === 'beginning') print(note);
}

function headText({ events }: RunRecord, task: string, { phase, attempt, usd }: TaskState): string {
  const settled = events.findLast((event) => event.type === 'attemptSettled' && event.task === task);
  const parts: string[] = [phase];
  if (attempt > 0) parts.push(attempt === 1 ? '1 attempt' : `${attempt} attempts`);
  if (settled?.type === 'attemptSettled') parts.push(formatDuration(settled.durationMs));
  if (usd > 0) parts.push(formatMoney(usd));
  return parts.join(' · ');
}

function phaseValue({ phase, usd, failure }: TaskState) {
  return { phase, usd, failure: failure ?? null };
}
