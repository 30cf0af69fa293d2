/**
 * What a hub delivers to a peer: taken apart, handed to the receivers, and acknowledged by number once they have it; a job of a queue
 * group once it is handled. What another hub delivered before, as its sender and number tell, is not handed on again.
 */
import { bodyFlag } from './body.ts';
import { BodyDecoder, type DecodedBody, type Dictionary } from './codec.ts';
import { BusError } from './errors.ts';
import { PublishedMessage } from './message.ts';
import { SeenFilter } from './seen-filter.ts';
import { maxWindowMessages } from './send-window.ts';
import type { Outcome, Receiver } from './transport.ts';
import { type FrameWriter, frameType, Ranges, readUint32 } from './wire.ts';

export interface DeliveriesSetup {
  receiverOf(subscription: number): Receiver | undefined;
  /** There is something to acknowledge. */
  schedule(): void;
  failed(error: unknown): void;
}

interface Sender {
  readonly id: string;
  readonly decoder: BodyDecoder;
}

/** A message of a queue group, in hand until it is settled. */
export class JobMessage extends PublishedMessage {
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

export class Deliveries {
  readonly #setup: DeliveriesSetup;
  readonly #senders = new Map<number, Sender>();
  readonly #seen = new SeenFilter({ window: 2 * maxWindowMessages });
  readonly #acknowledged = new Ranges();
  readonly #declined = new Ranges();
  readonly #inHand = new Set<number>();
  /** Declined, while the hub may not have heard of it: since it was asked last, and before that. */
  #declinedSince = new Set<number>();
  #declinedBefore = new Set<number>();
  #askedBy = 0;
  #received = 0;
  /** Grows with each hub, whose numbers mean nothing to the next. */
  #epoch = 0;

  constructor(setup: DeliveriesSetup) {
    this.#setup = setup;
  }

  /** The number of the last that came. */
  get received(): number {
    return this.#received;
  }

  /** Of these, what is not known to be through. All others count as acknowledged, whether the hub has heard so or not. */
  get inHand(): readonly number[] {
    return [...this.#inHand, ...this.#declinedBefore, ...this.#declinedSince];
  }

  reconnected(isKnownHub: boolean): void {
    this.#acknowledged.pairs.length = 0;
    this.#declined.pairs.length = 0;
    this.#senders.clear();
    if (isKnownHub) {
      for (const number of this.#declinedBefore) this.#declined.add(number);
      for (const number of this.#declinedSince) this.#declined.add(number);
      return;
    }
    this.#declinedBefore.clear();
    this.#declinedSince.clear();
    this.#epoch++;
    this.#received = 0;
    this.#inHand.clear();
  }

  /** A question is about to be sent: who answers it has heard all that was declined before. */
  asking(id: number): void {
    if (this.#declinedBefore.size > 0) return;
    [this.#declinedBefore, this.#declinedSince] = [this.#declinedSince, this.#declinedBefore];
    this.#askedBy = id;
  }

  answered(id: number): void {
    if (id === this.#askedBy) this.#declinedBefore.clear();
  }

  learnSender(value: unknown): void {
    const { origin, id, dictionary } = value as { origin: number; id: string; dictionary: Dictionary };
    const known = this.#senders.get(origin);
    if (known !== undefined && known.id === id) known.decoder.dictionary = dictionary;
    else this.#senders.set(origin, { id, decoder: new BodyDecoder(dictionary) });
  }

  take(bytes: Buffer, start: number, end: number): void {
    const number = bytes.readDoubleLE(start);
    const sender = this.#senders.get(readUint32(bytes, start + 8));
    const sequence = bytes.readDoubleLE(start + 12);
    const isJob = bytes.readUInt16LE(start + 20) === 1;
    const count = bytes.readUInt16LE(start + 22);
    const bodyStart = start + 24 + count * 4;
    this.#received = number;
    if (sender === undefined) {
      throw new BusError('BUS_PROTOCOL', 'The hub passed on a message of a peer it never named');
    }
    const source = isJob ? `${sender.id}/${readUint32(bytes, start + 24)}` : sender.id;
    const isKnown = this.#seen.seen(source, sequence);
    const body =
      isKnown && (bytes[bodyStart] ?? 0) & bodyFlag.resent ? undefined : this.#decode(sender, bytes, bodyStart, end);
    if (body === undefined) this.#acknowledge(number);
    else if (isJob) this.#handOverJob(number, readUint32(bytes, start + 24), body);
    else this.#handOver(number, bytes, start + 24, count, body);
  }

  /** Acknowledges what has come since the last time. */
  writeTo(writer: FrameWriter): void {
    this.#acknowledged.writeTo(writer, frameType.acknowledge);
    this.#declined.writeTo(writer, frameType.decline);
  }

  #decode({ decoder }: Sender, bytes: Buffer, start: number, end: number): DecodedBody | undefined {
    try {
      return decoder.decode(bytes, start, end);
    } catch (error) {
      this.#setup.failed(error);
      return undefined;
    }
  }

  #handOver(number: number, bytes: Buffer, idsStart: number, count: number, body: DecodedBody): void {
    const message = new PublishedMessage(body.subject, body.data, body.headers, body.reply);
    let waiting: Promise<void>[] | undefined;
    for (let index = 0; index < count; index++) {
      const wait = this.#setup.receiverOf(readUint32(bytes, idsStart + index * 4))?.deliver(message);
      if (wait !== undefined) {
        waiting ??= [];
        waiting.push(wait);
      }
    }
    if (waiting === undefined) this.#acknowledge(number);
    else void this.#acknowledgeAfter(number, waiting);
  }

  #handOverJob(number: number, subscription: number, body: DecodedBody): void {
    const receiver = this.#setup.receiverOf(subscription);
    if (receiver === undefined) {
      this.#decline(number);
      return;
    }
    const epoch = this.#epoch;
    this.#inHand.add(number);
    const message = new JobMessage(body, (outcome) => {
      if (epoch !== this.#epoch) return;
      this.#inHand.delete(number);
      if (outcome === 'dropped') this.#decline(number);
      else this.#acknowledge(number);
    });
    // Whoever is made to wait is told by the mailbox; the message is in hand all the same.
    receiver.deliver(message)?.catch((error: unknown) => this.#setup.failed(error));
  }

  #acknowledge(number: number): void {
    this.#acknowledged.add(number);
    this.#setup.schedule();
  }

  /** Another member of the group gets it. */
  #decline(number: number): void {
    this.#declined.add(number);
    this.#declinedSince.add(number);
    this.#setup.schedule();
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
}
