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
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join, resolve as resolvePath } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildExit, ChildHandle } from './child-handle.ts';
import { chooseContainment, containerOf, containmentStart } from './containment.ts';
import { type AttemptRecord, attemptFile, shimScript } from './detached-files.ts';
import { childEnvironment, splitEnvironment } from './environment.ts';
import { SpawnError } from './errors.ts';
import { execError, exitOfStatus } from './exec-outcome.ts';
import { FileTail } from './file-tail.ts';
import { explainStartFailure, findProgram } from './find-program.ts';
import {
  bootIdentity,
  isProcessAlive,
  type ProcessIdentity,
  readProcessRow,
  type StartedProcess,
} from './process-table.ts';
import { awaitingCommand, readRecord, readStarted, runScript, shell, untilExecuted } from './run-folder.ts';
import { type RunningProcess, SupervisedChild } from './running-process.ts';
import { resolveSpawnOptions, type SpawnOptions } from './spawn.ts';
import { preparationLines, refuseShellWords } from './start-prepared.ts';

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
/** Between making the claim and writing who it is, which a shim does in one go unless the disk is full. */
const emptyClaimMs = 1000;

/**
 * Starts a program that goes on when this process ends, however it ends. Resolves when it runs.
 * `timeoutMs`, `idleTimeoutMs` and the other limits hold while somebody follows it: this process, or one that adopted it.
 * @throws {SpawnError} as `spawnProcess`; SPAWN_DETACHED_FOLDER when `directory` can't be made or written to, or exists.
 */
export async function startDetached(options: DetachedOptions): Promise<RunningProcess> {
  const settings = resolveSpawnOptions(options);
  const directory = resolvePath(options.directory);
  settings.signal?.throwIfAborted();
  const { command, args, cwd, inheritEnv, input, marker, cpus } = settings;
  const lineageId = randomBytes(12).toString('hex');
  const whole = childEnvironment(process.env, inheritEnv, settings.env, marker, lineageId);
  const { env, exports } = splitEnvironment(whole, marker);
  refuseShellWords({ command, env });
  if ((await findProgram(command.includes('/') ? resolvePath(cwd, command) : command, env.PATH)) === undefined) {
    throw explainStartFailure(command, cwd, env.PATH ?? '', Object.assign(new Error('ENOENT'), { code: 'ENOENT' }));
  }
  const containment = await chooseContainment(settings.containment, marker);
  const wrapped = await containmentStart(containment, directory);
  const preparations = await preparationLines(cpus, containment);
  const awaiting = wrapped?.command ?? (await awaitingCommand(directory));
  makeFolder(directory);
  const record: AttemptRecord = {
    version: 1,
    ...{ command, cwd, lineageId, path: env.PATH ?? '', containment },
    bootId: bootIdentity(),
    startedAtMs: Date.now(),
  };
  const script = runScript(directory, {
    ...{ command, args, exports, preparations },
    ...(wrapped && { procDescriptor: wrapped.procDescriptor }),
  });
  const path = (name: keyof typeof attemptFile): string => join(directory, attemptFile[name]);
  const privately = { mode: 0o600 };
  try {
    writeFileSync(path('stdin'), input ?? '', privately);
    writeFileSync(path('run'), script, privately);
    writeFileSync(path('attempt'), `${JSON.stringify(record)}\n`, privately);
  } catch (cause) {
    const message = `The folder ${directory} for a detached program can't be written to: ${String(cause)}.`;
    throw new SpawnError('SPAWN_DETACHED_FOLDER', message, { cause });
  }
  await startShim(directory, record, env, awaiting);
  try {
    const adopted = await takeUp(directory, options);
    if (adopted.state === 'running') return adopted.running;
  } finally {
    shims.delete(directory);
    endedShims.delete(directory);
  }
  const cause = whyUnwritable(directory);
  const why = cause === undefined ? '' : `: ${String(cause)}`;
  const message = `${command} could not be started: what starts it could not write into ${directory}${why}; free space or correct its permissions.`;
  throw new SpawnError('SPAWN_DETACHED_FOLDER', message, { cause });
}

/**
 * Takes up an attempt that this process or an earlier one started. Its output comes from the given bytes on.
 * @throws {SpawnError} SPAWN_DETACHED_FOLDER when `directory` holds no attempt; the errors of `spawnProcess` when the
 * program could not be executed. An aborted `signal` rejects with its reason, and lets the program be.
 */
export async function adopt(directory: string, options: AdoptOptions = {}): Promise<Adopted> {
  options.signal?.throwIfAborted();
  return takeUp(directory, options);
}

