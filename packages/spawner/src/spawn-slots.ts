/**
 * Waiting slots. A fork copies the page tables of whoever forks, so that a process of 1 GB blocks for 25 ms each time it
 * starts another. Here small shells are forked ahead by other small processes, and wait; a start hands one of them its
 * command over a named pipe, and the shell execs it. What is left to do for us is to open and to read some pipes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildHandle } from './child-handle.ts';
import { checkDescriptors } from './descriptors.ts';
import { SpawnError } from './errors.ts';
import { explainStartFailure, findProgram } from './find-program.ts';
import { keeperProgram, nurseryProgram, nurseryStart, type SlotCommand } from './slot-script.ts';
import { SlotExecError, WaitingSlot } from './waiting-slot.ts';

export interface SpawnSlotsOptions {
  /** Shells kept waiting. More are made while more starts are asked for than there are. @default 4 */
  readonly size?: number;
}

export interface SpawnSlotsStats {
  /** Shells that wait for a command. */
  readonly waiting: number;
  /** Starts that wait for a shell. */
  readonly queued: number;
  /** Programs that run. */
  readonly running: number;
  readonly started: number;
  /** Shells that ended while they waited, and were replaced. */
  readonly replaced: number;
}

/** Give it to `spawnProcess` as `slots`. */
export interface SpawnSlots {
  readonly stats: SpawnSlotsStats;
  /** Resolves once `size` shells wait. Nothing needs it: a start waits for its own shell. */
  ready(): Promise<void>;
  /** Ends the waiting shells; programs that run go on, and their results still come. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface SlotStart {
  readonly handle: ChildHandle;
  readonly pid: number;
  readonly startTime: string;
  readonly startTicks: number;
}

interface Request {
  readonly command: SlotCommand;
  readonly resolve: (start: SlotStart) => void;
  readonly reject: (error: unknown) => void;
}

const looksEveryMs = 1000;
const failuresBeforeGivingUp = 10;

/**
 * Makes waiting shells. Does not keep the process alive.
 * @throws {SpawnError} SPAWN_SLOTS_UNAVAILABLE where `setsid`, `mkfifo` or a POSIX `awk` is missing: start without slots;
 * SPAWN_FAILED where the system refuses.
 * Cost: one fork of this process, now; then about 1 MB of memory for each waiting shell and its keeper.
 */
export async function openSpawnSlots(options: SpawnSlotsOptions = {}): Promise<SpawnSlots> {
  const { size = 4 } = options;
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(`size must be an integer of at least 1, got ${size}`);
  }
  try {
    checkDescriptors(2);
    await checkPrograms();
    checkDescriptors(2);
    return new ShellSlots(size);
  } catch (error) {
    throw error instanceof SpawnError ? error : explainStartFailure('/bin/sh', '/', '', error);
  }
}

export class ShellSlots implements SpawnSlots {
  readonly #size: number;
  readonly #directory = join(tmpdir(), `spawn-slots-${randomUUID()}`);
  readonly #nursery: ChildProcess;
  readonly #gone: Promise<unknown>;
  /** When nobody is left who could say anything. */
  readonly #silence: Promise<unknown>;
  readonly #slots = new Map<string, WaitingSlot>();
  readonly #waiting: WaitingSlot[] = [];
  readonly #unopened = new Set<WaitingSlot>();
  readonly #queue: Request[] = [];
  readonly #ready = new Set<() => void>();
  #state: 'open' | 'broken' | 'closed' = 'open';
  #closing: Promise<void> | undefined;
  #keepers = 0;
  #nextKeeper = 0;
  #running = 0;
  #started = 0;
  #replaced = 0;
  /** Shells in a row that ended before they waited. */
  #failures = 0;
  #rest = '';
  #looking: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;

