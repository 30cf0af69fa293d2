/** One waiting slot, from the opening of its pipes to the end of the program that it became. */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { ChildExit, ChildHandle } from './child-handle.ts';
import { errnoError } from './exec-outcome.ts';
import { readProcessRow } from './process-table.ts';
import { nurseryWord, type SlotCommand, slotFrame } from './slot-nursery.ts';

/** The slot could not become the program; `cause` has the system's code, as an error of a spawn would. */
export class SlotExecError extends Error {
  constructor(cause: unknown) {
    super('exec failed', { cause });
  }
}

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
/** It has gone: the name of its pipe is removed, nobody reads it, or no more. */
const goneCodes: readonly unknown[] = ['ENOENT', 'ENXIO', 'EPIPE'];

/** Our ends. Nothing comes before the slot has its command. */
interface Pipes {
  readonly in: number;
  readonly out: Socket;
  readonly err: Socket;
  readonly run: Socket;
}

export class WaitingSlot {
  readonly name: string;
  readonly exited: Promise<ChildExit>;
  state: 'coming' | 'waiting' | 'running' | 'ended' = 'coming';
  identity: { readonly pid: number; readonly startTime: string; readonly startTicks: number };
  readonly #path: string;
  #pipes: Pipes | undefined;
  #resolveExit: (exit: ChildExit) => void = () => undefined;
  #looksGone = 0;

  constructor(directory: string, name: string, pid: number) {
    this.name = name;
    this.identity = { pid, startTime: '', startTicks: 0 };
    this.#path = join(directory, name);
    this.exited = new Promise((resolve) => {
      this.#resolveExit = resolve;
    });
  }

  /** Opens our ends and lets the slot go on. One that has gone is not an error: its end is under way to us. @throws where descriptors are lacking */
  open(): void {
    const { pid } = this.identity;
    const row = readProcessRow(pid);
    if (row === undefined) return;
    const opened: number[] = [];
    const open = (pipe: keyof Pipes, mode: number): number => {
      const descriptor = openSync(`${this.#path}.${pipe}`, mode | O_NONBLOCK);
      opened.push(descriptor);
      return descriptor;
    };
    try {
      const [out, err, run] = [open('out', O_RDONLY), open('err', O_RDONLY), open('run', O_RDONLY)];
      const into = open('in', O_WRONLY);
      writeSync(into, nurseryWord.go);
      this.#pipes = { in: into, out: waitingSocket(out), err: waitingSocket(err), run: waitingSocket(run) };
      this.identity = { pid, startTime: row.startTime, startTicks: row.startTicks };
    } catch (error) {
      for (const descriptor of opened) closeSync(descriptor);
      if (!(error instanceof Error && 'code' in error && goneCodes.includes(error.code))) throw error;
    }
  }

  /** Resolves when the program runs. */
  async run(command: SlotCommand): Promise<ChildHandle | 'slot died'> {
    const pipes = this.#pipes;
    if (pipes === undefined) throw new Error(`The pipes of slot ${this.name} are not open.`);
    this.#pipes = undefined;
    this.state = 'running';
    const stdin = writeCommand(pipes.in, slotFrame(command), command.stdin === 'pipe');
    const [stdout, stderr] = [pipes.out.ref(), pipes.err.ref()];
    const running = whatIsSaid(pipes.run.ref());
    const closed = Promise.all([this.exited, closeOf(stdout), closeOf(stderr)]).then(() => undefined);
    const said = await running;
    if (said !== 'begun') {
      for (const stream of [stdin, stdout, stderr]) stream?.destroy();
      const number = Number(/ failed (\d+)$/.exec(said)?.[1]);
      if (Number.isNaN(number)) return 'slot died';
      throw new SlotExecError(errnoError(number));
    }
    if (command.stdin === 'closed') stdin?.end();
    return { stdin: stdin ?? null, stdout, stderr, exited: this.exited, closed };
  }

  /** It ends at the end of its input. */
  letGo(): void {
    const pipes = this.#pipes;
    if (pipes === undefined) return;
    this.#pipes = undefined;
    closeSync(pipes.in);
    for (const socket of [pipes.out, pipes.err, pipes.run]) socket.destroy();
  }

  ended(exit: ChildExit): void {
    if (this.state !== 'running') this.letGo();
    this.state = 'ended';
    this.#resolveExit(exit);
  }

  /** Settles, and is true, when the program was gone at two looks and nobody is there to say how it ended. */
  look(): boolean {
    const row = readProcessRow(this.identity.pid);
    this.#looksGone = row?.startTime === this.identity.startTime && row.alive ? 0 : this.#looksGone + 1;
    if (this.#looksGone < 2) return false;
    this.ended({ code: null, signalName: null, atMs: performance.now() });
    return true;
  }
}

/** Its reading has begun; it does not keep the process alive. */
function waitingSocket(descriptor: number): Socket {
  const socket = new Socket({ fd: descriptor, readable: true, writable: false });
  // A read error means no more output, and the close that follows it says so.
  socket.on('error', () => undefined);
  return socket.unref();
}

/** The frame is written at once as far as the pipe takes it; the socket is there for the rest, and for stdin. */
function writeCommand(descriptor: number, frame: Buffer, keep: boolean): Socket | undefined {
  const written = writeNow(descriptor, frame);
  if (!keep && written === frame.byteLength) {
    closeSync(descriptor);
    return undefined;
  }
  const socket = new Socket({ fd: descriptor, readable: false, writable: true });
  // Nobody reads: the slot or its program has died, which `run` or its exit will say.
  socket.on('error', () => undefined);
  socket.write(frame.subarray(written));
  return socket;
}

/** How much of it the pipe took; all, where nobody will ever read it. */
function writeNow(descriptor: number, bytes: Buffer): number {
  try {
    return writeSync(descriptor, bytes);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EAGAIN') return 0;
    // The slot has died, which `run` will say.
    if (code === 'EPIPE') return bytes.byteLength;
    throw error;
  }
}

function whatIsSaid(socket: Socket): Promise<string> {
  let said = '';
  socket.on('data', (chunk) => {
    said += chunk.toString('latin1');
  });
  return closeOf(socket).then(() => said);
}

/** That of a slot that died while it waited may be closed already; an empty one, before anybody reads from it. */
function closeOf(stream: Socket): Promise<void> {
  if (stream.closed) return Promise.resolve();
  return new Promise((resolve) => stream.once('close', () => resolve()));
}
