/**
 * Starts that need a word before the program runs: its processors, its cgroup, its namespace. A shell says it and becomes the
 * program, so that nothing of the program ever runs without. What it becomes is written in a folder of its own.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildExit, ChildHandle } from './child-handle.ts';
import type { Container, ContainmentLevel } from './container.ts';
import { type ContainmentRecord, containerOf, containmentLines, containmentStart } from './containment.ts';
import { cpuSetLine } from './cpu-set.ts';
import { execError, exitOfStatus } from './exec-outcome.ts';
import { explainStartFailure } from './find-program.ts';
import type { StartedProcess } from './process-table.ts';
import { folderPrefix, readRecord, readStarted, runFile, runScript, shell, untilExecuted } from './run-folder.ts';
import { fitsShell } from './shell-words.ts';
import type { SlotCommand } from './slot-nursery.ts';
import type { WaitingSlots } from './spawn-slots.ts';
import { startChild } from './start-child.ts';

export interface PreparedStart extends SlotCommand {
  /** Seen by the program alone. */
  readonly exports: Readonly<Record<string, string>>;
  readonly cpus: readonly number[] | undefined;
  readonly containment: ContainmentRecord;
}

export interface PreparedChild {
  readonly handle: ChildHandle;
  readonly started: StartedProcess;
  readonly level: ContainmentLevel;
  readonly container: Container | undefined;
}

export async function startPrepared(start: PreparedStart, slots: WaitingSlots | undefined): Promise<PreparedChild> {
  const { cwd, env, stdin, containment } = start;
  refuseShellWords(start);
  const folder = mkdtempSync(join(tmpdir(), folderPrefix));
  try {
    const wrapped = await containmentStart(containment, folder);
    const script = runScript(folder, {
      ...{ command: start.command, args: start.args, exports: start.exports },
      preparations: await preparationLines(start.cpus, containment),
      ...(wrapped && { procDescriptor: wrapped.procDescriptor }),
    });
    writeFileSync(join(folder, runFile.run), script, { mode: 0o600 });
    const [command = shell, ...args] = wrapped?.command ?? [shell, join(folder, runFile.run)];
    const outer = await startChild({ command, args, cwd, env, stdin }, slots);
    const handle = kept(outer.handle, wrapped === undefined ? undefined : folder);
    const started = await untilRunning(folder, handle, start);
    const container = containerOf(containment, started, outer.started);
    if (wrapped === undefined) rmSync(folder, { recursive: true });
    const release = (): void => {
      container?.release();
      rmSync(folder, { recursive: true, force: true });
    };
    return { handle, started, level: containment.level, container: container && { ...container, release } };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Lines of shell that must succeed before the program may run. */
export async function preparationLines(
  cpus: readonly number[] | undefined,
  containment: ContainmentRecord,
): Promise<readonly string[]> {
  return [...(cpus === undefined ? [] : [await cpuSetLine(cpus)]), ...(await containmentLines(containment))];
}

export function refuseShellWords({ command, env }: Pick<SlotCommand, 'command' | 'env'>): void {
  if (fitsShell(command, env)) return;
  throw new TypeError(
    'a detached program, and one with cpus or a strong containment, takes no command that begins with "-" and no variable that a shell keeps for itself',
  );
}

async function untilRunning(folder: string, handle: ChildHandle, start: PreparedStart): Promise<StartedProcess> {
  const alive = new Set([handle]);
  void handle.exited.then(() => alive.clear());
  for (;;) {
    // Looked at before the record, which then holds all that was ever said.
    const gone = alive.size === 0;
    const started = readStarted(folder);
    if (started !== undefined && (await untilExecuted(folder, started)) === 'runs') return started;
    if (started !== undefined || gone) {
      const failure = await failureOf(handle, start);
      if (started !== undefined) containerOf(start.containment, started, undefined)?.release();
      throw failure;
    }
    await delay(1);
  }
}

/** The words of whoever failed are on stderr: the program has said nothing yet. */
async function failureOf(handle: ChildHandle, { command, cwd, env }: PreparedStart): Promise<Error> {
  let said = '';
  handle.stdin?.on('error', () => undefined).destroy();
  handle.stdout?.resume();
  handle.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString('utf8');
  });
  // Its streams are closed before it has left its cgroup.
  await Promise.all([handle.closed, handle.exited]);
  return explainStartFailure(command, cwd, env.PATH ?? '', execError(said));
}

/** Node throws away what a child has written when it exits before anybody listens; here it may. */
function kept(handle: ChildHandle, folder: string | undefined): ChildHandle {
  const [stdout, stderr] = [keep(handle.stdout), keep(handle.stderr)];
  const closed = Promise.all([stdout, stderr].map(closeOf)).then(() => undefined);
  const exited = folder === undefined ? handle.exited : handle.exited.then(({ atMs }) => exitOnRecord(folder, atMs));
  return { stdin: handle.stdin, stdout, stderr, exited, closed };
}

function keep(stream: Readable | null): Readable {
  const buffer = new PassThrough();
  // A read error means no more output.
  stream?.on('error', () => buffer.end());
  stream?.once('close', () => buffer.end());
  stream?.pipe(buffer);
  buffer.once('close', () => stream?.destroy());
  return buffer;
}

function closeOf(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()));
}

/** By then the namespace is empty; without a record, what should have written it was ended too. */
function exitOnRecord(folder: string, atMs: number): ChildExit {
  const status = readRecord(folder, runFile.exit);
  return status === undefined ? { code: null, signalName: null, atMs } : { ...exitOfStatus(Number(status)), atMs };
}
