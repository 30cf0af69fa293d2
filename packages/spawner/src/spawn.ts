/**
 * Starting one child so that it can hurt nobody: no shell, an allow-listed environment, a session of its own, bounded
 * output, and an end that takes everything with it that the child started.
 */
import { randomUUID } from 'node:crypto';
import { resolve as resolvePath } from 'node:path';
import type { ContainmentLevel } from './container.ts';
import { type Containment, chooseContainment, resolveContainment } from './containment.ts';
import { checkCpus } from './cpu-set.ts';
import {
  checkEnvironment,
  childEnvironment,
  defaultInheritedEnvironment,
  type ProcessMarker,
  splitEnvironment,
} from './environment.ts';
import { type RunningProcess, SupervisedChild, type SupervisionSettings } from './running-process.ts';
import { type SpawnSlots, WaitingSlots } from './spawn-slots.ts';
import { startChild } from './start-child.ts';
import { startPrepared } from './start-prepared.ts';
import { checkMarker } from './sweep.ts';
import { checkGrace, defaultGraceMs } from './terminate.ts';

export interface SpawnOptions {
  /** A name to be found on the child's PATH, or a path; a relative path starts at `cwd`. Never a shell line. */
  readonly command: string;
  readonly args?: readonly string[];
  /** @default process.cwd() */
  readonly cwd?: string;
  /** Set exactly so, over what is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** Names taken from this process's environment; a trailing `*` stands for any ending. @default defaultInheritedEnvironment */
  readonly inheritEnv?: readonly string[];
  /**
   * What the child reads; then end of input. The string `closed`, like the default, means end of input at once: give
   * bytes where a text might happen to be that word.
   */
  readonly stdin?: 'closed' | string | Uint8Array;
  /** Kept of each stream, from its end. @default 1 MiB */
  readonly maxOutputBytes?: number;
  /** Called with every chunk, at once and in order. If it throws, the child is ended and `result` rejects. */
  readonly onStdout?: (chunk: Uint8Array) => void;
  readonly onStderr?: (chunk: Uint8Array) => void;
  /** Since the start. @default Infinity */
  readonly timeoutMs?: number;
  /** Since the last output on either stream, or the start. @default Infinity */
  readonly idleTimeoutMs?: number;
  /**
   * Of the program with everything it started, resident: seen at samples, so that it may be overstepped by what is
   * allocated between two. Memory that some of them share counts once (Linux). @default Infinity
   */
  readonly memoryLimitBytes?: number;
  /** Written over both streams together, kept or not. @default Infinity */
  readonly outputLimitBytes?: number;
  /** The processors it and all it starts may use, by number (Linux). @default those that this process may use */
  readonly cpus?: readonly number[];
  /**
   * What ending it reaches, or several such in order of preference: the first that can be had here is taken, and
   * `RunningProcess.containment` says which. @default 'tree'
   */
  readonly containment?: Containment | readonly Containment[];
  /** Between TERM and KILL. 0 kills at once. @default 2000 */
  readonly graceMs?: number;
  /** How long after the exit somebody else may keep stdout or stderr open in silence. @default 500 */
  readonly drainMs?: number;
  /**
   * Between samples for `peakRssBytes` and `memoryLimitBytes`; the first ones come sooner. Infinity: none.
   * @default 1000; 250 with `memoryLimitBytes`
   */
  readonly memorySampleMs?: number;
  /** Set in the child, so that `sweep` finds it and its descendants after a crash. Many children may share one. */
  readonly marker?: ProcessMarker;
  /** Waiting slots to start from, at a cost that does not grow with this process; see `openSpawnSlots`. */
  readonly slots?: SpawnSlots;
  readonly signal?: AbortSignal;
}

interface ResolvedSpawnOptions extends SupervisionSettings {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly inheritEnv: readonly string[];
  readonly marker?: ProcessMarker;
  readonly slots?: WaitingSlots;
  readonly cpus?: readonly number[];
  readonly containment: readonly ContainmentLevel[];
}

/**
 * Resolves when the program runs.
 * @throws {SpawnError} SPAWN_PROGRAM_NOT_FOUND, SPAWN_PERMISSION_DENIED, SPAWN_DIRECTORY_NOT_FOUND or SPAWN_FAILED;
 * SPAWN_CPU_SET_UNAVAILABLE and SPAWN_CONTAINMENT_UNAVAILABLE when `cpus` or `containment` can't be had here.
 * Cost: the fork blocks the event loop for about 1.6 ms, more with this process's memory; after the exit the process
 * table is read, about 10 µs for each process of the machine.
 */
