/**
 * What the system knows of its processes. On Linux `/proc` is read directly, in slices that let the event loop breathe;
 * elsewhere one `ps` call answers. A pid alone names nobody, since pids are used again: a process is its pid and the
 * time it started.
 */
import { execFile, execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { withReserve } from './descriptors.ts';
import { SpawnError } from './errors.ts';
import { type PidWindow, pidsWithin } from './pid-window.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque. On Linux the boot id and the start in clock ticks, elsewhere what `ps` prints as `lstart`. */
  readonly startTime: string;
}

export interface ProcessRow extends ProcessIdentity {
  readonly parentPid: number;
  readonly groupId: number;
  readonly sessionId: number;
  /** False for a zombie: it has ended and waits for its parent to notice. */
  readonly alive: boolean;
  readonly stopped: boolean;
  /** Clock ticks since boot, to compare two rows of one boot; 0 where unknown. */
  readonly startTicks: number;
}

export interface StartedProcess extends ProcessIdentity {
  readonly startTicks: number;
  /** Where its descendants are to be looked for; everywhere when it is not known. */
  readonly window?: PidWindow | undefined;
}

export const procAvailable = process.platform === 'linux';

interface PendingReading {
  wanted: PidWindow[] | 'every one';
  readonly rows: Promise<readonly ProcessRow[]>;
}

const rowsPerSlice = 64;
const kernelThreadFlag = 0x00200000;
const scratch = Buffer.allocUnsafeSlow(4096);
let bootId: string | undefined;
let pendingReading: PendingReading | undefined;
let pidMax: number | undefined;

/** The identity of a living process, or undefined. Reads synchronously on Linux, before the first await. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const row = procAvailable ? readProcessRow(pid) : (await listWithPs(['-p', String(pid)]))[0];
  return row?.alive ? { pid: row.pid, startTime: row.startTime } : undefined;
}

/**
 * A child of ours that was spawned in this very turn of the event loop: it cannot have been reaped yet, so it has a row
 * even when it has already ended. Synchronous, since a listener attached a turn later would miss events.
 */
export function identifyStarted(pid: number): StartedProcess {
  const row = procAvailable
    ? readProcessRow(pid)
    : parsePsLine(execFileSync('ps', psArguments(['-p', String(pid)]), psOptions()));
  if (row === undefined) throw new SpawnError('SPAWN_PROCESS_LIST_FAILED', psAdvice(`process ${pid} is not listed`));
  return row;
}

/** True while the very process that `identity` names lives; a zombie does not, nor does a later holder of its pid. */
export async function isProcessAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identifyProcess(identity.pid))?.startTime === identity.startTime;
}

/**
 * User processes, zombies included: every one, or at least those whose pid may lie in the window. Calls made before the reading
 * has begun share one.
 */
export function readProcessTable(window?: PidWindow): Promise<readonly ProcessRow[]> {
  pendingReading ??= planReading();
  if (window === undefined) pendingReading.wanted = 'every one';
  else if (pendingReading.wanted !== 'every one') pendingReading.wanted.push(window);
  return pendingReading.rows;
}

/** The newest process or thread of the system; undefined where that can't be known. */
export function newestPid(): number | undefined {
  const load = procAvailable ? readSmallFile('/proc/loadavg') : undefined;
  const pid = Number(load?.trim().split(' ')[4]);
  return pid > 0 ? pid : undefined;
}

