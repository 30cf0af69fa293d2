/** The transport of the thread that a hub is in: it calls the hub, and is called by it. */
import { BodyEncoder } from './codec.ts';
import { BusError } from './errors.ts';
import type { Hub } from './hub.ts';
import { type PeerLimits, resolvePeerLimits } from './limits.ts';
import type { LocalPeer, LocalSession } from './local-session.ts';
import { Observers } from './observers.ts';
import { SendWindow } from './send-window.ts';
import type { Passage } from './session.ts';
import { parsePattern } from './subject.ts';
import type { LossReason, Receiver, Transport, TransportMessage, TransportStatus } from './transport.ts';

/** @param name  of the hub, for messages to people @throws {BusError} BUS_CLOSED when the hub is */
export async function openLocalTransport(hub: Hub, name: string, limits: PeerLimits): Promise<Transport> {
  return new LocalTransport(hub, name, resolvePeerLimits(limits));
}

class LocalTransport implements Transport {
  readonly name: string;
  readonly supports = { references: false, backpressure: false, acknowledgement: true };
  readonly #hub: Hub;
  readonly #session: LocalSession;
  readonly #encoder = new BodyEncoder();
  readonly #window: SendWindow;
  readonly #receivers = new Map<number, Receiver>();
  readonly #nobody = new Map<number, () => void>();
  readonly #observers = new Observers<TransportStatus>();
  /** Not told yet. */
  readonly #lost = new Map<LossReason, number>();
  #shapes = 0;
  #sent = 0;
  #nextId = 1;
  #isAdmitting = false;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #closing: Promise<void> | undefined;

  constructor(hub: Hub, name: string, limits: Required<PeerLimits>) {
    this.#hub = hub;
    this.name = name;
    this.#window = new SendWindow(limits, (message, onNoResponders) => this.#send(message, onNoResponders));
    const peer: LocalPeer = {
      name: limits.peerName,
      receiverOf: (subscription) => this.#receivers.get(subscription),
      completed: (passage) => this.#completed(passage),
      lost: (reason) => this.#countLost(reason),
      nobody: (number) => this.#nobody.get(number)?.(),
      failed: (error) => this.#observers.tell({ type: 'transportFailed', error }),
      ended: () => this.#ended(),
    };
    this.#session = hub.join(peer);
  }

  publish(message: TransportMessage, onNoResponders?: () => void): void | Promise<void> {
    if (this.#state !== 'open') throw this.#closedError();
    return this.#window.publish(message, onNoResponders);
  }

  subscribe(pattern: string, receiver: Receiver, queue: string | undefined): () => void {
    if (this.#state !== 'open') throw this.#closedError();
    parsePattern(pattern);
    const id = this.#nextId++;
    this.#receivers.set(id, receiver);
    this.#session.subscribe(id, pattern, queue);
    return () => {
      this.#receivers.delete(id);
      this.#session.unsubscribe(id);
    };
  }

  async flush(): Promise<void> {
    if (this.#state !== 'open') throw this.#closedError();
    await this.#session.idle();
    this.#tellLost();
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
    encoder.checkFits(this.#hub.limits.maxFrameBytes);
    if (encoder.shapes !== this.#shapes) {
      this.#shapes = encoder.shapes;
      this.#session.dictionary = encoder.dictionary;
    }
    const number = ++this.#sent;
    if (onNoResponders !== undefined) this.#nobody.set(number, onNoResponders);
    this.#window.enter(encoder.size);
    this.#hub.publish(this.#session, number, encoder, false);
  }

  #completed({ number, size }: Passage): void {
    this.#window.leave(size);
    if (this.#nobody.size > 0) this.#nobody.delete(number);
    if (this.#window.waiting === 0 || this.#isAdmitting) return;
    this.#isAdmitting = true;
    // Not from within: this is called while others go through what they have to settle.
    queueMicrotask(() => {
      this.#isAdmitting = false;
      this.#window.admit();
    });
  }

  #countLost(reason: LossReason): void {
    if (this.#lost.size === 0) queueMicrotask(() => this.#tellLost());
    this.#lost.set(reason, (this.#lost.get(reason) ?? 0) + 1);
  }

  #tellLost(): void {
    const lost = [...this.#lost];
    this.#lost.clear();
    for (const [reason, count] of lost) this.#observers.tell({ type: 'lost', count, reason });
  }

  /** What was published stays with the hub, which sees to it without us. */
  async #close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closing';
    await this.#session.idle();
    this.#end(this.#window.waiting);
    this.#session.end('peerGone');
  }

  /** By the hub, if it was not by us. */
  #ended(): void {
    if (this.#state === 'closed') return;
    this.#observers.tell({ type: 'disconnected', error: undefined });
    this.#end(this.#window.waiting + this.#window.size);
  }

  #end(left: number): void {
    this.#state = 'closed';
    this.#window.close(this.#closedError());
    this.#tellLost();
    if (left > 0) this.#observers.tell({ type: 'lost', count: left, reason: 'closed' });
  }

  #closedError(): BusError {
    return new BusError('BUS_CLOSED', `The ${this.name} transport is closed`);
  }
}
