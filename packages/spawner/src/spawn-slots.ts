/**
 * Waiting slots. A fork copies the page tables of whoever forks, so that a process of 1 GB blocks for 25 ms each time it
 * starts another. Here small processes are forked ahead by another small one, and wait; a start hands one of them its
 * command over a named pipe, and it execs it. What is left to do for us is to open and to read some pipes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChildHandle } from './child-handle.ts';
import { checkDescriptors } from './descriptors.ts';
import { SpawnError } from './errors.ts';
import { exitOfStatus } from './exec-outcome.ts';
import { explainStartFailure, findProgram } from './find-program.ts';
import { nurseryProgram, nurseryWord, type SlotCommand } from './slot-nursery.ts';
import { SlotExecError, WaitingSlot } from './waiting-slot.ts';

export interface SpawnSlotsOptions {
  /** Slots kept waiting. More are made while more starts are asked for than there are. @default 4 */
  readonly size?: number;
}

export interface SpawnSlotsStats {
  /** Slots that wait for a command. */
  readonly waiting: number;
  /** Starts that wait for a slot. */
  readonly queued: number;
  /** Programs that run. */
  readonly running: number;
  readonly started: number;
  /** Slots that ended while they waited, and were replaced. */
  readonly replaced: number;
}

/** Give it to `spawnProcess` as `slots`. */
export interface SpawnSlots {
  readonly stats: SpawnSlotsStats;
  /** Resolves once `size` slots wait. Nothing needs it: a start waits for its own slot. */
  ready(): Promise<void>;
  /** Ends the waiting slots; programs that run go on, and their results still come. */
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
 * Makes waiting slots. Does not keep the process alive.
 * @throws {SpawnError} SPAWN_SLOTS_UNAVAILABLE elsewhere than on Linux, and where there is no Perl 5: start without slots; SPAWN_FAILED where the system refuses.
 * Cost: one fork of this process, now, and 20 ms for Perl to begin; then about 1 MB of memory for each waiting slot.
 */
export async function openSpawnSlots(options: SpawnSlotsOptions = {}): Promise<SpawnSlots> {
  const { size = 4 } = options;
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new RangeError(`size must be an integer of at least 1, got ${size}`);
  }
  if (process.platform !== 'linux') throw unavailable(`can't be had on ${process.platform}: they are known by /proc`);
  const perl = await findProgram('perl');
  if (perl === undefined) throw unavailable("can't be had here: perl is not on PATH");
  try {
    checkDescriptors(2);
    const slots = new WaitingSlots(perl, size);
    await slots.opened;
    return slots;
  } catch (error) {
    throw error instanceof SpawnError ? error : explainStartFailure(perl, '/', '', error);
  }
}

export class WaitingSlots implements SpawnSlots {
  /** Rejects when the nursery ends before it has begun to work. */
  readonly opened: Promise<void>;
  readonly #size: number;
  readonly #directory = join(tmpdir(), `spawn-slots-${randomUUID()}`);
  readonly #nursery: ChildProcess;
  readonly #gone: Promise<unknown>;
  /** When nobody is left who could say anything. */
  readonly #silence: Promise<unknown>;
  /** Those that are there, and have not ended. */
  readonly #slots = new Map<string, WaitingSlot>();
  readonly #waiting: WaitingSlot[] = [];
  readonly #unopened = new Set<WaitingSlot>();
  readonly #queue: Request[] = [];
  readonly #ready = new Set<() => void>();
  #resolveOpened: () => void = () => undefined;
  #state: 'open' | 'broken' | 'closed' = 'open';
  #closing: Promise<void> | undefined;
  /** Ordered, and not waiting yet. */
  #coming = 0;
  #running = 0;
  /** Of these, those of whom it is not known whether their exec succeeds. */
  #starting = 0;
  #started = 0;
  #replaced = 0;
  /** Slots in a row that ended before they waited. */
  #failures = 0;
  #rest = '';
  #isNurseryGone = false;
  #looking: NodeJS.Timeout | undefined;
  #idle: (() => void) | undefined;