  constructor(size: number) {
    this.#size = size;
    // It makes its folder itself, so that none is left when we are killed before it has begun.
    this.#nursery = spawn('/bin/sh', ['-c', nurseryStart], {
      detached: true,
      env: {
        PATH: process.env.PATH ?? '/usr/bin:/bin',
        SPAWNER_NURSERY: nurseryProgram,
        SPAWNER_KEEPER: keeperProgram,
        SPAWNER_DIRECTORY: this.#directory,
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#gone = once(this.#nursery, 'exit').catch(() => undefined);
    this.#silence = new Promise((resolve) => this.#nursery.stdout?.once('close', resolve));
    void this.#gone.then(() => {
      if (this.#state === 'open') this.#break();
    });
    // It has gone, and its exit says so.
    this.#nursery.stdin?.on('error', () => undefined);
    this.#nursery.stdout?.on('data', (chunk: Buffer) => this.#hear(chunk.toString('latin1')));
    this.#nursery.unref();
    if (this.#nursery.stdin instanceof Socket) this.#nursery.stdin.unref();
    this.#refer();
    this.#keep();
  }

  get stats(): SpawnSlotsStats {
    return {
      waiting: this.#waiting.length,
      queued: this.#queue.length,
      running: this.#running,
      started: this.#started,
      replaced: this.#replaced,
    };
  }

  ready(): Promise<void> {
    if (this.#state !== 'open') return Promise.reject(this.#unavailable());
    if (this.#waiting.length >= this.#size) return Promise.resolve();
    return new Promise((resolve) => {
      this.#ready.add(resolve);
      this.#refer();
    });
  }

  /** Hands the command to a waiting shell; rejects with `SlotExecError` when its exec fails. */
  start(command: SlotCommand): Promise<SlotStart> {
    if (this.#state !== 'open') return Promise.reject(this.#unavailable());
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, resolve, reject });
      this.#openPipes();
      this.#serve();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    if (this.#state === 'open') this.#state = 'closed';
    this.#shut();
    await Promise.race([this.#silence, new Promise<void>((resolve) => this.#untilIdle(resolve))]);
    if (this.#keepers === 0) {
      // Whoever waits for this must not find the process gone before the nursery is.
      this.#nursery.ref();
      await this.#gone;
    }
    this.#idle = undefined;
    this.#refer();
  }

  /** Keepers end instead of making another shell, and those that wait end with their input. */
  #shut(): void {
    try {
      writeFileSync(join(this.#directory, 'closed'), '');
    } catch (error) {
      // No folder: either not yet, and the end of its input stops the nursery, or no more.
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
    this.#nursery.stdin?.end();
    for (const request of this.#queue.splice(0)) request.reject(this.#unavailable());
    for (const waiting of this.#waiting.splice(0)) waiting.letGo();
    for (const resolve of this.#ready) resolve();
    this.#ready.clear();
  }

  #break(): void {
    this.#state = 'broken';
    this.#shut();
    this.#refer();
  }

  #untilIdle(resolve: () => void): void {
    this.#idle = () => {
      if (this.#keepers <= this.#running) resolve();
    };
    this.#idle();
    this.#refer();
  }

  #unavailable(): SpawnError {
    const why = this.#state === 'closed' ? 'are closed' : 'have failed: their shells end as soon as they start';
    return new SpawnError(
      'SPAWN_SLOTS_UNAVAILABLE',
      `The waiting slots ${why}; open new ones, or start without slots.`,
    );
  }

  /** Has as many keepers as are needed for what runs, what is asked for and what shall wait. */
  #keep(): void {
    if (this.#state !== 'open') return;
    const wanted = this.#running + Math.max(this.#size, this.#queue.length);
    const names: string[] = [];
    for (; this.#keepers < wanted; this.#keepers += 1) names.push(`k${this.#nextKeeper++}`);
    if (names.length > 0) this.#order(`keep ${names.join(' ')}`);
  }

  #serve(): void {
    while (this.#queue.length > 0) {
      const slot = this.#waiting.shift();
      if (slot === undefined) break;
      const request = this.#queue.shift();
      if (request !== undefined) void this.#hand(slot, request);
    }
    this.#keep();
    this.#refer();
  }

  async #hand(slot: WaitingSlot, request: Request): Promise<void> {
    this.#running += 1;
    this.#refer();
    void slot.exited.then(() => {
      this.#running -= 1;
      this.#refer();
    });
    try {
      const handle = await slot.run(request.command);
      if (handle === 'slot died') {
        this.#replaced += 1;
        if (this.#state !== 'open') throw this.#unavailable();
        this.#queue.unshift(request);
        this.#serve();
        return;
      }
      this.#started += 1;
      request.resolve({ ...slot.identity, handle });
    } catch (error) {
      request.reject(error);
    }
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [word, name = '', number = ''] = line.split(' ');
      if (word === 'made') this.#open(new WaitingSlot(this.#directory, name));
      else if (word === 'ready') this.#welcome(this.#slots.get(name), Number(number));
      else if (word === 'exit') this.#ended(name, Number(number));
      else if (word === 'gone') this.#forget(name);
    }
    this.#serve();
  }

  #forget(keeper: string): void {
    this.#keepers -= 1;
    this.#idle?.();
    if (this.#state === 'open') this.#order(`reap ${keeper}`);
  }

  #order(line: string): void {
    this.#nursery.stdin?.write(`${line}\n`);
  }

  #open(slot: WaitingSlot): void {
    this.#slots.set(slot.name, slot);
    this.#unopened.add(slot);
    this.#openPipes();
  }

  /** A slot whose pipes could not be opened, for want of descriptors, waits until the next start tries again. */
  #openPipes(): void {
    for (const slot of this.#unopened) {
      try {
        slot.open();
        this.#unopened.delete(slot);
      } catch (error) {
        // Its shell was killed, and we heard of it so late that the names are gone: its end is under way to us.
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
          this.#unopened.delete(slot);
          continue;
        }
        if (this.#waiting.length === 0) this.#queue.shift()?.reject(new SlotExecError(error, ''));
        return;
      }
    }
  }

  #welcome(slot: WaitingSlot | undefined, pid: number): void {
    if (slot === undefined || !slot.welcome(pid)) return;
    this.#failures = 0;
    if (this.#state !== 'open') slot.letGo();
    else if (this.#waiting.length >= this.#size && this.#queue.length === 0) slot.retire();
    else this.#waiting.push(slot);
    if (this.#waiting.length >= this.#size) {
      for (const resolve of this.#ready) resolve();
      this.#ready.clear();
    }
  }

  #ended(name: string, status: number): void {
    const slot = this.#slots.get(name);
    if (slot === undefined) return;
    this.#slots.delete(name);
    this.#unopened.delete(slot);
    const index = this.#waiting.indexOf(slot);
    if (index >= 0) {
      this.#waiting.splice(index, 1);
      this.#replaced += 1;
    }
    // One that was killed says nothing of the next; one that ended by itself does.
    if (slot.state === 'coming' && this.#state === 'open' && status < 256) {
      this.#failures += 1;
      if (this.#failures >= failuresBeforeGivingUp) this.#break();
    }
    slot.ended(status);
  }

  /** Only what somebody waits for keeps the process alive. */
  #refer(): void {
    const { stdout } = this.#nursery;
    if (stdout instanceof Socket && !stdout.destroyed) {
      if (this.#running > 0 || this.#queue.length > 0 || this.#ready.size > 0 || this.#idle) stdout.ref();
      else stdout.unref();
    }
    if (this.#running > 0) this.#looking ??= setInterval(() => this.#look(), looksEveryMs).unref();
    else if (this.#looking !== undefined) {
      clearInterval(this.#looking);
      this.#looking = undefined;
    }
  }

  /** A keeper that was killed says nothing of its program; that the program has gone can still be seen. */
  #look(): void {
    for (const slot of this.#slots.values()) {
      if (!slot.look()) continue;
      this.#slots.delete(slot.name);
      this.#forget(slot.name.slice(0, slot.name.indexOf('.')));
    }
  }
}

async function checkPrograms(): Promise<void> {
  const missing: string[] = [];
  for (const name of ['setsid', 'mkfifo', 'awk']) if ((await findProgram(name)) === undefined) missing.push(name);
  const what =
    missing.length > 0
      ? `${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} not on PATH`
      : process.platform === 'win32' || !(await awkTellsSignals())
        ? 'the awk on PATH does not tell exit codes from signals'
        : undefined;
  if (what === undefined) return;
  throw new SpawnError('SPAWN_SLOTS_UNAVAILABLE', `Waiting slots can't be had here: ${what}. Start without slots.`);
}

/** Every awk that follows POSIX 2024, and most that came before it. */
async function awkTellsSignals(): Promise<boolean> {
  const program = 'BEGIN { print system("kill -INT $$") - 256, system("exit 130") }';
  const probe = spawn('/bin/sh', ['-c', 'exec awk "$1"', 'sh', program], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  probe.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  await once(probe, 'close');
  return text.trim() === '2 130';
}
