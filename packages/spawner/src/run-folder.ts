/**
 * A folder from which a shell becomes a program. The shell runs the text `run`; it, and whoever waits for the program, leave
 * records there. Every record is one line written by one call, so that a reader sees all of it or nothing: a line without
 * its end of line is no record.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SpawnError } from './errors.ts';
import { findProgram } from './find-program.ts';
import { bootIdentity, readProcessRow, type StartedProcess } from './process-table.ts';
import { quote } from './shell-words.ts';

export const runFile = {
  /** `<pid> <start in clock ticks>`, by the shell that then execs the program. */
  started: 'started',
  /** Why the exec, or a preparation, failed: `125`, `126` or `127`. */
  failed: 'failed',
  /** What `system()` of awk returned: the exit code, or 256 and the number of the signal. */
  exit: 'exit',
  /** The argv, as a shell text. */
  run: 'run',
} as const;

export const shell = '/bin/sh';

/** Of folders in the temporary folder that serve one start and are removed after it. */
export const folderPrefix = 'spawner-start-';

export interface RunScript {
  readonly command: string;
  readonly args: readonly string[];
  /** Seen by the program, and by none of those who start and await it. */
  readonly exports: Readonly<Record<string, string>>;
  /**
   * Lines that must succeed before the program may run. They know the shell's pid and its start in clock ticks, as seen
   * from outside, as `$1` and `$2`.
   */
  readonly preparations: readonly string[];
  /** Where the `/proc` is that knows the shell by its pid outside. It is closed before the program runs. */
  readonly procDescriptor?: number;
}

/** What the program's own shell does before it becomes the program. The environment came with it. */
export function runScript(directory: string, script: RunScript): string {
  const { command, args, exports, preparations, procDescriptor } = script;
  const file = (name: keyof typeof runFile): string => quote(join(directory, runFile[name]));
  const procfs = procDescriptor === undefined ? '/proc' : `/proc/self/fd/${procDescriptor}`;
  return [
    `read -r line <${procfs}/self/stat`,
    `pid=\${line%% *}`,
    `set -- \${line##*) }`,
    `set -- "$pid" "\${20}"`,
    `trap 'echo $? >'${quote(file('failed'))} EXIT`,
    `echo "$1 $2" >${file('started')}`,
    ...(procDescriptor === undefined ? [] : [`exec ${procDescriptor}<&-`]),
    ...preparations.map((line) => `{ ${line}; } || exit 125`),
    'unset line pid PWD OLDPWD SHLVL _',
    ...Object.entries(exports).map(([name, value]) => `export ${name}=${quote(value)}`),
    `exec ${[command, ...args].map(quote).join(' ')}\n`,
  ].join('\n');
}

/** The arguments of an `awk` that starts the program in a session of its own, waits, and writes down how it ended. */
export async function awaitingCommand(directory: string): Promise<readonly string[]> {
  const [awk, setsid] = [await helperProgram('awk'), await helperProgram('setsid')];
  const start = `exec ${quote(setsid)} ${shell} ${quote(join(directory, runFile.run))}`;
  const program = `BEGIN {
  status = system(ARGV[1])
  print status >ARGV[2]
}`;
  return [awk, program, start, join(directory, runFile.exit)];
}

/** One of the small programs that POSIX and util-linux have. @throws {SpawnError} SPAWN_PROGRAM_NOT_FOUND */
export async function helperProgram(name: string): Promise<string> {
  const found = await findProgram(name);
  if (found !== undefined) return found;
  const message = `The program ${name}, which starts and awaits others, is not on PATH; install it.`;
  throw new SpawnError('SPAWN_PROGRAM_NOT_FOUND', message);
}

/** A record, when it is there and whole. */
export function readRecord(directory: string, name: string): string | undefined {
  try {
    const text = readFileSync(join(directory, name), 'utf8');
    return text.endsWith('\n') ? text.trimEnd() : undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Who the shell was, and so the program is: a later holder of the pid has another start, another boot another id. */
export function readStarted(directory: string, bootId = bootIdentity()): StartedProcess | undefined {
  const [pid, ticks] = readRecord(directory, runFile.started)?.split(' ') ?? [];
  if (ticks === undefined) return undefined;
  return { pid: Number(pid), startTime: `${bootId}:${ticks}`, startTicks: Number(ticks) };
}

/** Waits until the shell is the program, or has said that it can't be. Nothing tells of an exec, so the shell is looked at. */
export async function untilExecuted(directory: string, started: StartedProcess): Promise<'runs' | 'failed'> {
  while (isShell(directory, started) && readRecord(directory, runFile.failed) === undefined) await delay(1);
  return readRecord(directory, runFile.failed) === undefined ? 'runs' : 'failed';
}

function isShell(directory: string, { pid, startTime }: StartedProcess): boolean {
  if (readProcessRow(pid)?.startTime !== startTime) return false;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `${shell}\0${join(directory, runFile.run)}\0`;
  } catch {
    // Gone meanwhile: its exit is, or will be, on record.
    return false;
  }
}
