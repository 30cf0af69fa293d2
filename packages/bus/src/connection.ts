/**
 * One connection from a peer to its hub: greeted within a time, then open, then gone, each once. A peer that is cut off makes another;
 * nothing that an earlier one still hears or does can touch the one after it.
 */
import { BusError } from './errors.ts';
import { FrameReader, FrameWriter, frameType, type Hello, readJson, type Welcome, type Wire } from './wire.ts';

/** Opens one wire. What comes over it is pushed; `lost` is called once when it is gone. */
export type Connect = (events: { push(chunk: Buffer): void; lost(error: Error | undefined): void }) => Promise<Wire>;

export interface ConnectionSetup {
  /** Of the hub, for messages to people. */
  readonly name: string;
  readonly connect: Connect;
  readonly timeoutMs: number;
  /** The hub has greeted back: what is written from now on reaches it. */
  welcomed(welcome: Welcome): void;
  frame(type: number, bytes: Buffer, start: number, end: number): void;
  /** It was open and is gone, through no `end` of ours. */
  lost(error: Error | undefined): void;
}

export class Connection {
  readonly #setup: ConnectionSetup;
  readonly #reader = new FrameReader(Number.MAX_SAFE_INTEGER, (type, bytes, start, end) =>
    this.#hear(type, bytes, start, end),
  );
  #wire: Wire | undefined;
  #settle: ((error: Error | undefined) => void) | undefined;
  #lastHeardMs = 0;
  #state: 'greeting' | 'open' | 'gone' = 'greeting';

  constructor(setup: ConnectionSetup) {
    this.#setup = setup;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** Milliseconds since anything came. */
  get silentMs(): number {
    return performance.now() - this.#lastHeardMs;
  }

  /** Resolves after `welcomed`. @throws {BusError} BUS_UNREACHABLE · BUS_REFUSED */
  open(hello: Hello): Promise<void> {
    const { connect, timeoutMs } = this.#setup;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      this.#settle = (error) => {
        this.#settle = undefined;
        clearTimeout(timer);
        if (error === undefined) resolve();
        else reject(error instanceof BusError ? error : this.#unreachable(error));
      };
      const events = {
        push: (chunk: Buffer) => this.#push(chunk),
        lost: (error: Error | undefined) => this.#fail(error),
      };
      connect(events).then(
        (wire) => this.#greet(wire, hello),
        (error: Error) => this.#fail(error),
      );
    });
  }

  write(bytes: Uint8Array): void {
    if (this.#state === 'open') this.#wire?.write(bytes);
  }

  /** What was written is still sent; nothing more is heard. An `open` under way fails. Idempotent. */
  end(): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    this.#wire?.end();
    this.#settle?.(new Error('it was closed'));
  }

  #greet(wire: Wire, hello: Hello): void {
    if (this.#state === 'gone') {
      wire.end();
      return;
    }
    this.#wire = wire;
    const writer = new FrameWriter(
      (chunk) => wire.write(chunk),
      () => undefined,
    );
    writer.json(frameType.hello, hello);
    writer.flush();
  }

  #push(chunk: Buffer): void {
    if (this.#state === 'gone') return;
    this.#lastHeardMs = performance.now();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #hear(type: number, bytes: Buffer, start: number, end: number): void {
    if (this.#state === 'open') {
      this.#setup.frame(type, bytes, start, end);
    } else if (this.#state === 'greeting') {
      this.#hearGreeting(type, bytes, start, end);
    }
  }

  #hearGreeting(type: number, bytes: Buffer, start: number, end: number): void {
    if (type === frameType.welcome) {
      this.#state = 'open';
      this.#setup.welcomed(readJson(bytes, start, end) as Welcome);
      this.#settle?.(undefined);
    } else if (type === frameType.refused) {
      const { reason } = readJson(bytes, start, end) as { reason: string };
      throw new BusError('BUS_REFUSED', `The hub of ${this.#setup.name} refused this peer: ${reason}`);
    } else {
      throw new BusError('BUS_PROTOCOL', `The hub of ${this.#setup.name} answered with a frame of type ${type}`);
    }
  }

  #fail(error: Error | undefined): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    this.#wire?.end();
    if (this.#settle === undefined) this.#setup.lost(error);
    else this.#settle(error ?? new Error('the connection was closed'));
  }

  #unreachable(cause: Error): BusError {
    return new BusError('BUS_UNREACHABLE', `The hub of ${this.#setup.name} can't be reached: ${cause.message}`, {
      cause,
    });
  }
}