export async function spawnProcess(options: SpawnOptions): Promise<RunningProcess> {
  const settings = resolveSpawnOptions(options);
  settings.signal?.throwIfAborted();
  const { command, args, cwd, inheritEnv } = settings;
  const lineageId = randomUUID();
  const env = childEnvironment(process.env, inheritEnv, settings.env, settings.marker, lineageId);
  const stdin = settings.input === undefined ? ('closed' as const) : ('pipe' as const);
  const start = { command, args, cwd, env, stdin };
  const { cpus, marker, slots } = settings;
  const containment = await chooseContainment(settings.containment, marker);
  const plain = (containment.level === 'tree' || containment.level === 'group') && cpus === undefined;
  const child = plain
    ? { ...(await startChild(start, slots)), level: containment.level }
    : await startPrepared({ ...start, ...splitEnvironment(env, marker), cpus, containment }, slots);
  return new SupervisedChild({ ...child, lineageId }, settings);
}

export function resolveSpawnOptions(options: SpawnOptions): ResolvedSpawnOptions {
  const { command, args = [], cwd, env = {}, inheritEnv = defaultInheritedEnvironment, stdin = 'closed' } = options;
  const { maxOutputBytes = 1024 * 1024, graceMs = defaultGraceMs, timeoutMs = Infinity, marker, signal } = options;
  const { idleTimeoutMs = Infinity, memoryLimitBytes = Infinity, outputLimitBytes = Infinity } = options;
  const { memorySampleMs = memoryLimitBytes === Infinity ? 1000 : 250 } = options;
  const { drainMs = 500, onStdout, onStderr, slots, cpus } = options;
  if (typeof command !== 'string' || command === '' || command.includes('\0')) {
    throw new TypeError(`command must be a non-empty string without NUL, got ${JSON.stringify(command)}`);
  }
  for (const [index, argument] of args.entries()) {
    if (typeof argument !== 'string' || argument.includes('\0')) {
      throw new TypeError(`args[${index}] must be a string without NUL, got ${JSON.stringify(argument)}`);
    }
  }
  if (cwd?.includes('\0')) throw new TypeError(`cwd must be a string without NUL, got ${JSON.stringify(cwd)}`);
  if (typeof stdin !== 'string' && !(stdin instanceof Uint8Array)) {
    throw new TypeError(`stdin must be 'closed', a string or a Uint8Array, got ${typeof stdin}`);
  }
  if (!Number.isSafeInteger(maxOutputBytes) || maxOutputBytes < 0) {
    throw new RangeError(`maxOutputBytes must be an integer of at least 0, got ${maxOutputBytes}`);
  }
  checkGrace(graceMs);
  const limits = { timeoutMs, idleTimeoutMs, memoryLimitBytes, outputLimitBytes };
  for (const [name, value] of Object.entries({ ...limits, drainMs, memorySampleMs })) {
    if (typeof value !== 'number' || !(value >= 0)) throw new RangeError(`${name} must be at least 0, got ${value}`);
  }
  if (memoryLimitBytes !== Infinity && memorySampleMs === Infinity) {
    throw new RangeError('memorySampleMs must be finite where memoryLimitBytes is given: the limit holds at samples');
  }
  checkEnvironment('env', env);
  if (marker !== undefined) checkMarker(marker);
  if (cpus !== undefined) checkCpus(cpus);
  if (slots !== undefined && !(slots instanceof WaitingSlots)) {
    throw new TypeError('slots must be what openSpawnSlots gave');
  }
  return Object.freeze({
    ...{ command, args, env, inheritEnv, maxOutputBytes, graceMs, drainMs, memorySampleMs, ...limits },
    cwd: resolvePath(cwd ?? process.cwd()),
    input: stdin === 'closed' ? undefined : stdin,
    containment: resolveContainment(options.containment),
    ...(cpus && { cpus: [...cpus] }),
    ...(marker && { marker }),
    ...(slots && { slots }),
    ...(signal && { signal }),
    ...(onStdout && { onStdout }),
    ...(onStderr && { onStderr }),
  });
}
