/**
 * The transport of whoever is connected to a hub. What it publishes stays in its window until the hub says what became of it;
 * when the connection comes back, the rest of the window is sent again, and what was received already is let go by its number.
 */
import { randomBytes } from 'node:crypto';
import { BodyEncoder } from './codec.ts';
import { type Connect, Connection } from './connection.ts';
import { Deliveries } from './deliveries.ts';
import { BusError } from './errors.ts';
import { type PeerLimits, resolvePeerLimits } from './limits.ts';
import { Observers } from './observers.ts';
import { SendWindow, SentFrames } from './send-window.ts';
import { parsePattern } from './subject.ts';
import type { LossReason, Receiver, Transport, TransportMessage, TransportStatus } from './transport.ts';
import {
  FrameWriter,
  frameHead,
  frameType,
  protocolVersion,
  readJson,
  readRanges,
  readUint32,
  type Welcome,
  writeUint32,
} from './wire.ts';

export interface PeerSetup {
  /** For messages to people. */
  readonly name: string;
  readonly token: string;
  readonly connect: Connect;
  /** False where a connection that is gone can't come back. */
  readonly reconnects: boolean;
  readonly limits: PeerLimits;
}

interface Subscriber {
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly receiver: Receiver;
}

/** Connects for the first time. @throws {BusError} BUS_UNREACHABLE · BUS_REFUSED */
export async function openPeer(setup: PeerSetup): Promise<Transport> {
  const peer = new PeerTransport(setup);
  await peer.open();
  return peer;
}

class PeerTransport implements Transport {
  readonly name: string;
  readonly supports = { references: false, backpressure: false, acknowledgement: true };
  readonly #setup: PeerSetup;
  readonly #limits: Required<PeerLimits>;
  readonly #session = randomBytes(8).toString('hex');
  readonly #encoder = new BodyEncoder();
  readonly #window: SendWindow;
  readonly #frames: SentFrames;
  readonly #deliveries: Deliveries;
  readonly #subscribers = new Map<number, Subscriber>();
  readonly #nobody = new Map<number, () => void>();
  readonly #pings = new Map<number, { readonly resolve: () => void; readonly reject: (reason: unknown) => void }>();
  readonly #observers = new Observers<TransportStatus>();
  /** What the present hub counts as lost of what we published. */
  readonly #lost = new Map<LossReason, number>();
  /** Other sessions that listen to the present hub: should it die, the next one waits for them. */
  readonly #others = new Set<string>();
  #connection: Connection | undefined;
  #writer: FrameWriter;
  #hub: string | null = null;
  #maxFrameBytes = 16_777_216;
  #shapesTold = 0;
  #nextId = 1;
  #heartbeat: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #attempts = 0;
  #onGone: (() => void) | undefined;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #closing: Promise<void> | undefined;

