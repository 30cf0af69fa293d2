/**
 * Reads durable messages for one subscription: never more in hand than was agreed, each with signs of life until it is settled. A process
 * that was stopped for longer than the server waits gives up what it had not begun, since the server has given that to
 * another by then; what it had begun is told as overdue.
 */
import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { PublishedMessage } from './message.ts';
import { closeConsumer, openConsumer, type ReadingPlace } from './nats-streams.ts';
import type { SeenFilter } from './seen-filter.ts';
import type { LeasedMessage, Outcome, Receiver, TransportStatus } from './transport.ts';

export interface ReaderSetup {
  readonly connection: NatsConnection;
  readonly place: ReadingPlace;
  readonly receiver: Receiver;
  /** What was handled in this process, by reading place and number in the stream: the acknowledgement may have got lost. */
  readonly handled: SeenFilter;
  /** `undefined` for what can't be read. */
  readonly decode: (message: JsMsg) => PublishedMessage | undefined;
  /** Lays it to rest among the dead letters. */
  readonly bury: (message: JsMsg, deliveries: number) => Promise<void>;
  readonly tell: (status: TransportStatus) => void;
  /** Called when it is stopped and has nothing in hand. */
  readonly onEnd: () => void;
  /** Milliseconds, never going back. */
  readonly clock: { now(): number };
}

/** How long the server keeps a request for messages, and after how long a silence of it the reader asks again: at most twice this. */
const requestMs = 10_000;
const silenceMs = 2_000;

export class DurableReader {
  readonly #setup: ReaderSetup;
  readonly #source: string;
  readonly #inHand = new Set<DurableMessage>();
  #messages: ConsumerMessages | undefined;
  #onRoom: (() => void) | undefined;
  readonly #signs: NodeJS.Timeout;
  #lastTickMs: number;
  /** What arrives now may have been sent before this process was stopped. */
  #isDistrusting = false;
  /** The number behind the highest that was received. */
  #next: number | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  readonly #pauses = new Set<() => void>();
  #state: 'open' | 'stopped' = 'open';
  #stopping: Promise<void> | undefined;

  constructor(setup: ReaderSetup) {
    this.#setup = setup;
    this.#source = `${setup.place.stream.stream}/${setup.place.name}`;
    this.#lastTickMs = setup.clock.now();
    this.#signs = setInterval(() => this.#tick(), Math.max(1, setup.place.stream.ackWaitMs / 5));
    this.#signs.unref();
  }

  /** Resolves when the server knows of it, and what is stored from then on will be read; or when that has been told to have failed, and is tried on. */
  async start(): Promise<void> {
    let consumer: Consumer | undefined;
    try {
      consumer = await this.#open();
    } catch (error) {
      this.#setup.tell({ type: 'transportFailed', error });
    }
    this.#reading = this.#read(consumer);
  }

