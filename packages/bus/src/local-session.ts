/**
 * A peer in the very thread that its hub is in, as the hub knows it. Nothing is written and read again between the two: what arrives
 * stands in a row, and is decoded and handed over in a microtask, outside of whatever published it.
 */
import { randomBytes } from 'node:crypto';
import type { Body, BodySlice } from './body.ts';
import { BodyDecoder, type DecodedBody, type Dictionary } from './codec.ts';
import { JobMessage } from './deliveries.ts';
import { Fifo } from './fifo.ts';
import { PublishedMessage } from './message.ts';
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
import type { LossReason, Receiver } from './transport.ts';

/** What is told to the transport that the session belongs to. */
export interface LocalPeer {
  readonly name: string;
  receiverOf(subscription: number): Receiver | undefined;
  completed(passage: Passage): void;
  lost(reason: LossReason): void;
  nobody(number: number): void;
  failed(error: unknown): void;
  /** The hub has closed, or has been told to forget this peer. */
  ended(): void;
}

/** A message on its way to this peer. */
interface Arrival extends Sending {
  readonly ids: readonly number[];
  readonly size: number;
  /** Until it is decoded; of a job, until it is done. */
  body: BodySlice | undefined;
}

export class LocalSession implements Session {
  readonly id = randomBytes(8).toString('hex');
  readonly origin: number;
  readonly isReady = true;
  /** It dies with its hub. */
  readonly isListener = false;
  readonly #hub: SessionHost;
  readonly #peer: LocalPeer;
  readonly #room: PeerRoom;
  readonly #members = new Map<number, { readonly pattern: string; readonly member: Member }>();
  readonly #arrivals = new Fifo<Arrival>();
  /** Those that are not settled, jobs in hand among them. */
  readonly #open = new Set<Arrival>();
  readonly #awaitingIdle: (() => void)[] = [];
  #dictionary: Dictionary = [];
  #decoder: BodyDecoder | undefined;
  #isScheduled = false;
  #state: 'open' | 'ended' = 'open';

  constructor(hub: SessionHost, origin: number, peer: LocalPeer) {
    this.#hub = hub;
    this.origin = origin;
    this.#peer = peer;
    this.#room = new PeerRoom(hub, this);
  }

  get name(): string {
    return this.#peer.name;
  }

  get isConnected(): boolean {
    return this.#state === 'open';
  }

  get mayReceive(): boolean {
    return this.#state === 'open';
  }

