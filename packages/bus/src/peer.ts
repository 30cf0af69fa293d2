/**
 * The transport of whoever is connected to a hub. What it publishes stays in its window until the hub says what became of it;
 * when the connection comes back, the rest of the window is sent again, and what was received already is let go by its number.
 */
import { randomBytes } from 'node:crypto';
import { BodyDecoder, BodyEncoder, bodyFlag, type DecodedBody, type Dictionary } from './codec.ts';
import { BusError } from './errors.ts';
import { Fifo } from './fifo.ts';
import type { Hub } from './hub.ts';
import { PublishedMessage } from './message.ts';
import { SeenFilter } from './seen-filter.ts';
import { parsePattern, parseSubject } from './subject.ts';
import type { LossReason, Outcome, Receiver, Transport, TransportMessage, TransportStatus } from './transport.ts';
import {
  FrameReader,
  FrameWriter,
  frameHead,
  frameType,
  protocolVersion,
  Ranges,
  readJson,
  readRanges,
  readUint32,
  type Wire,
  writeUint32,
} from './wire.ts';

export interface PeerLimits {
  /** What the hub calls it. @default the process id */
  readonly peerName?: string;
  /** Bytes published and not known to have arrived; beyond it `publish` returns a promise. @default 16 MiB */
  readonly maxWindowBytes?: number;
  /** A full window makes `publish` wait, or refuse with BUS_OVERFLOW. @default 'wait' */
  readonly onFull?: 'wait' | 'refuse';
  /** Publishes that may wait for the window; one more is rejected with BUS_OVERFLOW. @default 65_536 */
  readonly maxWaiting?: number;
  /** The connection is looked at this often, and given up when nothing came for twice as long. @default 5_000 */
  readonly heartbeatMs?: number;
  /** The longest pause between two tries to reach the hub, which begin at a tenth of it. @default 200 */
  readonly retryMs?: number;
  /** How long one try may take. @default 5_000 */
  readonly connectTimeoutMs?: number;
}

/** What is sent again after a hub has died must lie within what receivers remember: twice as many. */
const maxWindowMessages = 65_536;

/** Opens one connection. What comes over it is pushed; `lost` is called once when it is gone. */
export type Connect = (events: { push(chunk: Buffer): void; lost(error: Error | undefined): void }) => Promise<Wire>;

interface PeerSetup {
  /** For messages to people. */
  readonly name: string;
  readonly token: string;
  readonly connect: Connect;
  /** False where a connection that is gone can't come back. */
  readonly reconnects: boolean;
  readonly limits: PeerLimits;
}

/** A frame that the hub has not settled yet. */
interface Parcel {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

interface Waiting {
  readonly message: TransportMessage;
  readonly onNoResponders: (() => void) | undefined;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

interface Subscriber {
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly receiver: Receiver;
}

interface Sender {
  readonly id: string;
  readonly decoder: BodyDecoder;
}

interface Welcome {
  readonly hub: string;
  readonly isResumed: boolean;
  readonly received: number;
  readonly open: readonly number[];
  readonly maxFrameBytes: number;
}

/** A message of a queue group, in hand until it is settled. */
class PeerTrackedMessage extends PublishedMessage {
  #settle: ((outcome: Outcome) => void) | undefined;

  constructor({ subject, data, headers, reply }: DecodedBody, settle: (outcome: Outcome) => void) {
    super(subject, data, headers, reply);
    this.#settle = settle;
  }

