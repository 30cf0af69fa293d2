/** `cadre status`: the runs there are, or one of them task by task. */
import { listRuns, type RunRecord, readRun, settledCount } from '@cadre/workflow';
import { type Console, openConsole, type SharedOptions } from '../console.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import { findRun, type RunStatus, statusOf, tryReadRun } from '../runs.ts';
import { formatDuration, formatMoney, formatNumber } from '../view/format.ts';
import { plainLine } from '../view/plain-text.ts';
import { RunModel } from '../view/run-model.ts';
import { tableLines } from '../view/table.ts';
import { runLines } from '../view/tree.ts';

export interface StatusOptions extends SharedOptions {
  /** Every run instead of the newest ones. */
  readonly all?: boolean;
}

const listedRuns = 20;

export async function status(host: Host, runId: string | undefined, options: StatusOptions): Promise<number> {
  const console = openConsole(host, options);
  if (runId === undefined) await showRuns(console, options.all === true);
  else await showRun(console, await readRun(console.projectFolder, await findRun(console.projectFolder, runId)));
  return exitCodes.succeeded;
}

async function showRuns(console: Console, all: boolean): Promise<void> {
  const { print, warn, projectFolder, columns, colors, host } = console;
  const ids = await listRuns(projectFolder);
  const listed = all ? ids : ids.slice(0, listedRuns);
  const rows: (readonly string[])[] = [];
  const values: object[] = [];
  for (const id of listed) {
    const record = await tryReadRun(projectFolder, id);
    if (record instanceof Error) {
      warn(`Run ${id} can't be read: ${plainLine(record.message)}`);
      values.push({ id, error: record.message });
      continue;
    }
    const status = await statusOf(record);
    const { state, started, workflow } = record;
    rows.push([
      id,
      workflow.name,
      status,
      `${formatNumber(settledCount(state))}/${formatNumber(state.tasks.length)}`,
      formatMoney(state.totals.usd),
      `${formatDuration(host.now() - started.at)} ago`,
    ]);
    values.push(runValue(record, status));
  }
  if (console.json || ids.length === 0) {
    print(console.json ? JSON.stringify({ runs: values }, null, 2) : `There are no runs in ${projectFolder} yet.`);
    return;
  }
  for (const line of tableLines(
    { columns: ['run', 'workflow', 'status', 'tasks', 'cost', 'started'], rows },
    columns,
    colors,
  )) {
    print(line);
  }
  if (listed.length < ids.length) print(colors.dim(`… and ${ids.length - listed.length} older ones; --all lists them`));
}

async function showRun(console: Console, record: RunRecord): Promise<void> {
  const { print, columns, colors, host } = console;
  const status = await statusOf(record);
  if (console.json) {
    print(JSON.stringify(runDocument(record, status), null, 2));
    return;
  }
  const model = RunModel.fromRecord(record);
  // A run that nobody works on has stood still since its last event.
  const isLive = status === 'running' || status === 'stopping';
  const now = isLive ? host.now() : (record.events.at(-1)?.at ?? host.now());
  const rows = Number.MAX_SAFE_INTEGER;
  for (const line of runLines(model, { columns, rows, now, colors })) print(line);
  print('');
  print(`${colors.bold(status)}${isLive ? '' : ` ${formatDuration(host.now() - now)} ago`}`);
  if (status === 'crashed') print(`Its process is gone. Go on with it: ${console.command('resume', record.id)}`);
  else if (status !== 'succeeded' && !isLive) print(`Go on with it: ${console.command('resume', record.id)}`);
}

function runValue({ id, directory, state, started, workflow }: RunRecord, status: RunStatus) {
  const { attempts, usd, savedUsd, savedMs, usage } = state.totals;
  return {
    id,
    workflow: workflow.name,
    file: started.workflow.file,
    directory,
    status,
    startedAt: started.at,
    endedAt: state.endedAt ?? null,
    tasks: state.tasks.length,
    settled: settledCount(state),
    counts: state.counts,
    attempts,
    usd,
    savedUsd,
    savedMs,
    usage,
  };
}

function runDocument(record: RunRecord, status: RunStatus) {
  const { durations } = RunModel.fromRecord(record);
  return {
    ...runValue(record, status),
    inputs: record.started.inputs,
    list: record.state.plan.tasks.map(({ id, number, agent, group, needs }) => {
      const { phase, attempt, usd, failure, retryAt } = record.state.tasks.get(number);
      return {
        id,
        agent,
        group: group ?? null,
        needs: needs.map((need) => record.state.plan.tasks[need]?.id ?? ''),
        phase,
        attempt,
        durationMs: durations.get(id) ?? null,
        usd,
        failure: failure ?? null,
        retryAt: retryAt ?? null,
      };
    }),
  };
}
