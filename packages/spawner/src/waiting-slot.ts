/** One waiting shell, from the making of its pipes to the end of the program that it became. */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { ChildExit, ChildHandle } from './child-handle.ts';
import { execError, exitOfStatus } from './exec-outcome.ts';
import { readProcessRow } from './process-table.ts';
import { retireFrame, type SlotCommand, slotFrame, slotPrologue } from './slot-script.ts';

/** The shell could not become the program; `cause` has the system's code, as an error of a spawn would. */
export class SlotExecError extends Error {
  constructor(cause: unknown, said: string) {
    super(`exec failed: ${said}`, { cause });
  }
}

/** What a pipe that nobody has read from takes at once. */
const pipeBytes = 65_536;
const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

export class WaitingSlot {
  readonly name: string;
  readonly exited: Promise<ChildExit>;
  state: 'coming' | 'waiting' | 'running' | 'ended' = 'coming';
  identity = { pid: 0, startTime: '', startTicks: 0 };
  readonly #path: string;
  readonly #descriptors = new Map<'in' | 'out' | 'err' | 'run', number>();
  #resolveExit: (exit: ChildExit) => void = () => undefined;
  #looksGone = 0;

  constructor(directory: string, name: string) {
    this.name = name;
    this.#path = join(directory, name);
    this.exited = new Promise((resolve) => {
      this.#resolveExit = resolve;
    });
  }

  /** Opens our ends; the shell goes on once they are open. */
  open(): void {
    try {
      for (const pipe of ['out', 'err', 'run', 'in'] as const) {
        // Held for reading too until the shell reads: to open it for writing alone would fail until then.
        const mode = pipe === 'in' ? O_RDWR : O_RDONLY;
        this.#descriptors.set(pipe, openSync(`${this.#path}.${pipe}`, mode | O_NONBLOCK));
      }
      writeSync(this.#descriptors.get('in') ?? -1, slotPrologue);
    } catch (error) {
      this.#closeAll();
      throw error;
    }
  }

  /** The shell waits; false when it has gone already. */
  welcome(pid: number): boolean {
    const row = readProcessRow(pid);
    const held = this.#descriptors.get('in');
    if (row === undefined || held === undefined) return false;
    this.#descriptors.delete('in');
    try {
      this.#descriptors.set('in', openSync(`${this.#path}.in`, O_WRONLY | O_NONBLOCK));
    } catch {
      // No reader: the shell has gone; or no descriptor is left: it goes when its pipe is closed.
      this.#closeAll();
      return false;
    } finally {
      closeSync(held);
    }
    this.identity = { pid, startTime: row.startTime, startTicks: row.startTicks };
    this.state = 'waiting';
    return true;
  }

  /** Resolves when the program runs. */
  async run(command: SlotCommand): Promise<ChildHandle | 'slot died'> {
    this.state = 'running';
    const stdin = this.#write(slotFrame(command), command.stdin === 'pipe');
    // From here on the shell works beside us.
    const running = this.#whatRunSays();
    const stdout = this.#socket('out');
    const stderr = this.#socket('err');
    const closed = Promise.all([this.exited, closeOf(stdout), closeOf(stderr)]).then(() => undefined);
    const said = await running;
    if (!said.startsWith('begun')) {
      for (const stream of [stdin, stdout, stderr]) stream?.destroy();
      return 'slot died';
    }
    if (said.includes('failed')) {
      stdin?.destroy();
      stdout.destroy();
      throw await explain(stderr);
    }
    if (command.stdin === 'closed') stdin?.end();
    return { stdin: stdin ?? null, stdout, stderr, exited: this.exited, closed };
  }

  /** Its shell ends at the end of its input, and its keeper makes another, if the slots are open. */
  letGo(): void {
    this.#closeAll();
  }

  /** Ends shell and keeper. */
  retire(): void {
    const keeper = this.name.slice(0, this.name.indexOf('.'));
    this.#write(retireFrame(keeper), false)?.destroy();
    this.state = 'running';
    this.#closeAll();
  }

  ended(status: number): void {
    if (this.state !== 'running') this.#closeAll();
    this.state = 'ended';
    this.#resolveExit(exitOfStatus(status));
  }

  /** Settles, and is true, when the program was gone at two looks without a word from the keeper. */
  look(): boolean {
    if (this.state !== 'running' || this.identity.pid === 0) return false;
    const row = readProcessRow(this.identity.pid);
    this.#looksGone = row?.startTime === this.identity.startTime && row.alive ? 0 : this.#looksGone + 1;
    if (this.#looksGone < 2) return false;
    this.state = 'ended';
    this.#resolveExit({ code: null, signalName: null, atMs: performance.now() });
    return true;
  }

  /** The text is written whole and at once where it fits the pipe; the socket is there for what does not, and for stdin. */
  #write(text: string, keep: boolean): Socket | undefined {
    const descriptor = this.#take('in');
    const bytes = Buffer.from(text);
    if (!keep && bytes.byteLength <= pipeBytes) {
      try {
        writeSync(descriptor, bytes);
      } catch (error) {
        // Nobody reads: the shell has died, which `run` will say.
        if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error;
      } finally {
        closeSync(descriptor);
      }
      return undefined;
    }
    const socket = new Socket({ fd: descriptor, readable: false, writable: true });
    socket.on('error', () => undefined);
    socket.write(bytes);
    return socket;
  }

  #whatRunSays(): Promise<string> {
    const socket = this.#socket('run');
    let said = '';
    socket.on('data', (chunk) => {
      said += chunk.toString('latin1');
    });
    return new Promise((resolve) => socket.once('close', () => resolve(said)));
  }

  #socket(pipe: 'out' | 'err' | 'run'): Socket {
    const socket = new Socket({ fd: this.#take(pipe), readable: true, writable: false });
    // A read error means no more output, and the close that follows it says so.
    socket.on('error', () => undefined);
    return socket;
  }

  #take(pipe: 'in' | 'out' | 'err' | 'run'): number {
    const descriptor = this.#descriptors.get(pipe);
    if (descriptor === undefined) throw new Error(`The pipe ${pipe} of slot ${this.name} is not open.`);
    this.#descriptors.delete(pipe);
    return descriptor;
  }

  #closeAll(): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
    this.#descriptors.clear();
  }
}

/** An empty stream may be closed before anybody reads from it: listen at once. */
function closeOf(stream: Socket): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()));
}

async function explain(stderr: Socket): Promise<SlotExecError> {
  let said = '';
  stderr.on('data', (chunk) => {
    said += chunk.toString('utf8');
  });
  if (!stderr.closed) await closeOf(stderr);
  return new SlotExecError(execError(said), said.trim());
}
