/**
 * Ending a process with everything it started. Descendants are found before anyone is signalled, since a death cuts the
 * thread that leads to the children; then TERM, a grace, KILL, and a new look after every step until nobody is left.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { keyOf, ProcessFamily } from './descendants.ts';
import {
  identifyProcess,
  isProcessAlive,
  type ProcessIdentity,
  type ProcessRow,
  procAvailable,
  readProcessRow,
} from './process-table.ts';
import { sendSignal } from './send-signal.ts';

export interface EndReport {
  /** Found alive, and verified gone. */
  readonly ended: readonly ProcessIdentity[];
  /** Still alive after KILL: another user's, or stuck inside the kernel. */
  readonly survivors: readonly ProcessIdentity[];
}

export interface EndTreeOptions {
  /** Between TERM and KILL. 0 kills at once. @default 2000 */
  readonly graceMs?: number;
}

/** When KILL follows TERM (`performance.now()`); whoever holds it may bring it forward while an ending is under way. */
export interface EndSchedule {
  killAtMs: number;
}

export const defaultGraceMs = 2000;

const giveUpAfterKillMs = 5000;
const longestPauseMs = 50;
const fullLookEveryMs = 250;
const undecidedLooks = 3;

/**
 * Ends a process and its descendants; a process that has gone already, or whose pid has a new holder, is left alone and
 * its descendants are then unknown (see `sweep`). Stopped processes are continued so that they can act on TERM.
 * Cost: some readings of the process table, about 10 µs per process of the machine each.
 */
export async function endProcessTree(identity: ProcessIdentity, options: EndTreeOptions = {}): Promise<EndReport> {
  const { graceMs = defaultGraceMs } = options;
  checkGrace(graceMs);
  if (!(await isProcessAlive(identity))) return { ended: [], survivors: [] };
  return endFamily(new ProcessFamily({ roots: [identity] }), { killAtMs: performance.now() + graceMs });
}

export function checkGrace(graceMs: unknown): void {
  if (typeof graceMs !== 'number' || !(graceMs >= 0)) {
    throw new RangeError(`graceMs must be a number of at least 0, got ${String(graceMs)}`);
  }
}

export async function endFamily(family: ProcessFamily, schedule: EndSchedule): Promise<EndReport> {
  const found = new Map<string, ProcessIdentity>();
  const asked = new Set<string>();
  let killingSinceMs: number | undefined;
  let emptyLooks = 0;
  for (;;) {
    const { alive, undecided, occupied } = await family.look();
    for (const row of alive) found.set(keyOf(row), { pid: row.pid, startTime: row.startTime });
    const now = performance.now();
    if (alive.length === 0 && !occupied) {
      if (undecided === 0 || ++emptyLooks >= undecidedLooks) return { ended: [...found.values()], survivors: [] };
      await delay(1);
      continue;
    }
    emptyLooks = 0;
    // Not in the first round: what awaits the program should live to write down how it ended.
    if (killingSinceMs !== undefined) family.killContained();
    if (now >= schedule.killAtMs) killingSinceMs ??= now;
    if (killingSinceMs !== undefined && now - killingSinceMs > giveUpAfterKillMs) return split(found, alive);
    if (killingSinceMs !== undefined) signalAll(family, alive, 'SIGKILL');
    else askToEnd(family, alive, asked);
    await untilSomeoneGoes(alive, schedule, killingSinceMs !== undefined);
  }
}

/** TERM once for each: a second one means "at once" to many programs. */
function askToEnd(family: ProcessFamily, alive: readonly ProcessRow[], asked: Set<string>): void {
  const fresh = alive.filter((row) => !asked.has(keyOf(row)));
  for (const row of fresh) asked.add(keyOf(row));
  signalAll(family, fresh, 'SIGTERM');
  for (const row of alive) if (row.stopped) signalOne(row, 'SIGCONT');
}

/** Groups first and whole, which also reaches a child forked since the look; then those outside a group of ours. */
function signalAll(family: ProcessFamily, rows: readonly ProcessRow[], signalName: NodeJS.Signals): void {
  const groups = new Set(rows.filter((row) => family.owns(row)).map((row) => row.groupId));
  for (const groupId of groups) sendSignal(-groupId, signalName);
  for (const row of rows) if (!groups.has(row.groupId)) signalOne(row, signalName);
}

function signalOne(row: ProcessRow, signalName: NodeJS.Signals): void {
  if (procAvailable && readProcessRow(row.pid)?.startTime !== row.startTime) return;
  sendSignal(row.pid, signalName);
}

/** Nothing tells us of the death of a process that is not our child, so those known are asked, ever less often. */
async function untilSomeoneGoes(alive: readonly ProcessRow[], schedule: EndSchedule, killing: boolean): Promise<void> {
  const startedAtMs = performance.now();
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    await delay(pauseMs);
    const now = performance.now();
    if (now - startedAtMs >= fullLookEveryMs || (!killing && now >= schedule.killAtMs)) return;
    if (alive.length === 0) return;
    const living = await Promise.all(alive.map(async (row) => (await identifyProcess(row.pid))?.startTime));
    if (living.some((startTime, index) => startTime !== alive[index]?.startTime)) return;
  }
}

function split(found: ReadonlyMap<string, ProcessIdentity>, alive: readonly ProcessRow[]): EndReport {
  const living = new Set(alive.map(keyOf));
  const identities = [...found.values()];
  return {
    ended: identities.filter((identity) => !living.has(keyOf(identity))),
    survivors: identities.filter((identity) => living.has(keyOf(identity))),
  };
}
