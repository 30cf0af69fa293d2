/**
 * Across machines, over NATS. Plain subjects are NATS's own: at most once. Subjects declared durable are kept in a JetStream stream:
 * `publish` resolves when it is stored, each message is acknowledged when its handler is through, is delivered again when it is not,
 * and goes to a dead-letter subject after `maxDeliveries`.
 */

import { createHash, randomBytes } from 'node:crypto';
import { AckPolicy, type Consumer, DeliverPolicy, type JsMsg, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type Msg, type MsgHdrs, type NatsConnection, headers as newHeaders } from '@nats-io/transport-node';
import { Packr } from 'msgpackr';
import { BusError } from './errors.ts';
import { noHeaders, PublishedMessage } from './message.ts';
import { SeenFilter } from './seen-filter.ts';
import { parsePattern, parseSubject, patternCovers } from './subject.ts';
import type { Headers, Outcome, Receiver, Transport, TransportMessage, TransportStatus } from './transport.ts';

export interface DurableSubjects {
  /** The stream's name; it is made, or brought up to date, when the transport is opened. */
  readonly stream: string;
  /** Patterns whose messages it keeps. */
  readonly subjects: readonly string[];
  /** How long a message may be in hand without a sign of life before another gets it. @default 30_000 */
  readonly ackWaitMs?: number;
  /** Tries before a message goes to `dead.<stream>.<subject>`. @default 5 */
  readonly maxDeliveries?: number;
  /** The pause before a failed message comes again. @default 1_000 */
  readonly retryMs?: number;
  /** Messages that one subscription may have in hand. @default 64 */
  readonly maxInHand?: number;
  /** How long the header `message-id` keeps a second message with the same one out. @default 120_000 */
  readonly duplicateWindowMs?: number;
  /** @default 7 days */
  readonly maxAgeMs?: number;
  /** The oldest messages go beyond it. @default 1 GiB */
  readonly maxBytes?: number;
  /** Servers that keep a copy. @default 1 */
  readonly replicas?: number;
}

interface NatsOptions {
  /** How data travels: `json` is readable for every NATS client; `msgpack` carries dates, maps and bigints too. @default 'json' */
  readonly payload?: 'json' | 'msgpack';
  readonly durable?: readonly DurableSubjects[];
  /** How long a durable publish is tried for. @default 30_000 */
  readonly publishTimeoutMs?: number;
}

export interface NatsTransportOptions extends NatsOptions {
  /** A connection that stays yours: it is not closed with the transport. */
  readonly connection?: NatsConnection;
  /** Or where to connect, as `host:port`; made anew for as long as it takes. */
  readonly servers?: readonly string[];
  /** For `servers`. */
  readonly token?: string;
}

type Stream = Required<DurableSubjects>;

const replyHeader = 'Cadre-Reply';
const payloadHeader = 'Cadre-Payload';
const idHeader = 'message-id';
/** Where the server says that nobody is there, when the message itself awaits no answer. */
const probePrefix = '_probe.';

/** @throws {BusError} BUS_UNREACHABLE when no server answers. @throws {TypeError} unless one of `connection`, `servers` is given */
export async function openNatsTransport(options: NatsTransportOptions): Promise<Transport> {
  const { connection, servers, token } = options;
  if ((connection === undefined) === (servers === undefined)) {
    throw new TypeError('Expected one of `connection` and `servers`');
  }
  const durable = (options.durable ?? []).map(resolveDurable);
  const own = connection === undefined ? await connectTo(servers ?? [], token) : undefined;
  const used = connection ?? own;
  if (used === undefined) throw new TypeError('Expected one of `connection` and `servers`');
  try {
    await prepareStreams(used, durable);
  } catch (error) {
    await own?.close();
    throw error;
  }
  return new NatsTransport(used, own !== undefined, durable, options);
}

class NatsTransport implements Transport {
  readonly name = 'nats';
  readonly supports = { references: false, backpressure: false, acknowledgement: true };
  readonly #connection: NatsConnection;
  readonly #isOwn: boolean;
  readonly #streams: readonly Stream[];
  readonly #payload: 'json' | 'msgpack';
  readonly #publishTimeoutMs: number;
  readonly #packr = new Packr({ useRecords: false });
  readonly #listeners = new Set<(status: TransportStatus) => void>();
  readonly #nobody = new Map<string, () => void>();
  readonly #probes = `${probePrefix}${randomBytes(8).toString('hex')}.`;
  readonly #stops = new Set<() => Promise<void> | void>();
  readonly #starting = new Set<Promise<void>>();
  readonly #publishing = new Set<Promise<void>>();
  readonly #handled = new SeenFilter();
  #probed = 0;
  #isProbing = false;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #closing: Promise<void> | undefined;

