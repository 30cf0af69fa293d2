/** Publish, subscribe and request by subject, over any transport. */
import { BusError } from './errors.ts';
import { LatencyMeter, type LatencyOptions, type LatencySummary } from './latency.ts';
import { memoryTransport } from './memory.ts';
import { type Message, noHeaders, PublishedMessage, resolveHeaders } from './message.ts';
import { type RequestManyOptions, type RequestOptions, Requests } from './request.ts';
import { type BusStatus, StatusFeed } from './status.ts';
import { BusSubscription, type Handler, orAborted, type SubscribeOptions, type Subscription } from './subscription.ts';
import type { Headers, Transport } from './transport.ts';

export interface BusOptions {
  /** @default a memory transport of its own. A transport that is passed in is not closed with the bus. */
  readonly transport?: Transport;
  /** Measures how long messages take; both the publisher's bus and the subscriber's need it. @default nothing is measured */
  readonly latency?: LatencyOptions;
  /** Milliseconds since 1970, for `latency`; between machines it is as good as their clocks agree. */
  readonly clock?: { now(): number };
}

export interface PublishOptions {
  readonly headers?: Headers;
  /** Where answers go. */
  readonly reply?: string;
}

export interface Bus extends AsyncDisposable {
  /**
   * Hands `data` to every subscription whose pattern matches, and to one of each queue group. Returns a promise only when
   * there is something to wait for: a full subscription with the policy `wait`, or a publish from inside a handler.
   * What a handler throws is told to `status()` and never comes back here.
   * @throws {BusError} BUS_INVALID_SUBJECT · BUS_CLOSED · BUS_OVERFLOW when 65,536 publishes from inside handlers wait
   */
  publish(subject: string, data: unknown, options?: PublishOptions): void | Promise<void>;
  /** Calls `handler` for each message, one at a time and in order. @throws {BusError} BUS_INVALID_SUBJECT · BUS_CLOSED */
  subscribe<T = unknown>(pattern: string, handler: Handler<T>, options?: SubscribeOptions): Subscription<T>;
  /** The messages from now on, to be read with `for await`. @throws {BusError} BUS_INVALID_SUBJECT · BUS_CLOSED */
  subscribe<T = unknown>(pattern: string, options?: SubscribeOptions): Subscription<T>;
  /**
   * The first answer.
   * @throws {RequestError} BUS_NO_RESPONDERS when no subscription matches · BUS_TIMEOUT
   * @throws {BusError} BUS_CLOSED · BUS_INVALID_SUBJECT; the signal's reason when it aborts
   */
  request<T = unknown>(subject: string, data: unknown, options?: RequestOptions): Promise<Message<T>>;
  /**
   * The answers of all who give one, until `maxAnswers` have come or `timeoutMs` is over, which is the end and no error.
   * @throws {RequestError} BUS_NO_RESPONDERS when no subscription matches
   */
  requestMany<T = unknown>(
    subject: string,
    data: unknown,
    options?: RequestManyOptions,
  ): AsyncIterableIterator<Message<T>>;
  /** What was measured so far, a subject at a time; empty without the option `latency`. */
  latency(): ReadonlyMap<string, LatencySummary>;
  /** Resolves when all that was published and subscribed before has reached whoever passes it on; in process that is at once. */
  flush(): Promise<void>;
  /** Failed handlers and slow subscribers; the last 256 if nobody has asked before. Ends when the bus is closed. */
  status(): AsyncIterableIterator<BusStatus>;
  /**
   * Refuses new work, lets handlers finish what is queued, rejects requests in flight. Idempotent.
   * @param options.signal  drops what is left when it aborts
   */
  close(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Like `close`, but takes in first what is on its way to its subscriptions, lets handlers publish and request until the last is
   * through, and sees off what they published. Refuses new subscriptions from the start.
   * @param options.signal  drops what is left when it aborts
   * @throws {BusError} BUS_CLOSED when the transport is closed; the bus is closed all the same
   */
  drain(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

export function createBus(options: BusOptions = {}): Bus {
  return new SubjectBus(options);
}

class SubjectBus implements Bus {
  readonly #transport: Transport;
  readonly #ownsTransport: boolean;
  readonly #subscriptions = new Set<Pick<BusSubscription<unknown>, 'leave' | 'close'>>();
  readonly #requests: Requests;
  readonly #status = new StatusFeed<BusStatus>();
  readonly #unobserve: () => void;
  readonly #meter: LatencyMeter | undefined;
  #state: 'open' | 'draining' | 'closing' | 'closed' = 'open';
  #closing: Promise<void> | undefined;
  #draining: Promise<void> | undefined;

  constructor({ transport, latency, clock = systemClock }: BusOptions) {
    this.#meter = latency === undefined ? undefined : new LatencyMeter(latency, clock);
    this.#ownsTransport = transport === undefined;
    this.#transport = transport ?? memoryTransport();
    this.#requests = new Requests(this.#transport);
    this.#unobserve = this.#transport.observe((status) => this.#status.tell(status));
  }

  publish(subject: string, data: unknown, options?: PublishOptions): void | Promise<void> {
    if (this.#state !== 'open') this.#refuseUnlessDraining();
    if (this.#meter !== undefined) return this.#publishMeasured(this.#meter, subject, data, options);
    return this.#transport.publish(
      options === undefined
        ? new PublishedMessage(subject, data, noHeaders, undefined)
        : new PublishedMessage(subject, data, resolveHeaders(options.headers), options.reply),
    );
  }

  subscribe<T>(
    pattern: string,
    handlerOrOptions: Handler<T> | SubscribeOptions = {},
    handlerOptions: SubscribeOptions = {},
  ): Subscription<T> {
    if (this.#state !== 'open') throw this.#closedError();
    const hasHandler = typeof handlerOrOptions === 'function';
    const options = hasHandler ? handlerOptions : handlerOrOptions;
    options.signal?.throwIfAborted();
    const subscription = new BusSubscription<T>({
      pattern,
      options,
      handler: hasHandler ? handlerOrOptions : undefined,
      transport: this.#transport,
      onHandlerFailed: ({ subject }, error) => this.#status.tell({ type: 'handlerFailed', pattern, subject, error }),
      onDropping: ({ queue, dropped }, policy) =>
        this.#status.tell({ type: 'slowSubscriber', pattern, queue, policy, dropped }),
      onCaughtUp: ({ queue, dropped }) => this.#status.tell({ type: 'subscriberCaughtUp', pattern, queue, dropped }),
      onEnd: (ended) => this.#subscriptions.delete(ended),
      onHandOver: this.#meter?.arrived,
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  async request<T>(subject: string, data: unknown, options: RequestOptions = {}): Promise<Message<T>> {
    if (this.#state !== 'open') this.#refuseUnlessDraining();
    return this.#requests.send<T>(subject, data, resolveHeaders(options.headers), options);
  }

  requestMany<T>(subject: string, data: unknown, options: RequestManyOptions = {}): AsyncIterableIterator<Message<T>> {
    if (this.#state !== 'open') this.#refuseUnlessDraining();
    return this.#requests.sendToMany<T>(subject, data, resolveHeaders(options.headers), options);
  }

  latency(): ReadonlyMap<string, LatencySummary> {
    return this.#meter?.summaries() ?? new Map();
  }

  async flush(): Promise<void> {
    if (this.#state !== 'open') this.#refuseUnlessDraining();
    await this.#transport.flush();
  }

  status(): AsyncIterableIterator<BusStatus> {
    return this.#status.read();
  }

  async close({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const open = [...this.#subscriptions];
    this.#closing ??= this.#close(open);
    // A second caller's signal cuts the waiting short for all.
    if (signal !== undefined) await Promise.all(open.map((subscription) => subscription.close({ signal })));
    return this.#closing;
  }

  async drain(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    this.#draining ??= this.#drain();
    await orAborted(this.#draining, options.signal);
    if (options.signal?.aborted) await this.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drain(): Promise<void> {
    if (this.#state !== 'open') return this.close();
    this.#state = 'draining';
    try {
      await this.#transport.flush();
      for (const subscription of this.#subscriptions) subscription.leave();
      await this.#transport.flush();
      await Promise.all([...this.#subscriptions].map((subscription) => subscription.close()));
      await this.#transport.flush();
    } finally {
      await this.close();
    }
  }

  async #close(open: readonly Pick<Subscription, 'close'>[]): Promise<void> {
    this.#state = 'closing';
    await Promise.all(open.map((subscription) => subscription.close()));
    this.#requests.close();
    if (this.#ownsTransport) await this.#transport.close();
    this.#unobserve();
    this.#status.close();
    this.#state = 'closed';
  }

  #publishMeasured(
    meter: LatencyMeter,
    subject: string,
    data: unknown,
    options: PublishOptions = {},
  ): void | Promise<void> {
    const headers = meter.stamp(subject, resolveHeaders(options.headers));
    return this.#transport.publish(new PublishedMessage(subject, data, headers, options.reply));
  }

  #refuseUnlessDraining(): void {
    if (this.#state !== 'draining') throw this.#closedError();
  }

  #closedError(): BusError {
    return new BusError('BUS_CLOSED', 'The bus is closed');
  }
}

const systemClock = { now: () => performance.timeOrigin + performance.now() };