  settle(outcome: Outcome): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(outcome);
  }
}

/** The same frames, without a socket. */
export function connectWithin(hub: Hub): Connect {
  return async ({ push, lost }) => {
    const peer = hub.accept({ write: (bytes) => push(asBuffer(bytes)), end: () => lost(undefined) });
    return { write: (bytes) => peer.push(asBuffer(bytes)), end: () => peer.lost(true) };
  };
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
  readonly #window = new Map<number, Parcel>();
  readonly #waiting = new Fifo<Waiting>();
  readonly #subscribers = new Map<number, Subscriber>();
  readonly #nobody = new Map<number, () => void>();
  readonly #pings = new Map<number, { readonly resolve: () => void; readonly reject: (reason: unknown) => void }>();
  readonly #listeners = new Set<(status: TransportStatus) => void>();
  readonly #senders = new Map<number, Sender>();
  readonly #seen = new SeenFilter({ window: 2 * maxWindowMessages });
  readonly #acknowledged = new Ranges();
  readonly #declined = new Ranges();
  readonly #inHand = new Set<number>();
  /** What the present hub counts as lost of what we published. */
  readonly #lost = new Map<LossReason, number>();
  #writer: FrameWriter;
  #wire: Wire | undefined;
  #hub: string | null = null;
  /** Grows with each hub, whose numbers mean nothing to the next. */
  #epoch = 0;
  #maxFrameBytes = 16_777_216;
  #windowBytes = 0;
  #sent = 0;
  #received = 0;
  #shapesTold = 0;
  #nextId = 1;
  #lastHeardMs = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #attempts = 0;
  /** The hub has greeted back over the present wire. */
  #isWelcome = false;
  #onGone: (() => void) | undefined;
  #onWelcome: ((error: Error | undefined) => void) | undefined;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #closing: Promise<void> | undefined;

  constructor(setup: PeerSetup) {
    this.#setup = setup;
    this.name = setup.name;
    this.#limits = resolvePeerLimits(setup.limits);
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
    if (this.#waiting.length > 0 || this.#isFull) {
      parseSubject(message.subject);
      return this.#wait(message, onNoResponders);
    }
    this.#send(message, onNoResponders);
    return undefined;
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
    // Its own function, so that one listener given twice is two.
    const own = (status: TransportStatus) => listener(status);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #send(message: TransportMessage, onNoResponders: (() => void) | undefined): void {
    const encoder = this.#encoder;
    encoder.prepare(message, onNoResponders !== undefined);
    if (encoder.size + 64 > this.#maxFrameBytes) {
      throw new BusError(
        'BUS_MESSAGE_TOO_LARGE',
        `The message to ${JSON.stringify(message.subject)} takes ${encoder.size} bytes, over what the hub accepts in a frame (maxFrameBytes ${this.#maxFrameBytes}); pass a path to a file instead, or raise the bound`,
      );
    }
    if (encoder.shapes !== this.#shapesTold) this.#tellDictionary();
    const number = ++this.#sent;
    if (onNoResponders !== undefined) this.#nobody.set(number, onNoResponders);
    const size = 8 + encoder.size;
    const writer = this.#writer;
    const at = writer.begin(frameType.publish, size);
    const { chunk } = writer;
    chunk.writeDoubleLE(number, at);
    encoder.write(chunk, at + 8);
    this.#window.set(number, { bytes: chunk, start: at - frameHead, end: at + size });
    this.#windowBytes += size + frameHead;
  }

  #wait(message: TransportMessage, onNoResponders: (() => void) | undefined): Promise<void> {
    const { onFull, maxWaiting, maxWindowBytes } = this.#limits;
    if (onFull === 'refuse' || this.#waiting.length >= maxWaiting) {
      const error = new BusError(
        'BUS_OVERFLOW',
        `${this.#windowBytes} bytes are on their way (maxWindowBytes ${maxWindowBytes}) and ${this.#waiting.length} publishes wait (maxWaiting ${maxWaiting}, onFull ${onFull}); await what publish returns, or publish less`,
      );
      if (onFull === 'refuse') throw error;
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => this.#waiting.push({ message, onNoResponders, resolve, reject }));
  }

  #hear(type: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case frameType.deliver:
        this.#deliver(bytes, start, end);
        return;
      case frameType.acknowledge:
        readRanges(bytes, start, end, (number) => this.#settled(number));
        this.#admitWaiting();
        return;
      case frameType.nobody:
        this.#nobody.get(bytes.readDoubleLE(start))?.();
        return;
      case frameType.lost: {
        const { reason, total } = readJson(bytes, start, end) as { reason: LossReason; total: number };
        const count = total - (this.#lost.get(reason) ?? 0);
        this.#lost.set(reason, total);
        if (count > 0) this.#tell({ type: 'lost', count, reason });
        return;
      }
      case frameType.origin:
        this.#learnSender(readJson(bytes, start, end));
        return;
      case frameType.ping:
        bytes.copy(this.#writer.chunk, this.#writer.begin(frameType.pong, end - start), start, end);
        return;
      case frameType.pong: {
        const id = readUint32(bytes, start);
        this.#pings.get(id)?.resolve();
        this.#pings.delete(id);
        return;
      }
      case frameType.welcome:
        this.#welcomed(readJson(bytes, start, end) as Welcome);
        return;
      case frameType.refused: {
        const { reason } = readJson(bytes, start, end) as { reason: string };
        this.#onWelcome?.(new BusError('BUS_REFUSED', `The hub of ${this.name} refused this peer: ${reason}`));
        return;
      }
      default:
        throw new BusError('BUS_PROTOCOL', `The hub sent a frame of type ${type}, which means nothing to a peer`);
    }
  }

  #deliver(bytes: Buffer, start: number, end: number): void {
    const number = bytes.readDoubleLE(start);
    const sender = this.#senders.get(readUint32(bytes, start + 8));
    const sequence = bytes.readDoubleLE(start + 12);
    const isTracked = bytes.readUInt16LE(start + 20) === 1;
    const count = bytes.readUInt16LE(start + 22);
    const bodyStart = start + 24 + count * 4;
    this.#received = number;
    if (sender === undefined)
      throw new BusError('BUS_PROTOCOL', 'The hub passed on a message of a peer it never named');
    const source = isTracked ? `${sender.id}/${readUint32(bytes, start + 24)}` : sender.id;
    const isKnown = this.#seen.seen(source, sequence);
    const body =
      isKnown && (bytes[bodyStart] ?? 0) & bodyFlag.resent ? undefined : this.#decode(sender, bytes, bodyStart, end);
    if (body === undefined) this.#acknowledge(number);
    else if (isTracked) this.#deliverTracked(number, readUint32(bytes, start + 24), body);
    else this.#deliverPlain(number, bytes, start + 24, count, body);
  }

  #decode({ decoder }: Sender, bytes: Buffer, start: number, end: number): DecodedBody | undefined {
    try {
      return decoder.decode(bytes, start, end);
    } catch (error) {
      this.#tell({ type: 'transportFailed', error });
      return undefined;
    }
  }

  #deliverPlain(number: number, bytes: Buffer, idsStart: number, count: number, body: DecodedBody): void {
    const message = new PublishedMessage(body.subject, body.data, body.headers, body.reply);
    let waiting: Promise<void>[] | undefined;
    for (let index = 0; index < count; index++) {
      const wait = this.#subscribers.get(readUint32(bytes, idsStart + index * 4))?.receiver.deliver(message);
      if (wait !== undefined) {
        waiting ??= [];
        waiting.push(wait);
      }
    }
    if (waiting === undefined) this.#acknowledge(number);
    else this.#acknowledgeAfter(number, waiting);
  }