  constructor(connection: NatsConnection, isOwn: boolean, streams: readonly Stream[], options: NatsOptions) {
    const { payload = 'json', publishTimeoutMs = 30_000 } = options;
    if (payload !== 'json' && payload !== 'msgpack') {
      throw new TypeError(`Expected \`payload\` to be json or msgpack, got \`${payload}\``);
    }
    this.#connection = connection;
    this.#isOwn = isOwn;
    this.#streams = streams;
    this.#payload = payload;
    this.#publishTimeoutMs = publishTimeoutMs;
    void this.#watch();
  }

  publish(message: TransportMessage, onNoResponders?: () => void): void | Promise<void> {
    if (this.#state !== 'open') throw closedError();
    parseSubject(message.subject);
    const stream = this.#streams.find(({ subjects }) => subjects.some((each) => patternCovers(each, message.subject)));
    if (stream !== undefined) return this.#track(this.#publishing, this.#store(message));
    const [data, headers] = this.#encode(message, false);
    let { reply } = message;
    if (onNoResponders !== undefined) {
      if (reply === undefined) {
        if (!this.#isProbing) this.#probe();
        reply = `${this.#probes}${this.#probed++}`;
      }
      this.#awaitNobody(reply, onNoResponders);
    }
    this.#connection.publish(message.subject, data, {
      ...(reply === undefined ? {} : { reply }),
      ...(headers === undefined ? {} : { headers }),
    });
    return undefined;
  }

  subscribe(pattern: string, receiver: Receiver, queue: string | undefined): () => void {
    if (this.#state !== 'open') throw closedError();
    parsePattern(pattern);
    const stream = this.#streams.find(({ subjects }) => subjects.some((each) => patternCovers(each, pattern)));
    const stop =
      stream === undefined ? this.#listen(pattern, receiver, queue) : this.#consume(stream, pattern, receiver, queue);
    this.#stops.add(stop);
    return () => {
      if (this.#stops.delete(stop)) void stop();
    };
  }

  async flush(): Promise<void> {
    if (this.#state !== 'open') throw closedError();
    await Promise.all(this.#starting);
    await this.#connection.flush();
  }

  observe(listener: (status: TransportStatus) => void): () => void {
    const own = (status: TransportStatus) => listener(status);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #listen(pattern: string, receiver: Receiver, queue: string | undefined): () => void {
    const subscription = this.#connection.subscribe(pattern, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        if (error !== null) this.#tell({ type: 'transportFailed', error });
        else this.#receive(message, receiver);
      },
    });
    return () => {
      if (!subscription.isClosed()) subscription.unsubscribe();
    };
  }

  #receive(message: Msg, receiver: Receiver): void {
    if (message.headers?.code === 503 && message.data.length === 0) {
      this.#nobody.get(message.subject)?.();
      this.#nobody.delete(message.subject);
      return;
    }
    const reply = message.reply?.startsWith(probePrefix) ? undefined : message.reply;
    const decoded = this.#decode(message.subject, message.data, message.headers, reply === '' ? undefined : reply);
    if (decoded === undefined) return;
    // There is nobody to hold up; what is too much is counted by the subscription as dropped.
    receiver.deliver(decoded)?.catch(() => undefined);
  }

