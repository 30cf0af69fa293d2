/**
 * One subscriber: a handler that is called, or an iterator that is read. Messages that can't be taken at once stand in
 * a mailbox. A handler is never called while an earlier call of it is still running.
 */
import { BusError } from './errors.ts';
import { Mailbox, type OverflowPolicy } from './mailbox.ts';
import { type Message, RequestMessage } from './message.ts';
import type { LeasedMessage, Outcome, Receiver, TrackedMessage, Transport, TransportMessage } from './transport.ts';

/** If it returns a promise, that is awaited before the next message; anything else it returns is ignored. */
export type Handler<T> = (message: Message<T>) => unknown;

export interface SubscribeOptions {
  /** Of all subscriptions with the same queue name, one gets each message. */
  readonly queue?: string;
  /** Messages that may wait for a slow subscriber; 0 for none, `Infinity` for no bound. @default 1024 */
  readonly maxQueued?: number;
  /** @default 'drop-oldest' */
  readonly onOverflow?: OverflowPolicy;
  /** Under `wait`, publishes that may wait for room; one more is rejected with BUS_OVERFLOW. @default 1024 */
  readonly maxWaiting?: number;
  /** Ends the subscription at once; what is queued is dropped, and an iterator throws the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface Subscription<T = unknown> extends AsyncIterable<Message<T>>, AsyncDisposable {
  readonly pattern: string;
  readonly queue: string | undefined;
  /** Messages handed to the handler or the reader. */
  readonly delivered: number;
  /** Messages that matched and were never handed over. */
  readonly dropped: number;
  /** Messages that wait, those of waiting publishers included. */
  readonly queued: number;
  /**
   * Takes in nothing more. With a handler: resolves when all that was queued is handled (so a handler must not await the close
   * of its own subscription). With an iterator: at once, and what is queued can still be read.
   * @param options.signal  drops what is left when it aborts
   */
  close(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Like `close`, but what is on its way is taken in first: all that was published before and had reached whoever passes it on. A
   * queue group's other members get what this one is not given. Without a connection it waits for one.
   * @param options.signal  drops what is left when it aborts
   * @throws {BusError} BUS_CLOSED when the transport is closed; the subscription is closed all the same
   */
  drain(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

export interface SubscriptionSetup<T> {
  readonly pattern: string;
  readonly handler: Handler<T> | undefined;
  readonly options: SubscribeOptions;
  readonly transport: Transport;
  readonly onHandlerFailed: (message: TransportMessage, error: unknown) => void;
  readonly onDropping: (subscription: Subscription<T>, policy: OverflowPolicy) => void;
  readonly onCaughtUp: (subscription: Subscription<T>) => void;
  readonly onEnd: (subscription: BusSubscription<T>) => void;
  /** Called with each message just before it is handed over. */
  readonly onHandOver: ((message: TransportMessage) => void) | undefined;
}

export class BusSubscription<T> implements Subscription<T>, Receiver {
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly #setup: SubscriptionSetup<T>;
  readonly #handler: Handler<T> | undefined;
  readonly #mailbox: Mailbox<TransportMessage>;
  readonly #unsubscribe: () => void;
  readonly #drained: Promise<void>;
  #settleDrained: () => void = () => undefined;
  /** Whether messages may be tracked, which costs a look at each. */
  readonly #tracks: boolean;
  /** Whether anything is done with a message but handing it over. */
  readonly #isWatched: boolean;
  /** What the reader has in hand: handled once it asks for the next. */
  #inHand: TransportMessage | undefined;
  #delivered = 0;
  #isHandling = false;
  #isConsumed = false;
  #state: 'open' | 'closing' | 'closed' = 'open';

  constructor(setup: SubscriptionSetup<T>) {
    const { pattern, handler, transport, options } = setup;
    const { queue, maxQueued, maxWaiting, onOverflow } = resolveSubscribeOptions(options);
    this.pattern = pattern;
    this.queue = queue;
    this.#setup = setup;
    this.#handler = handler;
    this.#tracks = transport.supports.acknowledgement;
    this.#isWatched = this.#tracks || setup.onHandOver !== undefined;
    this.#mailbox = new Mailbox({
      maxQueued,
      maxWaiting,
      onOverflow,
      onDropping: () => setup.onDropping(this, onOverflow),
      onCaughtUp: () => setup.onCaughtUp(this),
      onDropped: (message) => this.#settle(message, 'dropped'),
      describe: () => `The subscription to ${JSON.stringify(pattern)}`,
    });
    this.#drained = new Promise((resolve) => {
      this.#settleDrained = resolve;
    });
    this.#unsubscribe = transport.subscribe(pattern, this, queue);
    options.signal?.addEventListener('abort', this.#abort, { once: true });
  }