  #deliverTracked(number: number, id: number, body: DecodedBody): void {
    const subscriber = this.#subscribers.get(id);
    if (subscriber === undefined) {
      this.#declined.add(number);
      this.#writer.schedule();
      return;
    }
    const epoch = this.#epoch;
    this.#inHand.add(number);
    const message = new PeerTrackedMessage(body, (outcome) => {
      if (epoch !== this.#epoch) return;
      this.#inHand.delete(number);
      (outcome === 'dropped' ? this.#declined : this.#acknowledged).add(number);
      this.#writer.schedule();
    });
    // Whoever is made to wait is told by the mailbox; the message is in hand all the same.
    subscriber.receiver.deliver(message)?.catch((error: unknown) => this.#tell({ type: 'transportFailed', error }));
  }

  #acknowledge(number: number): void {
    this.#acknowledged.add(number);
    this.#writer.schedule();
  }

  /** A receiver with the policy `wait` holds the hub up, and through it the sender. */
  async #acknowledgeAfter(number: number, waiting: readonly Promise<void>[]): Promise<void> {
    const epoch = this.#epoch;
    this.#inHand.add(number);
    await Promise.allSettled(waiting);
    if (epoch !== this.#epoch) return;
    this.#inHand.delete(number);
    this.#acknowledge(number);
  }

  get #isFull(): boolean {
    return this.#windowBytes >= this.#limits.maxWindowBytes || this.#window.size >= maxWindowMessages;
  }

  #settled(number: number): void {
    const parcel = this.#window.get(number);
    if (parcel === undefined) return;
    this.#window.delete(number);
    this.#windowBytes -= parcel.end - parcel.start;
    if (this.#nobody.size > 0) this.#nobody.delete(number);
  }