  constructor(setup: PeerSetup) {
    this.#setup = setup;
    this.name = setup.name;
    this.#limits = resolvePeerLimits(setup.limits);
    this.#window = new SendWindow(this.#limits, (message, onNoResponders) => this.#send(message, onNoResponders));
    this.#frames = new SentFrames(this.#window);
    this.#deliveries = new Deliveries({
      receiverOf: (subscription) => this.#subscribers.get(subscription)?.receiver,
      schedule: () => this.#writer.scheduleLate(),
      failed: (error) => this.#observers.tell({ type: 'transportFailed', error }),
    });
    this.#writer = this.#newWriter();
  }

  async open(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      this.#state = 'closed';
      throw error;
    }
    this.#heartbeat = setInterval(() => this.#beat(), this.#limits.heartbeatMs);
    this.#heartbeat.unref();
  }

  publish(message: TransportMessage, onNoResponders?: () => void): void | Promise<void> {
    if (this.#state !== 'open') throw this.#closedError();
    return this.#window.publish(message, onNoResponders);
  }

  subscribe(pattern: string, receiver: Receiver, queue: string | undefined): () => void {
    if (this.#state !== 'open') throw this.#closedError();
    parsePattern(pattern);
    const id = this.#nextId++;
    this.#subscribers.set(id, { pattern, queue, receiver });
    this.#writer.json(frameType.subscribe, { id, pattern, queue: queue ?? null });
    return () => {
      if (!this.#subscribers.delete(id) || this.#state === 'closed') return;
      const at = this.#writer.begin(frameType.unsubscribe, 4);
      writeUint32(this.#writer.chunk, id, at);
    };
  }

  flush(): Promise<void> {
    if (this.#state !== 'open') return Promise.reject(this.#closedError());
    return this.#ping();
  }

  observe(listener: (status: TransportStatus) => void): () => void {
    return this.#observers.observe(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #send(message: TransportMessage, onNoResponders: (() => void) | undefined): void {
    const encoder = this.#encoder;
    encoder.prepare(message, onNoResponders !== undefined);
    encoder.checkFits(this.#maxFrameBytes);
    if (encoder.shapes !== this.#shapesTold) this.#tellDictionary();
    const number = this.#frames.next;
    if (onNoResponders !== undefined) this.#nobody.set(number, onNoResponders);
    const size = 8 + encoder.size;
    const writer = this.#writer;
    const at = writer.begin(frameType.publish, size);
    const { chunk } = writer;
    chunk.writeDoubleLE(number, at);
    encoder.write(chunk, at + 8);
    this.#frames.add(chunk, at - frameHead, at + size);
  }

  #hear(type: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case frameType.deliver:
        this.#deliveries.take(bytes, start, end);
        return;
      case frameType.acknowledge:
        readRanges(bytes, start, end, (number) => this.#settled(number));
        this.#window.admit();
        return;
      case frameType.nobody:
        this.#nobody.get(bytes.readDoubleLE(start))?.();
        return;
      case frameType.lost: {
        const { reason, total } = readJson(bytes, start, end) as { reason: LossReason; total: number };
        const count = total - (this.#lost.get(reason) ?? 0);
        this.#lost.set(reason, total);
        if (count > 0) this.#observers.tell({ type: 'lost', count, reason });
        return;
      }
      case frameType.origin:
        this.#deliveries.learnSender(readJson(bytes, start, end));
        return;
      case frameType.listeners: {
        const { session, listens } = readJson(bytes, start, end) as { session: string; listens: boolean };
        if (listens) this.#others.add(session);
        else this.#others.delete(session);
        return;
      }
      case frameType.ping:
        this.#writer.answer(frameType.pong, bytes, start, end);
        return;
      case frameType.pong: {
        const id = readUint32(bytes, start);
        this.#deliveries.answered(id);
        this.#pings.get(id)?.resolve();
        this.#pings.delete(id);
        return;
      }
      default:
        throw new BusError('BUS_PROTOCOL', `The hub sent a frame of type ${type}, which means nothing to a peer`);
    }
  }

  #settled(number: number): void {
    this.#frames.settle(number);
    if (this.#nobody.size > 0) this.#nobody.delete(number);
  }

  #connect(): Promise<void> {
    const connection: Connection = new Connection({
      name: this.name,
      connect: this.#setup.connect,
      timeoutMs: this.#limits.connectTimeoutMs,
      welcomed: (welcome) => this.#welcomed(welcome),
      frame: (type, bytes, start, end) => this.#hear(type, bytes, start, end),
      lost: (error) => this.#disconnected(error),
    });
    this.#connection = connection;
    return connection.open({
      version: protocolVersion,
      token: this.#setup.token,
      session: this.#session,
      name: this.#limits.peerName,
      hub: this.#hub,
      listeners: [...this.#others],
      received: this.#deliveries.received,
      inHand: this.#deliveries.inHand,
    });
  }

  #welcomed({ hub, isResumed, received, open, listeners, maxFrameBytes }: Welcome): void {
    const isKnown = isResumed && hub === this.#hub;
    const wasConnected = this.#hub !== null;
    this.#maxFrameBytes = maxFrameBytes;
    this.#hub = hub;
    this.#attempts = 0;
    this.#deliveries.reconnected(isKnown);
    if (!isKnown) this.#lost.clear();
    this.#others.clear();
    for (const listener of listeners) if (listener !== this.#session) this.#others.add(listener);
    const writer = this.#newWriter();
    this.#writer = writer;
    this.#shapesTold = 0;
    if (this.#encoder.shapes > 0) this.#tellDictionary();
    for (const [id, { pattern, queue }] of this.#subscribers) {
      writer.json(frameType.subscribe, { id, pattern, queue: queue ?? null });
    }
    const at = writer.begin(frameType.subscribed, 8);
    writer.chunk.writeDoubleLE(this.#frames.next - 1, at);
    const settled = (number: number) => this.#settled(number);
    this.#frames.writeAgain(writer, isKnown ? received : 0, new Set(open), wasConnected && !isKnown, settled);
    for (const id of this.#pings.keys()) this.#writePing(id);
    if (wasConnected) this.#observers.tell({ type: 'reconnected' });
    this.#window.admit();
  }

  #disconnected(error: Error | undefined): void {
    this.#connection = undefined;
    // What is written from now on is kept by the window and the subscribers alone.
    this.#writer = this.#newWriter();
    if (this.#state !== 'open') {
      this.#onGone?.();
      return;
    }
    this.#observers.tell({ type: 'disconnected', error });
    if (this.#setup.reconnects) this.#retrySoon();
    else void this.close();
  }

  #retrySoon(): void {
    const { retryMs } = this.#limits;
    const ceiling = Math.min(retryMs, (retryMs / 10) * 2 ** this.#attempts++);
    this.#retry = setTimeout(() => void this.#reconnect(), ceiling / 2 + (Math.random() * ceiling) / 2);
  }

  async #reconnect(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      if (this.#state !== 'open') return;
      if (error instanceof BusError && error.code === 'BUS_REFUSED') {
        this.#observers.tell({ type: 'transportFailed', error });
        await this.close();
        return;
      }
      this.#retrySoon();
    }
  }

  #beat(): void {
    const connection = this.#connection;
    if (connection === undefined || !connection.isOpen) return;
    const { heartbeatMs } = this.#limits;
    if (connection.silentMs > heartbeatMs * 2) {
      connection.end();
      this.#disconnected(new Error(`nothing was heard from the hub for ${heartbeatMs * 2} ms`));
      return;
    }
    const id = this.#nextId++;
    this.#deliveries.asking(id);
    this.#writePing(id);
  }

  #ping(): Promise<void> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pings.set(id, { resolve, reject });
      this.#writePing(id);
    });
  }

  #writePing(id: number): void {
    const at = this.#writer.begin(frameType.ping, 4);
    writeUint32(this.#writer.chunk, id, at);
  }

  #tellDictionary(): void {
    this.#shapesTold = this.#encoder.shapes;
    this.#writer.json(frameType.dictionary, this.#encoder.dictionary);
  }

  #newWriter(): FrameWriter {
    const writer: FrameWriter = new FrameWriter(
      (chunk) => {
        if (writer === this.#writer) this.#connection?.write(chunk);
      },
      () => {
        if (writer === this.#writer && this.#connection?.isOpen) this.#deliveries.writeTo(writer);
      },
    );
    return writer;
  }

  async #close(): Promise<void> {
    this.#state = 'closing';
    clearTimeout(this.#retry);
    const isReached = this.#connection?.isOpen === true && (await this.#takeLeave());
    this.#state = 'closed';
    clearInterval(this.#heartbeat);
    this.#connection?.end();
    const left = this.#window.waiting + (isReached ? 0 : this.#window.size);
    const reason = this.#closedError();
    for (const { reject } of this.#pings.values()) reject(reason);
    this.#pings.clear();
    this.#window.close(reason);
    if (left > 0) this.#observers.tell({ type: 'lost', count: left, reason: 'closed' });
  }

  /** Whether the hub has all that was published, so that it can see to it without us. It ends the connection once it has forgotten us. */
  async #takeLeave(): Promise<boolean> {
    const gone = new Promise<'gone'>((resolve) => {
      this.#onGone = () => resolve('gone');
    });
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<'too late'>((resolve) => {
      timer = setTimeout(() => resolve('too late'), this.#limits.connectTimeoutMs);
    });
    try {
      const reached = this.#ping().then(() => 'reached' as const);
      if ((await Promise.race([reached, gone, tooLate])) !== 'reached') {
        // It is rejected once all is closed, and by then this is known.
        reached.catch(() => undefined);
        return false;
      }
      this.#writer.begin(frameType.bye, 0);
      this.#writer.flush();
      await Promise.race([gone, tooLate]);
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  #closedError(): BusError {
    return new BusError('BUS_CLOSED', `The ${this.name} transport is closed`);
  }
}