  /** Asks for nothing more; what is in hand is kept alive until it is settled. Resolves when nothing more will be delivered. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Gives back what was not begun. The rest comes to another once the server has waited for it. */
  abandon(): void {
    for (const message of [...this.#inHand]) message.settle('dropped');
    this.#end();
  }

  async #stop(): Promise<void> {
    this.#state = 'stopped';
    for (const endPause of this.#pauses) endPause();
    this.#onRoom?.();
    void this.#messages?.close();
    await this.#reading;
    this.#endIfThrough();
    const { connection, place, tell } = this.#setup;
    if (place.queue !== undefined || connection.isClosed()) return;
    try {
      await closeConsumer(connection, place);
    } catch (error) {
      if (!connection.isClosed()) tell({ type: 'transportFailed', error });
    }
  }

  #open(): Promise<Consumer> {
    const { connection, place } = this.#setup;
    return openConsumer(connection, place, this.#resumeAt);
  }

  /** Where to go on should the server have forgotten this subscription. */
  get #resumeAt(): number | undefined {
    let from = this.#next;
    for (const { sequence } of this.#inHand) if (from === undefined || sequence < from) from = sequence;
    return from;
  }

  async #read(opened: Consumer | undefined): Promise<void> {
    let consumer = opened;
    for (let failures = 0; this.#state === 'open'; ) {
      // Asking for each single message would cost a round trip each.
      if (this.#inHand.size > this.#setup.place.stream.maxInHand / 2) {
        await this.#room();
        continue;
      }
      try {
        consumer ??= await this.#open();
        await this.#fetch(consumer);
        failures = 0;
      } catch (error) {
        if (this.#setup.connection.isClosed()) return;
        // The server was silent, or has lost the consumer. That there is no connection is told as such.
        consumer = undefined;
        if (++failures === 6) this.#setup.tell({ type: 'transportFailed', error });
        await this.#pause(Math.min(2_000, 50 * 2 ** failures));
      }
    }
  }

  /** One request at a time: messages that answer two of them would not come in the order of the stream. */
  async #fetch(consumer: Consumer): Promise<void> {
    const max_messages = this.#setup.place.stream.maxInHand - this.#inHand.size;
    const messages = await consumer.fetch({ max_messages, expires: requestMs, idle_heartbeat: silenceMs });
    this.#messages = messages;
    if (this.#state !== 'open') void messages.close();
    for await (const message of messages) this.#take(message);
  }

  async #room(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onRoom = resolve;
    });
    this.#onRoom = undefined;
  }

  async #pause(ms: number): Promise<void> {
    if (this.#state !== 'open') return;
    let timer: NodeJS.Timeout | undefined;
    let endPause: () => void = () => undefined;
    await new Promise<void>((resolve) => {
      endPause = resolve;
      this.#pauses.add(resolve);
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    this.#pauses.delete(endPause);
  }

  #take(message: JsMsg): void {
    const { handled, decode, bury, receiver, place } = this.#setup;
    const { seq } = message;
    const { deliveryCount } = message.info;
    if (this.#next === undefined || seq >= this.#next) this.#next = seq + 1;
    this.#noticeStop();
    // Neither taken nor given back: it comes again, here or elsewhere, when the server has waited for it.
    if (this.#isDistrusting) return;
    if (handled.has(this.#source, seq)) return void message.ack();
    if (deliveryCount > place.stream.maxDeliveries) return void bury(message, deliveryCount - 1);
    const decoded = decode(message);
    if (decoded === undefined) return void bury(message, deliveryCount);
    const leased = new DurableMessage(decoded, message, this.#setup.clock.now(), {
      isOver: (signMs) => this.#setup.clock.now() - signMs > this.#patienceMs,
      onSettled: (outcome, wasBegun) => this.#settle(leased, outcome, wasBegun),
    });
    this.#inHand.add(leased);
    // There is nobody to hold up; what is too much is counted by the subscription as dropped.
    receiver.deliver(leased)?.catch(() => undefined);
  }

  #settle(leased: DurableMessage, outcome: Outcome, wasBegun: boolean): void {
    const { connection, handled, bury, tell, place } = this.#setup;
    const { message, subject, isOverdue } = leased;
    this.#inHand.delete(leased);
    this.#onRoom?.();
    this.#endIfThrough();
    if (isOverdue && wasBegun) tell({ type: 'overdue', subject, outcome });
    if (outcome === 'handled') handled.seen(this.#source, message.seq);
    if (connection.isClosed()) return;
    const { deliveryCount } = message.info;
    if (outcome === 'handled') message.ack();
    // Another has it by now, and what becomes of it is for that one to say.
    else if (isOverdue) return;
    else if (outcome === 'failed' && deliveryCount >= place.stream.maxDeliveries) void bury(message, deliveryCount);
    else message.nak(place.stream.retryMs);
  }

  #tick(): void {
    this.#noticeStop();
    const now = this.#setup.clock.now();
    if (this.#setup.connection.isClosed()) return;
    for (const leased of this.#inHand) leased.giveSign(now);
  }

  /** Several ticks are overdue: the process was stopped, or its event loop held up. */
  #noticeStop(): void {
    const { clock, connection, tell } = this.#setup;
    const now = clock.now();
    const silentMs = now - this.#lastTickMs;
    this.#lastTickMs = now;
    if (silentMs <= this.#patienceMs || this.#isDistrusting || connection.isClosed()) return;
    this.#isDistrusting = true;
    const trustAgain = () => {
      this.#isDistrusting = false;
    };
    // What was sent before the server's answer is out of the client's queues by the next turn.
    connection.flush().then(
      () => setImmediate(trustAgain),
      (error: unknown) => {
        trustAgain();
        tell({ type: 'transportFailed', error });
      },
    );
  }

  /** Less than the server's: its clock starts when it sends a message, ours when that is received, or a sign is sent. */
  get #patienceMs(): number {
    return this.#setup.place.stream.ackWaitMs * 0.75;
  }

  #endIfThrough(): void {
    if (this.#state === 'stopped' && this.#inHand.size === 0) this.#end();
  }

  #end(): void {
    clearInterval(this.#signs);
    this.#setup.onEnd();
  }
}

interface Lease {
  readonly isOver: (signMs: number) => boolean;
  readonly onSettled: (outcome: Outcome, wasBegun: boolean) => void;
}

class DurableMessage extends PublishedMessage implements LeasedMessage {
  readonly message: JsMsg;
  readonly #lease: Lease;
  #signMs: number;
  #state: 'waiting' | 'begun' | 'settled' = 'waiting';
  isOverdue = false;

  constructor({ subject, data, headers, reply }: PublishedMessage, message: JsMsg, nowMs: number, lease: Lease) {
    super(subject, data, headers, reply);
    this.message = message;
    this.#signMs = nowMs;
    this.#lease = lease;
  }

  get sequence(): number {
    return this.message.seq;
  }

  begin(): boolean {
    this.#noticeOverdue();
    if (this.isOverdue) this.settle('dropped');
    if (this.#state !== 'waiting') return false;
    this.#state = 'begun';
    return true;
  }

  settle(outcome: Outcome): void {
    if (this.#state === 'settled') return;
    this.#noticeOverdue();
    const wasBegun = this.#state === 'begun';
    this.#state = 'settled';
    this.#lease.onSettled(outcome, wasBegun);
  }

  /** Unless it was begun. */
  giveBack(): void {
    if (this.#state === 'waiting') this.settle('dropped');
  }

  giveSign(nowMs: number): void {
    this.#noticeOverdue();
    // Begun, it is worth a try: the server may not have given it away yet.
    if (this.isOverdue && this.#state === 'waiting') return;
    this.message.working();
    this.#signMs = nowMs;
  }

  #noticeOverdue(): void {
    this.isOverdue ||= this.#lease.isOver(this.#signMs);
  }
}
