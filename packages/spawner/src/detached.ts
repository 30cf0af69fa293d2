/**
 * Programs that outlive us. Their output goes to files, a shim waits for them and writes down how they ended, and we only
 * follow the files; so whoever comes after us can take them up where we were, with nothing missed. What an attempt's
 * folder holds is in `detached-files.ts`.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  type FSWatcher,
  mkdirSync,
  openSync,
  readFileSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join, resolve as resolvePath } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildExit, ChildHandle } from './child-handle.ts';
import { type AttemptRecord, attemptFile, readRecord, runScript, shimScript } from './detached-files.ts';
import { childEnvironment, lineageVariable } from './environment.ts';
import { SpawnError } from './errors.ts';
import { execError, exitOfStatus } from './exec-outcome.ts';
import { FileTail } from './file-tail.ts';
import { explainStartFailure, findProgram } from './find-program.ts';
import { bootIdentity, isProcessAlive, type ProcessIdentity, readProcessRow } from './process-table.ts';
import { type RunningProcess, SupervisedChild } from './running-process.ts';
import { fitsSlot } from './slot-script.ts';
import { resolveSpawnOptions, type SpawnOptions } from './spawn.ts';

export interface DetachedOptions extends Omit<SpawnOptions, 'slots'> {
  /** The attempt's own folder, made here, with mode 0700; what is in it is enough to adopt the attempt. */
  readonly directory: string;
}

export interface AdoptOptions
  extends Pick<
    SpawnOptions,
    | 'onStdout'
    | 'onStderr'
    | 'timeoutMs'
    | 'idleTimeoutMs'
    | 'memoryLimitBytes'
    | 'outputLimitBytes'
    | 'graceMs'
    | 'maxOutputBytes'
    | 'memorySampleMs'
    | 'signal'
  > {
  /** How much of each file has been taken in already, in bytes. @default 0 */
  readonly stdoutFromByte?: number;
  readonly stderrFromByte?: number;
}

/**
 * `running`: it was started, whether or not it still runs; its `result` says how it ended. `neverStarted`: its parent died
 * before, and it never will run, so that starting it elsewhere does nothing twice.
 */
export type Adopted =
  | { readonly state: 'running'; readonly running: RunningProcess }
  | { readonly state: 'neverStarted' };

/** Nothing tells of an append on some file systems; then a look does, this often. */
const looksEveryMs = 250;
/** How long a shim may take from its claim to the start, and from the program's exit to the record of it. */
const shimPatienceMs = 5000;

/**
 * Starts a program that goes on when this process ends, however it ends. Resolves when it runs.
 * `timeoutMs`, `idleTimeoutMs` and the other limits hold while somebody follows it: this process, or one that adopted it.
 * @throws {SpawnError} as `spawnProcess`; SPAWN_DETACHED_FOLDER when `directory` can't be made or exists.
 */
export async function startDetached(options: DetachedOptions): Promise<RunningProcess> {
  const settings = resolveSpawnOptions(options);
  const directory = resolvePath(options.directory);
  settings.signal?.throwIfAborted();
  const { command, args, cwd, inheritEnv, input } = settings;
  const lineageId = randomBytes(12).toString('hex');
  const whole = childEnvironment(process.env, inheritEnv, settings.env, settings.marker, lineageId);
  const { [lineageVariable]: lineage = lineageId, ...env } = whole;
  if (!fitsSlot({ command, args, cwd, env: { PATH: '/bin', ...env } })) {
    throw new TypeError('a detached program takes no command that begins with "-" and no variable that a shell keeps');
  }
  if ((await findProgram(command.includes('/') ? resolvePath(cwd, command) : command, env.PATH)) === undefined) {
    throw explainStartFailure(command, cwd, env.PATH ?? '', Object.assign(new Error('ENOENT'), { code: 'ENOENT' }));
  }
  makeFolder(directory);
  const record: AttemptRecord = {
    version: 1,
    ...{ command, cwd, lineageId, path: env.PATH ?? '' },
    bootId: bootIdentity(),
    startedAtMs: Date.now(),
  };
  const path = (name: keyof typeof attemptFile): string => join(directory, attemptFile[name]);
  const privately = { mode: 0o600 };
  writeFileSync(path('stdin'), input ?? '', privately);
  writeFileSync(path('run'), runScript(directory, command, args, lineage), privately);
  writeFileSync(path('attempt'), `${JSON.stringify(record)}\n`, privately);
  await startShim(directory, record, env);
  const adopted = await adopt(directory, options);
  if (adopted.state === 'running') return adopted.running;
  throw new SpawnError('SPAWN_FAILED', `${command} could not be started: its shim in ${directory} did not come up.`);
}

/**
 * Takes up an attempt that this process or an earlier one started. Its output comes from the given bytes on.
 * @throws {SpawnError} SPAWN_DETACHED_FOLDER when `directory` holds no attempt; the errors of `spawnProcess` when the
 * program could not be executed.
 */
export async function adopt(directory: string, options: AdoptOptions = {}): Promise<Adopted> {
  const folder = resolvePath(directory);
  const record = readAttempt(folder);
  const identity = await whoStarted(folder, record);
  if (identity === 'never') return { state: 'neverStarted' };
  const { stdoutFromByte = 0, stderrFromByte = 0, ...others } = options;
  const settings = resolveSpawnOptions({ ...others, command: record.command, cwd: record.cwd });
  const agedMs = Math.max(0, Date.now() - record.startedAtMs);
  const handle = follow(folder, identity, stdoutFromByte, stderrFromByte);
  const started = { ...identity, startTicks: Number(identity.startTime.split(':').at(-1)) };
  const running = new SupervisedChild(handle, started, record.lineageId, {
    ...settings,
    agedMs,
    earlierOutputBytes: stdoutFromByte + stderrFromByte,
    timeoutMs: Math.max(0, settings.timeoutMs - agedMs),
  });
  return { state: 'running', running };
}