  get load(): number {
    return this.#open.size;
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

  set dictionary(dictionary: Dictionary) {
    this.#dictionary = dictionary;
    this.#decoder = undefined;
  }

  get decoder(): BodyDecoder {
    this.#decoder ??= new BodyDecoder(this.#dictionary);
    return this.#decoder;
  }

  subscribe(id: number, pattern: string, queue: string | undefined): void {
    const member: Member = { session: this, id, queue };
    this.#hub.subscribe(pattern, member);
    this.#members.set(id, { pattern, member });
  }

  unsubscribe(id: number): void {
    const subscription = this.#members.get(id);
    if (subscription === undefined) return;
    this.#members.delete(id);
    this.#hub.unsubscribe(subscription.pattern, subscription.member);
  }

  send(
    passage: Passage,
    ids: readonly number[],
    group: readonly Member[] | undefined,
    tries: number,
    body: Body,
  ): void {
    passage.pending++;
    // As over a wire: jobs of a group are never dropped.
    if (group === undefined && this.#room.refuses(body.size)) {
      passage.sender.countLost(passage, 'slowPeer');
      return;
    }
    const kept = group === undefined ? body.kept() : body.kept().alone();
    const arrival: Arrival = { passage, ids, group, tries, size: kept.size, body: kept };
    this.#room.enter(kept.size);
    this.#open.add(arrival);
    this.#arrivals.push(arrival);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#handOverAll());
  }

  /** Resolves when all that has arrived is handed over. */
  idle(): Promise<void> {
    if (this.#arrivals.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#awaitingIdle.push(resolve));
  }

  complete(passage: Passage): void {
    if (this.#state === 'open') this.#peer.completed(passage);
  }

  countLost(passage: Passage, reason: LossReason): void {
    if (this.#state === 'open') this.#peer.lost(reason);
    settle(passage);
  }

  tellNobody(number: number): void {
    this.#peer.nobody(number);
  }

  tellListener(): void {
    // Of no use to who dies with the hub.
  }

  openOf(sender: Session): readonly number[] {
    const numbers: number[] = [];
    for (const { passage } of this.#open) if (passage.sender === sender) numbers.push(passage.number);
    return numbers;
  }

  end(reason: LossReason): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#peer.ended();
    for (const id of [...this.#members.keys()]) this.unsubscribe(id);
    const undelivered = this.#open.size;
    for (const arrival of [...this.#open]) this.#giveUp(arrival, reason);
    this.#arrivals.clear();
    this.#tellIdle();
    this.#hub.forget(this, undelivered);
  }

  #handOverAll(): void {
    this.#isScheduled = false;
    for (let next = this.#arrivals.shift(); next !== undefined; next = this.#arrivals.shift()) this.#handOver(next);
    this.#tellIdle();
  }

  #tellIdle(): void {
    for (const resolve of this.#awaitingIdle.splice(0)) resolve();
  }

  #handOver(arrival: Arrival): void {
    const { body, group, ids } = arrival;
    const decoded = body && this.#decode(arrival.passage.sender, body);
    if (decoded === undefined) {
      this.#done(arrival);
      return;
    }
    if (group !== undefined) {
      this.#handOverJob(arrival, decoded);
      return;
    }
    arrival.body = undefined;
    const message = new PublishedMessage(decoded.subject, decoded.data, decoded.headers, decoded.reply);
    let waiting: Promise<void>[] | undefined;
    for (let index = 0; index < ids.length; index++) {
      const wait = this.#peer.receiverOf(ids[index] ?? 0)?.deliver(message);
      if (wait !== undefined) {
        waiting ??= [];
        waiting.push(wait);
      }
    }
    if (waiting === undefined) this.#done(arrival);
    else void this.#doneAfter(arrival, waiting);
  }

  #handOverJob(arrival: Arrival, decoded: DecodedBody): void {
    const receiver = this.#peer.receiverOf(arrival.ids[0] ?? 0);
    if (receiver === undefined) {
      this.#giveUp(arrival, 'peerGone');
      return;
    }
    const message = new JobMessage(decoded, (outcome) => {
      if (outcome === 'dropped') this.#giveUp(arrival, 'peerGone');
      else this.#done(arrival);
    });
    // Whoever is made to wait is told by the mailbox; the message is in hand all the same.
    receiver.deliver(message)?.catch((error: unknown) => this.#peer.failed(error));
  }

  #decode({ decoder }: Session, { bytes, start, end }: BodySlice): DecodedBody | undefined {
    try {
      return decoder.decode(bytes, start, end);
    } catch (error) {
      this.#peer.failed(error);
      return undefined;
    }
  }

  /** A receiver with the policy `wait` holds the sender up. */
  async #doneAfter(arrival: Arrival, waiting: readonly Promise<void>[]): Promise<void> {
    await Promise.allSettled(waiting);
    this.#done(arrival);
  }

  #done(arrival: Arrival): void {
    if (this.#take(arrival)) settle(arrival.passage);
  }

  #giveUp(arrival: Arrival, reason: LossReason): void {
    if (this.#take(arrival)) passToAnother(this.#hub, arrival, arrival.body, this, reason);
  }

  /** False where that is settled already. */
  #take(arrival: Arrival): boolean {
    if (!this.#open.delete(arrival)) return false;
    this.#room.leave(arrival.size);
    return true;
  }
}
