/**
 * One peer as its hub knows it, through any number of connections: what it subscribed to, what is on its way to it, and what became of
 * what it published.
 */
import { type Body, BodySlice } from './body.ts';
import { BodyDecoder, type Dictionary } from './codec.ts';
import { BusError } from './errors.ts';
import { NumberedRow } from './numbered-row.ts';
import {
  type Member,
  type Passage,
  PeerRoom,
  passToAnother,
  type Sending,
  type Session,
  type SessionHost,
  settle,
} from './session.ts';
import { SessionSubscriptions, type ToldSubscription } from './session-subscriptions.ts';
import type { LossReason } from './transport.ts';
import {
  FrameWriter,
  frameHead,
  frameType,
  type Hello,
  Ranges,
  readJson,
  readRanges,
  readUint32,
  type Welcome,
  type Wire,
  writeUint32,
} from './wire.ts';

/** One message on its way to one peer. */
interface Parcel extends Sending {
  /** The whole frame. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly bodyStart: number;
}

export class HubSession implements Session {
  readonly id: string;
  readonly name: string;
  readonly #hub: SessionHost;
  readonly origin: number;
  readonly #subscriptions: SessionSubscriptions;
  readonly #parcels = new NumberedRow<Parcel>();
  readonly #acknowledged = new Ranges();
  /** Of other sessions: how many shapes of their dictionaries this peer was told. */
  readonly #announced = new Map<Session, number>();
  readonly #room: PeerRoom;
  #dictionary: Dictionary = [];
  #decoder: BodyDecoder | undefined;
  #wire: Wire | undefined;
  #writer: FrameWriter;
  #received = 0;
  /** The last number that it brought with it when it was connected. */
  #brought = 0;
  /** Of what it published, in all: told again after a cut, which may have swallowed what was told before. */
  readonly #lost = new Map<LossReason, number>();
  #isLossTold = true;
  #expiry: NodeJS.Timeout | undefined;
  #isReady = false;
  #state: 'open' | 'ended' = 'open';

  constructor(hub: SessionHost, id: string, name: string, origin: number) {
    this.#hub = hub;
    this.id = id;
    this.name = name;
    this.origin = origin;
    this.#writer = this.#newWriter();
    this.#subscriptions = new SessionSubscriptions(hub, this);
    this.#room = new PeerRoom(hub, this);
  }

  get isConnected(): boolean {
    return this.#wire !== undefined;
  }

  /** It has told all its subscriptions since it was connected last. */
  get isReady(): boolean {
    return this.#isReady;
  }

  get isListener(): boolean {
    return this.#subscriptions.wereThereAny;
  }

  get mayReceive(): boolean {
    return this.#wire !== undefined && this.#state === 'open';
  }

  /** Parcels that it has not acknowledged. */
  get load(): number {
    return this.#parcels.size;
  }

  get waitingBytes(): number {
    return this.#room.bytes;
  }

  get isFull(): boolean {
    return this.#room.isFull;
  }

  get dictionary(): Dictionary {
    return this.#dictionary;
  }

  get decoder(): BodyDecoder {
    this.#decoder ??= new BodyDecoder(this.#dictionary);
    return this.#decoder;
  }