  constructor(perl: string, size: number) {
    this.#size = size;
    // It makes its folder itself, so that none is left when we are killed before it has begun.
    this.#nursery = spawn(perl, ['-e', nurseryProgram, this.#directory], {
      detached: true,
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#gone = once(this.#nursery, 'exit').catch(() => undefined);
    this.#silence = new Promise((resolve) => this.#nursery.stdout?.once('close', resolve));
    this.opened = Promise.race([
      new Promise<void>((resolve) => {
        this.#resolveOpened = resolve;
      }),
      once(this.#nursery, 'exit').then(([code, signalName]) => {
        throw unavailable(`can't be had here: ${perl} ended at once (${signalName ?? `exit ${code}`})`);
      }),
    ]);
    void this.#gone.then(() => this.#nurseryGone());
    // It has gone, and its exit says so.
    this.#nursery.stdin?.on('error', () => undefined);
    this.#nursery.stdout?.on('data', (chunk: Buffer) => this.#hear(chunk.toString('latin1')));
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
      this.#keep();
      this.#refer();
    });
  }

  /** Hands the command to a waiting slot; rejects with `SlotExecError` when its exec fails. */
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
    if (this.#slots.size === 0) {
      // Whoever waits for this must not find the process gone before the nursery is.
      this.#nursery.ref();
      await this.#gone;
    }
    this.#idle = undefined;
    this.#refer();
  }

  /** Slots that wait end with their input, and the nursery sees to those that are still coming. */
  #shut(): void {
    this.#nursery.stdin?.end();
    for (const request of this.#queue.splice(0)) request.reject(this.#unavailable());
    for (const waiting of this.#waiting.splice(0)) waiting.letGo();
    this.#unopened.clear();
    for (const resolve of this.#ready) resolve();
    this.#ready.clear();
  }

  #break(): void {
    this.#state = 'broken';
    this.#shut();
    this.#refer();
  }

  /** By itself only once all have ended. If it was killed, programs go on, and nobody will say how they end. */
  #nurseryGone(): void {
    this.#isNurseryGone = true;
    rmSync(this.#directory, { recursive: true, force: true });
    if (this.#state === 'open') this.#break();
    for (const slot of this.#slots.values()) {
      if (slot.state === 'running') continue;
      slot.letGo();
      this.#slots.delete(slot.name);
    }
    this.#coming = 0;
    this.#refer();
  }

  #untilIdle(resolve: () => void): void {
    this.#idle = () => {
      if (this.#coming === 0 && this.#slots.size <= this.#running) resolve();
    };
    this.#idle();
    this.#refer();
  }

  #unavailable(): SpawnError {
    return unavailable(this.#state === 'closed' ? 'are closed' : 'have failed: what makes them has ended');
  }

  /** Orders as many as are needed for what is asked for and what shall wait; if it can be, not while a start needs the processors. */
  #keep(): void {
    if (this.#state !== 'open') return;
    const wanted = Math.max(this.#size, this.#queue.length) - this.#waiting.length - this.#coming;
    const isPressing = this.#queue.length > this.#coming || this.#ready.size > 0;
    if (wanted <= 0 || (this.#starting > 0 && !isPressing)) return;
    this.#coming += wanted;
    this.#nursery.stdin?.write(nurseryWord.make.repeat(wanted));
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
    this.#starting += 1;
    this.#refer();
    void slot.exited.then(() => {
      this.#running -= 1;
      this.#idle?.();
      this.#refer();
    });
    try {
      const handle = await slot.run(request.command).finally(() => {
        this.#starting -= 1;
      });
      if (handle === 'slot died') {
        this.#replaced += 1;
        if (this.#state !== 'open') throw this.#unavailable();
        this.#queue.unshift(request);
        this.#serve();
        return;
      }
      this.#started += 1;
      request.resolve({ ...slot.identity, handle });
      this.#keep();
    } catch (error) {
      request.reject(error);
      this.#keep();
    }
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [word, name = '', number = ''] = line.split(' ');
      if (word === nurseryWord.made) this.#open(new WaitingSlot(this.#directory, name, Number(number)));
      else if (word === nurseryWord.waiting) this.#welcome(this.#slots.get(name));
      else if (word === nurseryWord.exit) this.#ended(name, Number(number));
      else if (word === nurseryWord.open) this.#opened();
    }
    this.#serve();
    this.#idle?.();
  }

  #opened(): void {
    this.#nursery.unref();
    if (this.#nursery.stdin instanceof Socket) this.#nursery.stdin.unref();
    this.#resolveOpened();
  }

  #open(slot: WaitingSlot): void {
    this.#slots.set(slot.name, slot);
    if (this.#state !== 'open') return;
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
        if (this.#waiting.length === 0) this.#queue.shift()?.reject(new SlotExecError(error));
        return;
      }
    }
  }

  #welcome(slot: WaitingSlot | undefined): void {
    if (slot === undefined) return;
    this.#coming -= 1;
    this.#failures = 0;
    slot.state = 'waiting';
    if (this.#state !== 'open') {
      slot.letGo();
      return;
    }
    this.#waiting.push(slot);
    if (this.#waiting.length < this.#size) return;
    for (const resolve of this.#ready) resolve();
    this.#ready.clear();
  }

  #ended(name: string, status: number): void {
    const slot = this.#slots.get(name);
    if (slot === undefined || slot.state === 'coming') this.#failed(status);
    if (slot === undefined) return;
    this.#slots.delete(name);
    this.#unopened.delete(slot);
    const index = this.#waiting.indexOf(slot);
    if (index >= 0) {
      this.#waiting.splice(index, 1);
      this.#replaced += 1;
    }
    slot.ended(exitOfStatus(status));
  }

  /** It never waited. One that was killed says nothing of the next; one that ended by itself does. */
  #failed(status: number): void {
    this.#coming -= 1;
    if (this.#state !== 'open' || status >= 256) return;
    this.#failures += 1;
    if (this.#failures >= failuresBeforeGivingUp) this.#break();
  }

  /** Only what somebody waits for keeps the process alive. */
  #refer(): void {
    const { stdout } = this.#nursery;
    if (stdout instanceof Socket && !stdout.destroyed) {
      if (this.#running > 0 || this.#queue.length > 0 || this.#ready.size > 0 || this.#idle) stdout.ref();
      else stdout.unref();
    }
    if (this.#running > 0 && this.#isNurseryGone) this.#looking ??= setInterval(() => this.#look(), looksEveryMs);
    else if (this.#looking !== undefined) {
      clearInterval(this.#looking);
      this.#looking = undefined;
    }
  }

  #look(): void {
    for (const slot of this.#slots.values()) if (slot.look()) this.#slots.delete(slot.name);
  }
}

function unavailable(why: string): SpawnError {
  return new SpawnError('SPAWN_SLOTS_UNAVAILABLE', `The waiting slots ${why}. Start without slots, or open new ones.`);
}