  #admitWaiting(): void {
    while (!this.#isFull) {
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

  #learnSender(value: unknown): void {
    const { origin, id, dictionary } = value as { origin: number; id: string; dictionary: Dictionary };
    const known = this.#senders.get(origin);
    if (known !== undefined && known.id === id) known.decoder.dictionary = dictionary;
    else this.#senders.set(origin, { id, decoder: new BodyDecoder(dictionary) });
  }

  async #connect(): Promise<void> {
    const { connectTimeoutMs, peerName } = this.#limits;
    let wire: Wire | undefined;
    let timer: NodeJS.Timeout | undefined;
    let isLost = false;
    const lost = (error: Error | undefined) => {
      if (isLost) return;
      isLost = true;
      this.#onWelcome?.(error ?? new Error('the connection was closed'));
      if (wire !== undefined && this.#wire === wire) this.#disconnected(error);
    };
    const reader = new FrameReader(Number.MAX_SAFE_INTEGER, (type, bytes, start, end) => {
      this.#hear(type, bytes, start, end);
    });
    const push = (chunk: Buffer) => {
      if (isLost) return;
      this.#lastHeardMs = performance.now();
      try {
        reader.push(chunk);
      } catch (error) {
        wire?.end();
        lost(error instanceof Error ? error : new Error(String(error)));
      }
    };
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (error: Error) => {
          reject(error instanceof BusError ? error : this.#unreachable(error));
        };
        timer = setTimeout(() => fail(new Error(`no answer within ${connectTimeoutMs} ms`)), connectTimeoutMs);
        this.#onWelcome = (error) => {
          this.#onWelcome = undefined;
          if (error === undefined) resolve();
          else fail(error);
        };
        this.#setup.connect({ push, lost }).then((opened) => {
          wire = opened;
          if (this.#state === 'closed') {
            wire.end();
            return;
          }
          this.#wire = wire;
          const greeting = new FrameWriter(
            (chunk) => opened.write(chunk),
            () => undefined,
          );
          greeting.json(frameType.hello, {
            version: protocolVersion,
            token: this.#setup.token,
            session: this.#session,
            name: peerName,
            hub: this.#hub,
            received: this.#received,
            inHand: [...this.#inHand],
          });
          greeting.flush();
        }, fail);
      });
    } catch (error) {
      isLost = true;
      wire?.end();
      if (this.#wire === wire) this.#wire = undefined;
      throw error;
    } finally {
      this.#onWelcome = undefined;
      clearTimeout(timer);
    }
  }

  #welcomed({ hub, isResumed, received, open, maxFrameBytes }: Welcome): void {
    const isKnown = isResumed && hub === this.#hub;
    const wasConnected = this.#hub !== null;
    this.#maxFrameBytes = maxFrameBytes;
    this.#hub = hub;
    this.#attempts = 0;
    this.#acknowledged.pairs.length = 0;
    this.#declined.pairs.length = 0;
    this.#senders.clear();
    if (!isKnown) {
      this.#epoch++;
      this.#received = 0;
      this.#inHand.clear();
      this.#lost.clear();
    }
    const writer = this.#newWriter();
    this.#writer = writer;
    this.#isWelcome = true;
    this.#shapesTold = 0;
    if (this.#encoder.shapes > 0) this.#tellDictionary();
    for (const [id, { pattern, queue }] of this.#subscribers) {
      writer.json(frameType.subscribe, { id, pattern, queue: queue ?? null });
    }
    this.#sendWindow(isKnown ? received : 0, new Set(open), wasConnected && !isKnown);
    for (const id of this.#pings.keys()) this.#writePing(id);
    this.#onWelcome?.(undefined);
    if (wasConnected) this.#tell({ type: 'reconnected' });
    this.#admitWaiting();
  }

  #sendWindow(received: number, open: ReadonlySet<number>, isResent: boolean): void {
    for (const [number, { bytes, start, end }] of [...this.#window]) {
      if (number <= received) {
        if (!open.has(number)) this.#settled(number);
        continue;
      }
      const flags = start + frameHead + 8;
      if (isResent) bytes[flags] = (bytes[flags] ?? 0) | bodyFlag.resent;
      const at = this.#writer.copy(bytes, start, end);
      this.#window.set(number, { bytes: this.#writer.chunk, start: at, end: at + end - start });
    }
  }

  #disconnected(error: Error | undefined): void {
    this.#wire = undefined;
    this.#isWelcome = false;
    // What is written from now on is kept by the window and the subscribers alone.
    this.#writer = this.#newWriter();
    if (this.#state !== 'open') {
      this.#onGone?.();
      return;
    }
    this.#tell({ type: 'disconnected', error });
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
      if (this.#state === 'closed') return;
      if (error instanceof BusError && error.code === 'BUS_REFUSED') {
        this.#tell({ type: 'transportFailed', error });
        await this.close();
        return;
      }
      this.#retrySoon();
    }
  }

  #beat(): void {
    if (this.#wire === undefined || !this.#isWelcome) return;
    if (performance.now() - this.#lastHeardMs > this.#limits.heartbeatMs * 2) {
      const wire = this.#wire;
      wire.end();
      this.#disconnected(new Error(`nothing was heard from the hub for ${this.#limits.heartbeatMs * 2} ms`));
      return;
    }
    this.#writePing(0);
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
        if (this.#isWelcome && writer === this.#writer) this.#wire?.write(chunk);
      },
      () => {
        if (!this.#isWelcome || writer !== this.#writer) return;
        this.#acknowledged.writeTo(writer, frameType.acknowledge);
        this.#declined.writeTo(writer, frameType.decline);
      },
    );
    return writer;
  }

  #tell(status: TransportStatus): void {
    for (const listener of this.#listeners) listener(status);
  }

  async #close(): Promise<void> {
    this.#state = 'closing';
    const isReached = this.#isWelcome && (await this.#reachHub());
    if (isReached) await this.#sayGoodbye();
    this.#state = 'closed';
    clearInterval(this.#heartbeat);
    clearTimeout(this.#retry);
    this.#wire?.end();
    this.#wire = undefined;
    const left = this.#waiting.length + (isReached ? 0 : this.#window.size);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      next.reject(this.#closedError());
    }
    for (const { reject } of this.#pings.values()) reject(this.#closedError());
    this.#pings.clear();
    this.#window.clear();
    if (left > 0) this.#tell({ type: 'lost', count: left, reason: 'closed' });
  }

  /** The hub ends the connection once it has forgotten us. */
  async #sayGoodbye(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#onGone = resolve;
      timer = setTimeout(resolve, this.#limits.connectTimeoutMs);
      this.#writer.begin(frameType.bye, 0);
      this.#writer.flush();
    });
    clearTimeout(timer);
  }

  /** Whether the hub has all that was published, so that it can see to it without us. */
  async #reachHub(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), this.#limits.connectTimeoutMs);
    });
    const reached = this.#ping().then(
      () => true,
      () => false,
    );
    try {
      return await Promise.race([reached, tooLate]);
    } finally {
      clearTimeout(timer);
    }
  }

  #unreachable(cause: Error): BusError {
    return new BusError('BUS_UNREACHABLE', `The hub of ${this.name} can't be reached: ${cause.message}`, { cause });
  }

  #closedError(): BusError {
    return new BusError('BUS_CLOSED', `The ${this.name} transport is closed`);
  }
}

function resolvePeerLimits(limits: PeerLimits): Required<PeerLimits> {
  const {
    peerName = String(process.pid),
    maxWindowBytes = 16_777_216,
    onFull = 'wait',
    maxWaiting = 65_536,
    heartbeatMs = 5_000,
    retryMs = 200,
    connectTimeoutMs = 5_000,
  } = limits;
  for (const [name, value] of Object.entries({ maxWindowBytes, maxWaiting })) {
    if (!(value >= 1))
      throw new RangeError(`Expected \`${name}\` to be at least 1, got \`${value}\` (${typeof value})`);
  }
  for (const [name, value] of Object.entries({ heartbeatMs, retryMs, connectTimeoutMs })) {
    if (!(value >= 1 && value <= 1_000_000_000)) {
      throw new RangeError(`Expected \`${name}\` to be from 1 to 1000000000, got \`${value}\` (${typeof value})`);
    }
  }
  if (onFull !== 'wait' && onFull !== 'refuse') {
    throw new TypeError(`Expected \`onFull\` to be wait or refuse, got \`${onFull}\``);
  }
  return Object.freeze({ peerName, maxWindowBytes, onFull, maxWaiting, heartbeatMs, retryMs, connectTimeoutMs });
}

function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
