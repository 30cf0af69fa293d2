/**
 * What a peer published, until the hub says what became of it, and behind it the publishes that wait for room. Frames are kept by their
 * number: when a connection comes back, those that the hub has not had are written again.
 */
import { bodyFlag } from './body.ts';
import { BusError } from './errors.ts';
import { Fifo } from './fifo.ts';
import type { PeerLimits } from './limits.ts';
import { NumberedRow } from './numbered-row.ts';
import { parseSubject } from './subject.ts';
import type { TransportMessage } from './transport.ts';
import { type FrameWriter, frameHead } from './wire.ts';

/** What is sent again after a hub has died must lie within what receivers remember: twice as many. */
export const maxWindowMessages = 65_536;

interface Frame {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

type Send = (message: TransportMessage, onNoResponders: (() => void) | undefined) => void;

interface Waiting {
  readonly message: TransportMessage;
  readonly onNoResponders: (() => void) | undefined;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class SendWindow {
  readonly #limits: Required<PeerLimits>;
  readonly #send: Send;
  readonly #waiting = new Fifo<Waiting>();
  #bytes = 0;
  #messages = 0;

  /** @param send  what is done with a message for which there is room; it enters the window */
  constructor(limits: Required<PeerLimits>, send: Send) {
    this.#limits = limits;
    this.#send = send;
  }

  /** Messages that are not settled. */
  get size(): number {
    return this.#messages;
  }

  /** Publishes that wait for room. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get hasRoom(): boolean {
    return this.#bytes < this.#limits.maxWindowBytes && this.#messages < maxWindowMessages;
  }

  enter(bytes: number): void {
    this.#bytes += bytes;
    this.#messages++;
  }

  leave(bytes: number): void {
    this.#bytes -= bytes;
    this.#messages--;
  }

  /**
   * Sends it, or lets it wait behind those that wait: then the promise resolves when it was sent.
   * @throws {BusError} BUS_INVALID_SUBJECT · BUS_OVERFLOW where a full window refuses
   */
  publish(message: TransportMessage, onNoResponders: (() => void) | undefined): void | Promise<void> {
    if (this.#waiting.length === 0 && this.hasRoom) return this.#send(message, onNoResponders);
    parseSubject(message.subject);
    return this.#wait(message, onNoResponders);
  }

  /** Sends what waits, as far as there is room. */
  admit(): void {
    while (this.hasRoom) {
      const waiting = this.#waiting.shift();
      if (waiting === undefined) return;
      try {
        this.#send(waiting.message, waiting.onNoResponders);
        waiting.resolve();
      } catch (error) {
        waiting.reject(error);
      }
    }
  }

  /** Nothing will be sent any more. */
  close(reason: BusError): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next.reject(reason);
  }

  #wait(message: TransportMessage, onNoResponders: (() => void) | undefined): Promise<void> {
    const { onFull, maxWaiting, maxWindowBytes } = this.#limits;
    if (onFull === 'refuse' || this.#waiting.length >= maxWaiting) {
      const error = new BusError(
        'BUS_OVERFLOW',
        `${this.#bytes} bytes are on their way (maxWindowBytes ${maxWindowBytes}) and ${this.#waiting.length} publishes wait (maxWaiting ${maxWaiting}, onFull ${onFull}); await what publish returns, or publish less`,
      );
      if (onFull === 'refuse') throw error;
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => this.#waiting.push({ message, onNoResponders, resolve, reject }));
  }
}

/** What was sent over a wire, and may have to be sent again. */
export class SentFrames {
  readonly #window: SendWindow;
  readonly #frames = new NumberedRow<Frame>();

  constructor(window: SendWindow) {
    this.#window = window;
  }

  /** The number of the frame that is added next. */
  get next(): number {
    return this.#frames.next;
  }

  add(bytes: Buffer, start: number, end: number): void {
    this.#frames.push({ bytes, start, end });
    this.#window.enter(end - start);
  }

  settle(number: number): void {
    const frame = this.#frames.take(number);
    if (frame !== undefined) this.#window.leave(frame.end - frame.start);
  }

  /**
   * Writes again what the hub has not had: all above `received`. Of the rest, what is not `open` there is settled.
   * @param isResent  receivers may have had it, through a hub that is gone
   */
  writeAgain(
    writer: FrameWriter,
    received: number,
    open: ReadonlySet<number>,
    isResent: boolean,
    settled: (number: number) => void,
  ): void {
    for (const [number, { bytes, start, end }] of this.#frames.entries()) {
      if (number <= received) {
        if (!open.has(number)) settled(number);
        continue;
      }
      const flags = start + frameHead + 8;
      if (isResent) bytes[flags] = (bytes[flags] ?? 0) | bodyFlag.resent;
      const at = writer.copy(bytes, start, end);
      this.#frames.replace(number, { bytes: writer.chunk, start: at, end: at + end - start });
    }
  }
}