  get delivered(): number {
    return this.#delivered;
  }

  get dropped(): number {
    return this.#mailbox.dropped;
  }

  get queued(): number {
    return this.#mailbox.length;
  }

  get hasRoom(): boolean {
    return this.#state === 'open' && ((this.#handler !== undefined && !this.#isHandling) || this.#mailbox.hasRoom);
  }

  deliver(message: TransportMessage): void | Promise<void> {
    if (this.#state !== 'open') return this.#settle(message, 'dropped');
    if (this.#handler === undefined || this.#isHandling) return this.#push(message);
    const running = this.#handle(message, this.#handler);
    if (running !== undefined) this.#handleQueuedAfter(running, this.#handler);
    return undefined;
  }

  [Symbol.asyncIterator](): AsyncIterator<Message<T>, undefined> {
    if (this.#handler !== undefined || this.#isConsumed) {
      const who = this.#handler === undefined ? 'another reader' : 'its handler';
      throw new BusError(
        'BUS_ALREADY_CONSUMED',
        `The subscription to ${JSON.stringify(this.pattern)} is read by ${who}; subscribe once more for a second one`,
      );
    }
    this.#isConsumed = true;
    return {
      next: () => this.#next(),
      return: async () => {
        this.#settleInHand('failed');
        this.#end();
        return { done: true, value: undefined };
      },
    };
  }

  async close({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closing';
      this.#release();
      this.#mailbox.close();
      if (this.#handler === undefined) this.#settleDrained();
      else if (!this.#isHandling) this.#end();
    }
    if (signal?.aborted) this.#end();
    const cutShort = () => this.#end();
    signal?.addEventListener('abort', cutShort, { once: true });
    try {
      await this.#drained;
    } finally {
      signal?.removeEventListener('abort', cutShort);
    }
  }

  async drain(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { transport } = this.#setup;
    try {
      if (this.#state === 'open') {
        await orAborted(transport.flush(), options.signal);
        this.leave();
        // A member of a group may have been given more in between.
        await orAborted(transport.flush(), options.signal);
      }
    } finally {
      await this.close(options);
    }
  }

  /** Asks for nothing more, and takes in what comes all the same. */
  leave(): void {
    this.#unsubscribe();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #push(message: TransportMessage): void | Promise<void> {
    const waiting = this.#mailbox.push(message);
    // The policy `fail` ends the mailbox; what is queued is still handed over.
    if (this.#mailbox.isEnded && this.#state === 'open') {
      this.#state = 'closing';
      this.#release();
    }
    return waiting;
  }

  async #next(): Promise<IteratorResult<Message<T>, undefined>> {
    this.#settleInHand('handled');
    let result = await this.#mailbox.next();
    while (!result.done && !this.#begin(result.value)) result = await this.#mailbox.next();
    if (result.done) {
      this.#end();
      return result;
    }
    this.#delivered++;
    if (this.#tracks) this.#inHand = result.value;
    return { done: false, value: this.#toMessage(result.value) };
  }

  /** The handler's promise, if it gave one. Kept short: V8 inlines what a message passes through up to a size in all. */
  #handle(message: TransportMessage, handler: Handler<T>): Promise<void> | undefined {
    if (this.#isWatched && !this.#begin(message)) return undefined;
    this.#delivered++;
    try {
      const result = handler(this.#toMessage(message));
      if (result !== undefined && isPromiseLike(result)) return this.#awaitHandler(message, result);
    } catch (error) {
      return this.#failed(message, error);
    }
    if (this.#isWatched) this.#settle(message, 'handled');
    return undefined;
  }

  #failed(message: TransportMessage, error: unknown): undefined {
    this.#settle(message, 'failed');
    this.#setup.onHandlerFailed(message, error);
  }

  /** False where somebody else has the message by now. */
  #begin(message: TransportMessage): boolean {
    if (this.#isGone(message)) return false;
    this.#setup.onHandOver?.(message);
    return true;
  }

  async #awaitHandler(message: TransportMessage, running: PromiseLike<unknown>): Promise<void> {
    try {
      await running;
    } catch (error) {
      return this.#failed(message, error);
    }
    this.#settle(message, 'handled');
  }

  /** Whether somebody else has it by now. */
  #isGone(message: TransportMessage): boolean {
    if (!this.#tracks || !isLeased(message) || message.begin()) return false;
    this.#mailbox.dropped++;
    return true;
  }

  #settle(message: TransportMessage, outcome: Outcome): void {
    if (this.#tracks && isTracked(message)) message.settle(outcome);
  }

  #settleInHand(outcome: Outcome): void {
    const message = this.#inHand;
    this.#inHand = undefined;
    if (message !== undefined) this.#settle(message, outcome);
  }

  async #handleQueuedAfter(first: Promise<void>, handler: Handler<T>): Promise<void> {
    this.#isHandling = true;
    await first;
    for (let message = this.#mailbox.take(); message !== undefined; message = this.#mailbox.take()) {
      const running = this.#handle(message, handler);
      if (running !== undefined) await running;
    }
    this.#isHandling = false;
    if (this.#state !== 'open') this.#end();
  }

  #toMessage(message: TransportMessage): Message<T> {
    const received = message.reply === undefined ? message : new RequestMessage(message, this.#setup.transport);
    // The subscriber says what arrives at its subject; nothing here can know better.
    return received as Message<T>;
  }

  readonly #abort = (): void => {
    this.#mailbox.discard();
    this.#mailbox.fail(this.#setup.options.signal?.reason);
    this.#end();
  };

  #release(): void {
    this.#unsubscribe();
    this.#setup.options.signal?.removeEventListener('abort', this.#abort);
    // Nobody waits for a reader; a handler is waited for until it is through.
    if (this.#handler === undefined) this.#setup.onEnd(this);
  }

  #end(): void {
    if (this.#state === 'open') this.#release();
    this.#state = 'closed';
    this.#mailbox.discard();
    this.#mailbox.close();
    this.#setup.onEnd(this);
    this.#settleDrained();
  }
}

function isTracked(message: TransportMessage | TrackedMessage): message is TrackedMessage {
  return 'settle' in message;
}

function isLeased(message: TransportMessage | LeasedMessage): message is LeasedMessage {
  return 'begin' in message;
}

/** Resolves with `work`, or when the signal aborts. */
export async function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return work;
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<void>((resolve) => {
    onAbort = resolve;
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** A handler written as `(message) => list.push(message.data)` returns a number, which is nothing to wait for. */
function isPromiseLike(result: unknown): result is PromiseLike<unknown> {
  return typeof result === 'object' && result !== null && 'then' in result && typeof result.then === 'function';
}

function resolveSubscribeOptions(options: SubscribeOptions) {
  const { queue, maxQueued = 1_024, maxWaiting = 1_024, onOverflow = 'drop-oldest' } = options;
  if (queue !== undefined && (typeof queue !== 'string' || queue === '')) {
    throw new TypeError(`Expected \`queue\` to be a string that is not empty, got \`${queue}\``);
  }
  for (const [name, value] of Object.entries({ maxQueued, maxWaiting })) {
    if (value !== Number.POSITIVE_INFINITY && (!Number.isInteger(value) || value < 0)) {
      throw new RangeError(
        `Expected \`${name}\` to be an integer from 0, or Infinity, got \`${value}\` (${typeof value})`,
      );
    }
  }
  if (!['wait', 'drop-oldest', 'drop-newest', 'fail'].includes(onOverflow)) {
    throw new TypeError(`Expected \`onOverflow\` to be wait, drop-oldest, drop-newest or fail, got \`${onOverflow}\``);
  }
  return { queue, maxQueued, maxWaiting, onOverflow };
}