  /** @param isResumed  the peer remembers this very hub, and what it says it received was numbered here */
  connect(wire: Wire, isResumed: boolean, hello: Hello): void {
    clearTimeout(this.#expiry);
    this.#wire?.end();
    this.#wire = wire;
    this.#isReady = false;
    this.#announced.clear();
    this.#acknowledged.pairs.length = 0;
    this.#writer = this.#newWriter();
    this.#isLossTold = this.#lost.size === 0;
    this.#subscriptions.expectAgain();
    if (!isResumed) this.#received = 0;
    const received = isResumed ? hello.received : 0;
    const welcome: Welcome = {
      hub: this.#hub.id,
      isResumed,
      received: this.#received,
      open: isResumed ? this.#hub.openOf(this) : [],
      listeners: this.#hub.listeners,
      maxFrameBytes: this.#hub.limits.maxFrameBytes,
    };
    this.#writer.json(frameType.welcome, welcome);
    for (const [number, parcel] of this.#parcels.entries()) if (number > received) this.#sendAgain(number, parcel);
    // Last, since what there is room for now may be sent at once.
    const inHand = new Set(hello.inHand);
    for (const [number] of [...this.#parcels.entries()]) {
      if (number <= received && !inHand.has(number)) this.#complete(number);
    }
  }

  /** What comes over a connection that another has taken the place of is heard no more: it comes again over the other. */
  hear(wire: Wire, type: number, bytes: Buffer, start: number, end: number): void {
    if (wire !== this.#wire) return;
    switch (type) {
      case frameType.publish: {
        const number = bytes.readDoubleLE(start);
        this.#received = number;
        this.#hub.publish(this, number, new BodySlice(bytes, start + 8, end), number <= this.#brought);
        return;
      }
      case frameType.acknowledge:
        readRanges(bytes, start, end, (number) => this.#complete(number));
        return;
      case frameType.decline:
        readRanges(bytes, start, end, (number) => this.#giveUp(number, 'peerGone'));
        return;
      case frameType.dictionary:
        this.#dictionary = readJson(bytes, start, end) as Dictionary;
        this.#decoder = undefined;
        return;
      case frameType.subscribe:
        this.#subscriptions.add(readJson(bytes, start, end) as ToldSubscription);
        return;
      case frameType.unsubscribe:
        this.#subscriptions.remove(readUint32(bytes, start));
        return;
      case frameType.subscribed:
        this.#brought = bytes.readDoubleLE(start);
        this.#subscriptions.removeUntold();
        this.#isReady = true;
        this.#hub.ready(this);
        return;
      case frameType.ping:
        // What was settled before the question is told before the answer.
        this.#beforeFlush(this.#writer);
        this.#writer.answer(frameType.pong, bytes, start, end);
        return;
      case frameType.pong:
        return;
      case frameType.bye:
        this.end('peerGone');
        return;
      default:
        throw new BusError('BUS_PROTOCOL', `A peer sent a frame of type ${type}, which means nothing to a hub`);
    }
  }

  send(
    passage: Passage,
    ids: readonly number[],
    group: readonly Member[] | undefined,
    tries: number,
    body: Body,
  ): void {
    const { sender } = passage;
    const idsAt = 8 + 4 + 8 + 2 + 2;
    const size = idsAt + ids.length * 4 + body.size;
    passage.pending++;
    // Jobs of a group are never dropped: they hold their sender up once its window is full.
    if (group === undefined && this.#room.refuses(size)) {
      sender.countLost(passage, 'slowPeer');
      return;
    }
    if (this.#announced.get(sender) !== sender.dictionary.length) this.#announce(sender);
    const writer = this.#writer;
    const at = writer.begin(frameType.deliver, size);
    const { chunk } = writer;
    chunk.writeDoubleLE(this.#parcels.next, at);
    writeUint32(chunk, sender.origin, at + 8);
    chunk.writeDoubleLE(passage.number, at + 12);
    chunk.writeUInt16LE(group === undefined ? 0 : 1, at + 20);
    chunk.writeUInt16LE(ids.length, at + 22);
    let bodyStart = at + idsAt;
    for (let index = 0; index < ids.length; index++) {
      writeUint32(chunk, ids[index] ?? 0, bodyStart);
      bodyStart += 4;
    }
    body.write(chunk, bodyStart);
    this.#parcels.push({
      passage,
      bytes: chunk,
      start: at - frameHead,
      end: at + size,
      bodyStart,
      group,
      tries,
    });
    this.#room.enter(size + frameHead);
  }

  complete({ number }: Passage): void {
    if (this.#state === 'ended') return;
    this.#acknowledged.add(number);
    this.#writer.scheduleLate();
  }

  tellListener(listener: string, listens: boolean): void {
    if (this.#wire === undefined || listener === this.id) return;
    this.#writer.json(frameType.listeners, { session: listener, listens });
  }

  tellNobody(number: number): void {
    if (this.#wire === undefined) return;
    const at = this.#writer.begin(frameType.nobody, 8);
    this.#writer.chunk.writeDoubleLE(number, at);
  }

  /** Of what `sender` published, the numbers that are on their way to this peer. */
  openOf(sender: Session): readonly number[] {
    const numbers: number[] = [];
    for (const [, { passage }] of this.#parcels.entries()) if (passage.sender === sender) numbers.push(passage.number);
    return numbers;
  }

  /** Its connection is gone. It may come back, unless that is known to be impossible. */
  lose(wire: Wire, isFinal: boolean): void {
    if (this.#wire !== wire || this.#state === 'ended') return;
    this.#wire = undefined;
    this.#isReady = false;
    if (isFinal) this.end('peerGone');
    else this.#expiry = setTimeout(() => this.end('peerGone'), this.#hub.limits.resumeMs);
  }

  end(reason: LossReason): void {
    if (this.#state === 'ended') return;
    this.#writer.flush();
    this.#state = 'ended';
    clearTimeout(this.#expiry);
    this.#wire?.end();
    this.#wire = undefined;
    this.#subscriptions.clear();
    const undelivered = this.#parcels.size;
    for (const [number] of [...this.#parcels.entries()]) this.#giveUp(number, reason);
    this.#hub.forget(this, undelivered);
  }

  #newWriter(): FrameWriter {
    const writer: FrameWriter = new FrameWriter(
      (chunk) => this.#wire?.write(chunk),
      () => this.#beforeFlush(writer),
    );
    return writer;
  }

  #beforeFlush(writer: FrameWriter): void {
    if (this.#wire === undefined || writer !== this.#writer) return;
    // Losses go first: a hub that dies between the two would else have settled a message whose loss nobody hears of.
    if (!this.#isLossTold) for (const [reason, total] of this.#lost) writer.json(frameType.lost, { reason, total });
    this.#isLossTold = true;
    this.#acknowledged.writeTo(writer, frameType.acknowledge);
  }

  #announce(sender: Session): void {
    this.#announced.set(sender, sender.dictionary.length);
    this.#writer.json(frameType.origin, { origin: sender.origin, id: sender.id, dictionary: sender.dictionary });
  }

  #sendAgain(number: number, parcel: Parcel): void {
    const { sender } = parcel.passage;
    if (this.#announced.get(sender) !== sender.dictionary.length) this.#announce(sender);
    const start = this.#writer.copy(parcel.bytes, parcel.start, parcel.end);
    this.#parcels.replace(number, {
      ...parcel,
      bytes: this.#writer.chunk,
      start,
      end: start + parcel.end - parcel.start,
      bodyStart: start + parcel.bodyStart - parcel.start,
    });
  }

  #complete(number: number): void {
    const parcel = this.#take(number);
    if (parcel !== undefined) settle(parcel.passage);
  }

  #take(number: number): Parcel | undefined {
    const parcel = this.#parcels.take(number);
    if (parcel === undefined) return undefined;
    this.#room.leave(parcel.end - parcel.start);
    return parcel;
  }

  #giveUp(number: number, reason: LossReason): void {
    const parcel = this.#take(number);
    if (parcel === undefined) return;
    const { bytes, bodyStart, end } = parcel;
    passToAnother(this.#hub, parcel, new BodySlice(bytes, bodyStart, end), this, reason);
  }

  countLost(passage: Passage, reason: LossReason): void {
    this.#lost.set(reason, (this.#lost.get(reason) ?? 0) + 1);
    this.#isLossTold = false;
    settle(passage);
    this.#writer.schedule();
  }
}