  #consume(stream: Stream, pattern: string, receiver: Receiver, queue: string | undefined): () => Promise<void> {
    let isStopped = false;
    let stopReading: (() => Promise<unknown>) | undefined;
    const reading = async () => {
      const consumer = await this.#openConsumer(stream, pattern, queue);
      if (isStopped) return;
      const messages = await consumer.consume({ max_messages: stream.maxInHand });
      stopReading = () => messages.close();
      void (async () => {
        try {
          for await (const message of messages) this.#handle(stream, queue ?? pattern, message, receiver);
        } catch (error) {
          if (!isStopped) this.#tell({ type: 'transportFailed', error });
        }
      })();
    };
    void this.#track(this.#starting, reading()).catch((error: unknown) =>
      this.#tell({ type: 'transportFailed', error }),
    );
    return async () => {
      isStopped = true;
      await stopReading?.();
    };
  }

  async #openConsumer(stream: Stream, pattern: string, queue: string | undefined): Promise<Consumer> {
    const manager = await jetstreamManager(this.#connection);
    const { name } = await manager.consumers.add(stream.stream, {
      ...(queue === undefined
        ? { deliver_policy: DeliverPolicy.New, inactive_threshold: nanoseconds(300_000) }
        : { durable_name: consumerName(queue, pattern), deliver_policy: DeliverPolicy.All }),
      filter_subject: pattern,
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanoseconds(stream.ackWaitMs),
      // Counted here: the server would stop at its own limit and tell nobody.
      max_deliver: -1,
      max_ack_pending: queue === undefined ? stream.maxInHand : 65_536,
    });
    return jetstream(this.#connection).consumers.get(stream.stream, name);
  }

  #handle(stream: Stream, group: string, message: JsMsg, receiver: Receiver): void {
    const source = `${stream.stream}/${group}`;
    const { deliveryCount } = message.info;
    if (message.redelivered && this.#handled.has(source, message.seq)) {
      message.ack();
      return;
    }
    if (deliveryCount > stream.maxDeliveries) return void this.#bury(stream, message, deliveryCount - 1);
    const decoded = this.#decode(
      message.subject,
      message.data,
      message.headers,
      message.headers?.get(replyHeader) || undefined,
    );
    if (decoded === undefined) return void this.#bury(stream, message, deliveryCount);
    const alive = setInterval(() => message.working(), Math.max(1, stream.ackWaitMs / 3));
    alive.unref();
    let isSettled = false;
    const settle = (outcome: Outcome) => {
      if (isSettled) return;
      isSettled = true;
      clearInterval(alive);
      if (this.#connection.isClosed()) return;
      if (outcome === 'handled') {
        this.#handled.seen(source, message.seq);
        message.ack();
      } else if (outcome === 'failed' && deliveryCount >= stream.maxDeliveries) {
        void this.#bury(stream, message, deliveryCount);
      } else {
        message.nak(stream.retryMs);
      }
    };
    const tracked = Object.assign(decoded, { settle });
    receiver.deliver(tracked)?.catch(() => undefined);
  }

  /** Stored at its dead-letter subject first, and only then done with here. */
  async #bury(stream: Stream, message: JsMsg, deliveries: number): Promise<void> {
    const to = `dead.${stream.stream}.${message.subject}`;
    const headers = newHeaders();
    for (const [name, values] of message.headers ?? [])
      for (const value of values) if (!name.startsWith('Nats-')) headers.append(name, value);
    headers.set('Cadre-Deliveries', String(deliveries));
    try {
      await jetstream(this.#connection).publish(to, message.data, {
        headers,
        msgID: `${stream.stream}-${message.seq}`,
        timeout: 5_000,
      });
      message.term();
      this.#tell({ type: 'deadLettered', subject: message.subject, to, deliveries });
    } catch (error) {
      this.#tell({ type: 'transportFailed', error });
      if (!this.#connection.isClosed()) message.nak(stream.retryMs);
    }
  }

  /** The same id at every try: the server keeps the message once, whichever try it was whose answer got lost. */
  async #store(message: TransportMessage): Promise<void> {
    const [data, headers] = this.#encode(message, true);
    const msgID = message.headers[idHeader] ?? randomBytes(12).toString('base64url');
    const client = jetstream(this.#connection, { timeout: 1_000 });
    const deadline = performance.now() + this.#publishTimeoutMs;
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
      try {
        await client.publish(message.subject, data, { msgID, ...(headers === undefined ? {} : { headers }) });
        return;
      } catch (error) {
        if (this.#connection.isClosed() || performance.now() + pauseMs > deadline) {
          this.#tell({ type: 'lost', count: 1, reason: 'closed' });
          throw new BusError(
            'BUS_UNREACHABLE',
            `The message to ${JSON.stringify(message.subject)} could not be stored within ${this.#publishTimeoutMs} ms (publishTimeoutMs)`,
            { cause: error },
          );
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  #encode({ data, headers, reply }: TransportMessage, isStored: boolean): [Uint8Array, MsgHdrs | undefined] {
    let encoded: MsgHdrs | undefined;
    const set = (name: string, value: string) => {
      encoded ??= newHeaders();
      encoded.set(name, value);
    };
    if (headers !== noHeaders) for (const [name, value] of Object.entries(headers)) set(name, value);
    if (isStored && reply !== undefined) set(replyHeader, reply);
    if (data instanceof Uint8Array) {
      set(payloadHeader, 'bytes');
      return [data, encoded];
    }
    if (this.#payload === 'msgpack') {
      set(payloadHeader, 'msgpack');
      return [Uint8Array.from(this.#packr.pack(data)), encoded];
    }
    // What JSON has no word for travels as nothing, as in JSON.stringify.
    return [Buffer.from(JSON.stringify(data) ?? ''), encoded];
  }

  #decode(
    subject: string,
    bytes: Uint8Array,
    encoded: MsgHdrs | undefined,
    reply: string | undefined,
  ): PublishedMessage | undefined {
    try {
      const headers = encoded === undefined ? noHeaders : readHeaders(encoded);
      return new PublishedMessage(subject, this.#decodeData(bytes, encoded?.get(payloadHeader)), headers, reply);
    } catch (error) {
      this.#tell({ type: 'transportFailed', error });
      return undefined;
    }
  }

  #decodeData(bytes: Uint8Array, kind: string | undefined): unknown {
    if (kind === 'bytes') return bytes;
    if (kind === 'msgpack') return this.#packr.unpack(bytes);
    if (bytes.length === 0) return undefined;
    try {
      return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    } catch {
      // A stranger's message that is no JSON: its bytes are all that is known of it.
      return bytes;
    }
  }

  #probe(): void {
    this.#isProbing = true;
    this.#listen(`${this.#probes}*`, { hasRoom: true, deliver: () => undefined }, undefined);
  }

  /** An answer takes a round trip; an older wish than 65,536 others has had it. */
  #awaitNobody(reply: string, onNoResponders: () => void): void {
    this.#nobody.set(reply, onNoResponders);
    if (this.#nobody.size <= 65_536) return;
    const [oldest] = this.#nobody.keys();
    if (oldest !== undefined) this.#nobody.delete(oldest);
  }

  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect') this.#tell({ type: 'disconnected', error: undefined });
      else if (status.type === 'reconnect') this.#tell({ type: 'reconnected' });
      else if (status.type === 'error') this.#tell({ type: 'transportFailed', error: status.error });
    }
  }

  async #track(into: Set<Promise<void>>, work: Promise<void>): Promise<void> {
    into.add(work);
    try {
      await work;
    } finally {
      into.delete(work);
    }
  }

  #tell(status: TransportStatus): void {
    for (const listener of this.#listeners) listener(status);
  }

  async #close(): Promise<void> {
    this.#state = 'closing';
    await Promise.allSettled([...this.#starting, ...this.#publishing]);
    await Promise.allSettled([...this.#stops].map((stop) => stop()));
    this.#stops.clear();
    if (!this.#connection.isClosed()) {
      if (this.#isOwn) await this.#connection.drain();
      else await this.#connection.flush();
    }
    this.#state = 'closed';
  }
}

async function connectTo(servers: readonly string[], token: string | undefined): Promise<NatsConnection> {
  try {
    return await connect({
      servers: [...servers],
      maxReconnectAttempts: -1,
      reconnectTimeWait: 200,
      reconnectJitter: 100,
      ...(token === undefined ? {} : { token }),
    });
  } catch (error) {
    throw new BusError('BUS_UNREACHABLE', `No NATS server answers at ${servers.join(', ')}`, { cause: error });
  }
}

async function prepareStreams(connection: NatsConnection, streams: readonly Stream[]): Promise<void> {
  if (streams.length === 0) return;
  const manager = await jetstreamManager(connection);
  for (const { stream, subjects, duplicateWindowMs, maxAgeMs, maxBytes, replicas } of streams) {
    const config = {
      max_age: nanoseconds(maxAgeMs),
      max_bytes: maxBytes,
      duplicate_window: nanoseconds(Math.min(duplicateWindowMs, maxAgeMs)),
      num_replicas: replicas,
    };
    for (const each of [
      { ...config, name: stream, subjects: [...subjects] },
      { ...config, name: `${stream}-dead`, subjects: [`dead.${stream}.>`] },
    ]) {
      try {
        await manager.streams.add(each);
      } catch {
        // It exists with other settings: these replace them, or say why they can't.
        await manager.streams.update(each.name, each);
      }
    }
  }
}

function resolveDurable(options: DurableSubjects): Stream {
  const {
    stream,
    subjects,
    ackWaitMs = 30_000,
    maxDeliveries = 5,
    retryMs = 1_000,
    maxInHand = 64,
    duplicateWindowMs = 120_000,
    maxAgeMs = 604_800_000,
    maxBytes = 1_073_741_824,
    replicas = 1,
  } = options;
  if (!/^[\w-]+$/.test(stream)) {
    throw new TypeError(`Expected \`stream\` to be letters, digits, - and _, got \`${stream}\``);
  }
  for (const subject of subjects) parsePattern(subject);
  const bounds = { ackWaitMs, maxDeliveries, maxInHand, duplicateWindowMs, maxAgeMs, maxBytes, replicas };
  for (const [name, value] of Object.entries(bounds)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`Expected \`${name}\` to be a positive integer, got \`${value}\` (${typeof value})`);
    }
  }
  return { stream, subjects, retryMs, ...bounds };
}

function readHeaders(encoded: MsgHdrs): Headers {
  const headers: Record<string, string> = {};
  for (const [name, [value]] of encoded) {
    if (value !== undefined && name !== payloadHeader && name !== replyHeader && !name.startsWith('Nats-')) {
      headers[name] = value;
    }
  }
  return Object.freeze(headers);
}

function consumerName(queue: string, pattern: string): string {
  const digest = createHash('sha256').update(`${queue}\n${pattern}`).digest('hex').slice(0, 16);
  return `${queue.replaceAll(/[^\w-]/g, '_').slice(0, 40)}-${digest}`;
}

function nanoseconds(ms: number): number {
  return ms * 1_000_000;
}

function closedError(): BusError {
  return new BusError('BUS_CLOSED', 'The nats transport is closed');
}