/** The program's identity as its own shell noted it: a later holder of the pid has another start, another boot another id. */
async function whoStarted(folder: string, record: AttemptRecord): Promise<ProcessIdentity | 'never'> {
  const deadlineMs = performance.now() + shimPatienceMs;
  for (;;) {
    const started = readRecord(folder, 'started');
    if (started !== undefined) {
      const [pid, ticks] = started.split(' ');
      const identity = { pid: Number(pid), startTime: `${record.bootId}:${ticks}` };
      await failedExec(folder, record, identity);
      return identity;
    }
    // Whoever makes the claim decides: after ours the shim, should it still come, will not start the program.
    if (performance.now() > deadlineMs || !mayStillStart(folder, record)) {
      if (claim(folder) || performance.now() > deadlineMs) return 'never';
    }
    await delay(2);
  }
}

/** True while a shim that could claim the folder may be on its way. */
function mayStillStart(folder: string, record: AttemptRecord): boolean {
  if (shims.has(folder)) return true;
  return existsSync(join(folder, attemptFile.claim)) && record.bootId === bootIdentity();
}

function claim(folder: string): boolean {
  try {
    closeSync(openSync(join(folder, attemptFile.claim), 'wx', 0o600));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Waits until the shell is the program, or has said that it can't be. */
async function failedExec(folder: string, record: AttemptRecord, identity: ProcessIdentity): Promise<void> {
  while (isShell(identity, folder) && readRecord(folder, 'failed') === undefined) await delay(1);
  if (readRecord(folder, 'failed') === undefined) return;
  const said = readFileSync(join(folder, attemptFile.stderr), 'utf8').trim();
  throw explainStartFailure(record.command, record.cwd, record.path, execError(said));
}

function isShell(identity: ProcessIdentity, folder: string): boolean {
  if (readProcessRow(identity.pid)?.startTime !== identity.startTime) return false;
  try {
    return readFileSync(`/proc/${identity.pid}/cmdline`, 'utf8') === `sh\0${join(folder, attemptFile.run)}\0`;
  } catch {
    // Gone meanwhile: its exit is, or will be, on record.
    return false;
  }
}

/** Folders whose shim this process has started and not yet seen end. */
const shims = new Set<string>();

async function startShim(
  directory: string,
  record: AttemptRecord,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const path = (name: keyof typeof attemptFile): string => join(directory, attemptFile[name]);
  const descriptors: number[] = [];
  try {
    descriptors.push(openSync(path('stdin'), 'r'));
    for (const name of ['stdout', 'stderr'] as const) descriptors.push(openSync(path(name), 'ax', 0o600));
    const { cwd } = record;
    const shim = spawn('/bin/sh', ['-c', shimScript, 'sh', directory], {
      cwd,
      env,
      detached: true,
      stdio: descriptors,
    });
    if (shim.pid === undefined) throw (await once(shim, 'error'))[0];
    shims.add(directory);
    shim.once('exit', () => shims.delete(directory));
    shim.unref();
  } catch (error) {
    throw explainStartFailure(record.command, record.cwd, record.path, error);
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
}

function follow(folder: string, identity: ProcessIdentity, stdoutFrom: number, stderrFrom: number): ChildHandle {
  const stdout = new FileTail(join(folder, attemptFile.stdout), stdoutFrom);
  const stderr = new FileTail(join(folder, attemptFile.stderr), stderrFrom);
  const closed = Promise.all(
    [stdout, stderr].map((tail) => new Promise<void>((resolve) => tail.once('close', () => resolve()))),
  ).then(() => undefined);
  const exited = untilExit(folder, identity, () => {
    stdout.look();
    stderr.look();
  });
  const finish = (): void => {
    stdout.finish();
    stderr.finish();
  };
  void exited.then(finish, finish);
  return { stdin: null, stdout, stderr, exited, closed };
}

async function untilExit(folder: string, identity: ProcessIdentity, look: () => void): Promise<ChildExit> {
  let wake: () => void = () => undefined;
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(folder, () => wake());
    // The looks go on without it.
    watcher.on('error', () => watcher?.close());
  } catch {
    // The system's limit on watches is reached: the looks are all there is.
  }
  try {
    for (let goneSinceMs: number | undefined; ; ) {
      look();
      const status = readRecord(folder, 'exit');
      if (status !== undefined) return exitOfStatus(Number(status));
      if (await isProcessAlive(identity)) goneSinceMs = undefined;
      else goneSinceMs ??= performance.now();
      if (goneSinceMs !== undefined && performance.now() - goneSinceMs > shimPatienceMs) {
        return { code: null, signalName: null, atMs: performance.now() };
      }
      const timer = new AbortController();
      await Promise.race([
        delay(goneSinceMs === undefined ? looksEveryMs : 5, undefined, { signal: timer.signal }).catch(() => undefined),
        new Promise<void>((resolve) => {
          wake = resolve;
        }),
      ]);
      timer.abort();
    }
  } finally {
    watcher?.close();
  }
}

function makeFolder(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (cause) {
    const message = `The folder ${directory} for a detached program can't be made: ${String(cause)}; name one that does not exist in one that does.`;
    throw new SpawnError('SPAWN_DETACHED_FOLDER', message, { cause });
  }
}

function readAttempt(folder: string): AttemptRecord {
  const text = readRecord(folder, 'attempt');
  if (text === undefined) {
    const message = `${folder} holds no detached attempt that was ready to start; nothing of it has run.`;
    throw new SpawnError('SPAWN_DETACHED_FOLDER', message);
  }
  return JSON.parse(text);
}