/** One process from `/proc`; undefined when it is gone, or is a kernel thread. Linux only. */
export function readProcessRow(pid: number): ProcessRow | undefined {
  const stat = readSmallFile(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : parseStat(stat);
}

/**
 * The environment a process was started with, `NAME=VALUE` entries each ended by NUL. Empty while the process is inside
 * `exec`, and for one without any; undefined when it is gone or belongs to somebody else. Linux only.
 */
export function readEnvironment(pid: number): string | undefined {
  try {
    return withReserve(() => readFileSync(`/proc/${pid}/environ`, 'latin1'));
  } catch (error) {
    if (isGoneOrForbidden(error)) return undefined;
    throw error;
  }
}

/** Fields of `/proc/<pid>/stat` after the name, which is in parentheses and may itself hold parentheses and spaces. */
export function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** What a small file under `/proc` holds, without the three extra calls of `readFileSync`; undefined when it is gone. */
export function readSmallFile(path: string): string | undefined {
  try {
    return withReserve(() => readStart(path));
  } catch (error) {
    if (isGoneOrForbidden(error)) return undefined;
    throw error;
  }
}

function readStart(path: string): string {
  const descriptor = openSync(path, 'r');
  try {
    return scratch.toString('latin1', 0, readSync(descriptor, scratch, 0, scratch.byteLength, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Of this start of the system. Linux only. */
export function bootIdentity(): string {
  bootId ??= withReserve(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim());
  return bootId;
}

/** From the fields of `/proc/<pid>/stat` after the name. */
export function startTimeOf(fields: readonly string[]): string {
  return `${bootIdentity()}:${fields[19]}`;
}

function parseStat(stat: string): ProcessRow | undefined {
  const fields = statFields(stat);
  const flags = Number(fields[6]);
  if (Number.isNaN(flags) || (flags & kernelThreadFlag) !== 0) return undefined;
  const state = fields[0];
  const threads = Number(fields[17]);
  return {
    pid: Number.parseInt(stat, 10),
    startTime: startTimeOf(fields),
    parentPid: Number(fields[1]),
    groupId: Number(fields[2]),
    sessionId: Number(fields[3]),
    // A zombie first thread with others still running is a living process.
    alive: state !== 'X' && (state !== 'Z' || threads > 1),
    stopped: state === 'T' || state === 't',
    startTicks: Number(fields[19]),
  };
}

function planReading(): PendingReading {
  const reading: PendingReading = {
    wanted: [],
    rows: nextTurn().then(() => {
      pendingReading = undefined;
      const { wanted } = reading;
      return procAvailable ? listProc(wanted) : listWithPs(['-A']);
    }),
  };
  return reading;
}

function largestPid(): number {
  pidMax ??= Number(withReserve(() => readFileSync('/proc/sys/kernel/pid_max', 'latin1')));
  return pidMax;
}

async function listProc(wanted: PendingReading['wanted']): Promise<readonly ProcessRow[]> {
  const names = withReserve(() => readdirSync('/proc'));
  // Read after the list, so that nobody in it is newer.
  const newest = wanted === 'every one' ? undefined : newestPid();
  const isWanted =
    wanted === 'every one' || newest === undefined
      ? () => true
      : pidsWithin(wanted, { newestPid: newest, pidMax: largestPid(), atMs: performance.now() });
  const rows: ProcessRow[] = [];
  let read = 0;
  for (const name of names) {
    const first = name.charCodeAt(0);
    if (first < 0x30 || first > 0x39 || !isWanted(Number(name))) continue;
    if (++read % rowsPerSlice === 0) await nextTurn();
    const row = readProcessRow(Number(name));
    if (row !== undefined) rows.push(row);
  }
  return rows;
}

/** The `ps` road, exported so that Linux can hold it against `/proc`. */
export async function listWithPs(selection: readonly string[]): Promise<readonly ProcessRow[]> {
  const text = await new Promise<string>((resolve, reject) => {
    execFile('ps', psArguments(selection), psOptions(), (error, stdout) => {
      // `ps -p` exits with 1, silently, when the process is gone.
      if (error === null || error.code === 1) resolve(stdout);
      else reject(new SpawnError('SPAWN_PROCESS_LIST_FAILED', psAdvice(error.message), { cause: error }));
    });
  });
  return text.split('\n').flatMap((line) => parsePsLine(line) ?? []);
}

/** One line of `ps -o pid=,ppid=,pgid=,stat=,lstart=`. */
export function parsePsLine(line: string): ProcessRow | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S.*?)\s*$/.exec(line);
  if (match === null) return undefined;
  const [, pid, parentPid, groupId, state = '', startTime = ''] = match;
  return {
    pid: Number(pid),
    startTime: startTime.replace(/\s+/g, ' '),
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    // Other systems print session ids in ways that cannot be compared with a pid; the group stands in for it.
    sessionId: Number(groupId),
    alive: !state.startsWith('Z'),
    stopped: state.startsWith('T'),
    startTicks: 0,
  };
}

function psArguments(selection: readonly string[]): readonly string[] {
  return [...selection, '-o', 'pid=,ppid=,pgid=,stat=,lstart='];
}

function psOptions() {
  return { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 64 * 1024 * 1024 } as const;
}

function psAdvice(reason: string): string {
  return `Processes can't be listed: ${reason}. Where there is no /proc, the program \`ps\` must be on PATH.`;
}

function isGoneOrForbidden(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM' || code === 'ENOTDIR';
}