async function takeUp(directory: string, options: AdoptOptions): Promise<Adopted> {
  const folder = resolvePath(directory);
  const record = readAttempt(folder);
  const started = await whoStarted(folder, record);
  if (started === 'never') return { state: 'neverStarted' };
  const { stdoutFromByte = 0, stderrFromByte = 0, ...others } = options;
  const settings = resolveSpawnOptions({ ...others, command: record.command, cwd: record.cwd });
  const agedMs = Math.max(0, Date.now() - record.startedAtMs);
  const { lineageId, containment = { level: 'tree', digest: '' } } = record;
  const subject = {
    ...{ started, lineageId, level: containment.level },
    handle: follow(folder, started, stdoutFromByte, stderrFromByte),
    container: containerOf(containment, started, holderOf(folder)),
  };
  const running = new SupervisedChild(subject, {
    ...settings,
    agedMs,
    earlierOutputBytes: stdoutFromByte + stderrFromByte,
    timeoutMs: Math.max(0, settings.timeoutMs - agedMs),
  });
  return { state: 'running', running };
}

/** Who made the claim, and became what awaits the program: recognised by the folder among its arguments. */
function holderOf(folder: string): ProcessIdentity | undefined {
  const pid = Number(readRecord(folder, attemptFile.claim));
  const row = pid > 0 ? readProcessRow(pid) : undefined;
  if (row === undefined) return undefined;
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return words.includes(join(folder, attemptFile.exit)) ? row : undefined;
  } catch {
    // Gone meanwhile.
    return undefined;
  }
}

/** Who the program is, once it runs: as its own shell noted it. */
async function whoStarted(folder: string, record: AttemptRecord): Promise<StartedProcess | 'never'> {
  const beganMs = performance.now();
  for (;;) {
    const started = readStarted(folder, record.bootId);
    if (started !== undefined) {
      if ((await untilExecuted(folder, started)) === 'runs') return started;
      while (await isProcessAlive(started)) await delay(1);
      if (record.containment !== undefined) containerOf(record.containment, started, undefined)?.release();
      const said = readFileSync(join(folder, attemptFile.stderr), 'utf8').trim();
      throw explainStartFailure(record.command, record.cwd, record.path, execError(said));
    }
    if (endedShims.has(folder)) {
      // What it wrote last was there before its end was.
      if (readStarted(folder, record.bootId) === undefined) return 'never';
      continue;
    }
    // Whoever makes the claim decides: after ours the shim, should it still come, will not start the program.
    const isNamed = readRecord(folder, attemptFile.claim) !== undefined;
    const isLate = performance.now() - beganMs > (isNamed || shims.has(folder) ? shimPatienceMs : emptyClaimMs);
    if (isLate || !mayStillStart(folder, record)) {
      if (claim(folder) || isLate) return 'never';
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

/** Folders whose shim this process has started and not yet seen end, */
const shims = new Set<string>();
/** and those whose shim it has seen end while it waited for the start. */
const endedShims = new Set<string>();

async function startShim(
  directory: string,
  record: AttemptRecord,
  env: Readonly<Record<string, string>>,
  awaiting: readonly string[],
): Promise<void> {
  const path = (name: keyof typeof attemptFile): string => join(directory, attemptFile[name]);
  const descriptors: number[] = [];
  try {
    descriptors.push(openSync(path('stdin'), 'r'));
    for (const name of ['stdout', 'stderr'] as const) descriptors.push(openSync(path(name), 'ax', 0o600));
    const { cwd } = record;
    const shim = spawn(shell, ['-c', shimScript, shell, directory, ...awaiting], {
      cwd,
      env,
      detached: true,
      stdio: descriptors,
    });
    if (shim.pid === undefined) throw (await once(shim, 'error'))[0];
    shims.add(directory);
    shim.once('exit', () => {
      if (shims.delete(directory)) endedShims.add(directory);
    });
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
      if (await isProcessAlive(identity)) goneSinceMs = undefined;
      else goneSinceMs ??= performance.now();
      // Looked at before the record, which then holds all that will ever be said.
      const nobodyWrites = goneSinceMs !== undefined && holderOf(folder) === undefined;
      const status = readRecord(folder, attemptFile.exit);
      if (status !== undefined) return exitOfStatus(Number(status));
      if (nobodyWrites || (goneSinceMs !== undefined && performance.now() - goneSinceMs > shimPatienceMs)) {
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

/** A shell that can't write can't say why either. */
function whyUnwritable(directory: string): unknown {
  const path = join(directory, 'trial');
  try {
    writeFileSync(path, 'x'.repeat(4096));
    rmSync(path);
    return undefined;
  } catch (error) {
    return error;
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
  const text = readRecord(folder, attemptFile.attempt);
  if (text === undefined) {
    const message = `${folder} holds no detached attempt that was ready to start; nothing of it has run.`;
    throw new SpawnError('SPAWN_DETACHED_FOLDER', message);
  }
  return JSON.parse(text);
}
