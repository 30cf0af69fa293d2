/** `cadre cancel`: ends a run, whoever works on it, and whatever it left behind. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { followJsonl } from '@cadre/jsonl';
import { isProcessAlive, type ProcessIdentity } from '@cadre/spawner';
import { abandonRun, type RunEvent, type RunRecord, readRun } from '@cadre/workflow';
import { type Console, openConsole, type SharedOptions } from '../console.ts';
import { CadreError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import { findRun, ownerOf, statusOf } from '../runs.ts';
import { formatCount } from '../view/format.ts';

const longestEndMs = 30_000;
const lookMs = 200;

export async function cancel(host: Host, runId: string | undefined, options: SharedOptions): Promise<number> {
  const console = openConsole(host, options);
  const { projectFolder } = console;
  const record = await readRun(projectFolder, await findRun(projectFolder, runId));
  const status = await statusOf(record);
  const isLive = status === 'running' || status === 'stopping';
  if (isLive) await endLive(console, record);
  // Also for a run that has an end: a process of it may have been out of reach then.
  const { length: leftovers } = await abandonRun(projectFolder, record.id);
  const wasOver = !isLive && status !== 'crashed';
  tell(console, record, { wasOver, status, leftovers });
  return exitCodes.succeeded;
}

/** @throws {CadreError} CADRE_NOT_ENDED */
async function endLive({ host }: Console, record: RunRecord): Promise<void> {
  const owner = ownerOf(record);
  // Looked at again right before: a pid may have found another holder since the journal was read.
  if (!(await isProcessAlive(owner)) || !host.sendSignal(owner.pid, 'SIGTERM')) return;
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), longestEndMs);
  try {
    await Promise.race([ended(record, stop.signal), gone(owner, stop.signal)]);
    // It closes its journal after the last event; until then the run is its own.
    await gone(owner, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    const message = `Process ${owner.pid} did not end run ${record.id} within ${longestEndMs / 1000} s; end it with kill -9 ${owner.pid}, then cancel again.`;
    throw new CadreError('CADRE_NOT_ENDED', message, { cause: error });
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

async function ended({ directory, events }: RunRecord, signal: AbortSignal): Promise<void> {
  let known = events.length;
  await using journal = followJsonl<RunEvent>(join(directory, 'journal.jsonl'), { signal });
  for await (const batch of journal) {
    const news = batch.slice(Math.max(0, known));
    known -= batch.length;
    if (news.some((event) => event.type === 'runEnded')) return;
  }
}

async function gone(owner: ProcessIdentity, signal: AbortSignal): Promise<void> {
  while (await isProcessAlive(owner)) await delay(lookMs, undefined, { signal });
}

interface Cancelled {
  readonly wasOver: boolean;
  readonly status: string;
  readonly leftovers: number;
}

function tell({ print, json, command }: Console, { id }: RunRecord, { wasOver, status, leftovers }: Cancelled): void {
  const also = leftovers === 0 ? '' : ` ${formatCount(leftovers, 'process', 'processes')} of it ended.`;
  if (json) print(JSON.stringify({ run: id, was: status, ended: leftovers }, null, 2));
  else if (wasOver) print(`Run ${id} is over already (${status}).${also}`);
  else print(`Run ${id} is cancelled.${also} Go on with it after all: ${command('resume', id)}`);
}
