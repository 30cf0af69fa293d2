/**
 * Across machines, over NATS. Plain subjects are NATS's own: at most once. Subjects declared durable are kept in a JetStream stream:
 * `publish` resolves when it is stored, each message is acknowledged when its handler is through, is delivered again when it is not,
 * and goes to a dead-letter subject after `maxDeliveries`.
 */
import { randomBytes } from 'node:crypto';
import { type JsMsg, jetstream } from '@nats-io/jetstream';
import {
  connect,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  headers as newHeaders,
  type PublishOptions,
} from '@nats-io/transport-node';
import { BusError } from './errors.ts';
import type { PublishedMessage } from './message.ts';
import { type NatsMessage, NatsPayload, type PayloadKind, storedReply } from './nats-payload.ts';
import { DurableReader } from './nats-reader.ts';
import {
  type DurableStream,
  type DurableSubjects,
  prepareStreams,
  readingPlace,
  resolveDurable,
  streamOf,
} from './nats-streams.ts';
import { Observers } from './observers.ts';
import { SeenFilter } from './seen-filter.ts';
import { parsePattern, parseSubject } from './subject.ts';
import type { Receiver, Transport, TransportMessage, TransportStatus } from './transport.ts';

export type { DurableSubjects };

interface NatsOptions {
  /** How data travels: `json` is readable for every NATS client; `msgpack` carries dates, maps and bigints too. @default 'json' */
  readonly payload?: PayloadKind;
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

const idHeader = 'message-id';
const maxKnownSubjects = 4_096;
/** Where the server says that nobody is there, when the message itself awaits no answer. */
const probePrefix = '_probe.';

/** @throws {BusError} BUS_UNREACHABLE when no server answers. @throws {TypeError} unless one of `connection`, `servers` is given */
export async function openNatsTransport(options: NatsTransportOptions): Promise<Transport> {
  const { connection, servers, token } = options;
  if ((connection === undefined) === (servers === undefined)) {
    throw new TypeError('Expected one of `connection` and `servers`');
  }
  const { publishTimeoutMs = 30_000, payload = 'json' } = options;
  const setup = {
    payload: new NatsPayload(payload),
    streams: (options.durable ?? []).map(resolveDurable),
    publishTimeoutMs,
  };
  if (!(publishTimeoutMs >= 1)) {
    throw new RangeError(`Expected \`publishTimeoutMs\` to be at least 1, got \`${publishTimeoutMs}\``);
  }
  const own = connection === undefined ? await connectTo(servers ?? [], token) : undefined;
  const used = connection ?? own;
  if (used === undefined) throw new TypeError('Expected one of `connection` and `servers`');
  try {
    await prepareStreams(used, setup.streams);
  } catch (error) {
    await own?.close();
    throw error;
  }
  return new NatsTransport({ ...setup, connection: used, isOwn: own !== undefined });
}

interface NatsSetup {
  readonly connection: NatsConnection;
  /** Closed with the transport. */
  readonly isOwn: boolean;
  readonly streams: readonly DurableStream[];
  readonly payload: NatsPayload;
  readonly publishTimeoutMs: number;
}

class NatsTransport implements Transport {
  readonly name = 'nats';
  readonly supports = { references: false, backpressure: false, acknowledgement: true };
  readonly #connection: NatsConnection;
  readonly #isOwn: boolean;
  readonly #streams: readonly DurableStream[];
  readonly #payload: NatsPayload;
  readonly #publishTimeoutMs: number;
  readonly #observers = new Observers<TransportStatus>();
  readonly #known = new Map<string, boolean>();
  readonly #nobody = new Map<string, () => void>();
  readonly #probes = `${probePrefix}${randomBytes(8).toString('hex')}.`;
  readonly #stops = new Set<() => void>();
  readonly #readers = new Set<DurableReader>();
  readonly #starting = new Set<Promise<void>>();
  readonly #publishing = new Set<Promise<void>>();
  readonly #handled = new SeenFilter();
  #probed = 0;
  #isProbing = false;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #closing: Promise<void> | undefined;

  constructor({ connection, isOwn, streams, payload, publishTimeoutMs }: NatsSetup) {
    this.#connection = connection;
    this.#isOwn = isOwn;
    this.#streams = streams;
    this.#payload = payload;
    this.#publishTimeoutMs = publishTimeoutMs;
    void this.#watch();
  }

  publish(message: TransportMessage, onNoResponders?: () => void): void | Promise<void> {
    if (this.#state !== 'open') throw closedError();
    if (this.#isDurable(message.subject)) return this.#track(this.#publishing, this.#store(message));
    const [data, headers] = this.#payload.encode(message, false);
    let { reply } = message;
    if (onNoResponders !== undefined) {
      if (reply === undefined) {
        if (!this.#isProbing) this.#probe();
        reply = `${this.#probes}${this.#probed++}`;
      }
      this.#awaitNobody(reply, onNoResponders);
    }
    if (reply === undefined && headers === undefined) this.#connection.publish(message.subject, data);
    else this.#connection.publish(message.subject, data, natsOptions(reply, headers));
    return undefined;
  }

  subscribe(pattern: string, receiver: Receiver, queue: string | undefined): () => void {
    if (this.#state !== 'open') throw closedError();
    parsePattern(pattern);
    const stream = streamOf(this.#streams, pattern);
    if (stream !== undefined) {
      const reader = this.#consume(stream, pattern, receiver, queue);
      return () => void reader.stop();
    }
    const stop = this.#listen(pattern, receiver, queue);
    this.#stops.add(stop);
    return () => {
      if (this.#stops.delete(stop)) stop();
    };
  }

  async flush(): Promise<void> {
    if (this.#state !== 'open') throw closedError();
    await Promise.all(this.#starting);
    await this.#connection.flush();
    // What the server sent before its answer may stand in queues of the client, and is out of them by the next turn.
    await new Promise((resolve) => setImmediate(resolve));
  }

  observe(listener: (status: TransportStatus) => void): () => void {
    return this.#observers.observe(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Whether a stream keeps it. Remembered of recent subjects, which a program publishes to over and over. */
  #isDurable(subject: string): boolean {
    let isDurable = this.#known.get(subject);
    if (isDurable === undefined) {
      parseSubject(subject);
      isDurable = streamOf(this.#streams, subject) !== undefined;
      if (this.#known.size >= maxKnownSubjects) this.#known.clear();
      this.#known.set(subject, isDurable);
    }
    return isDurable;
  }

  #listen(pattern: string, receiver: Receiver, queue: string | undefined): () => void {
    const subscription = this.#connection.subscribe(pattern, {
      ...(queue === undefined ? {} : { queue }),
      callback: (error, message) => {
        if (error !== null) this.#observers.tell({ type: 'transportFailed', error });
        else this.#receive(message, receiver);
      },
    });
    return () => {
      if (subscription.isClosed() || subscription.isDraining() || this.#connection.isClosed()) return;
      // What the server has sent already still arrives, so that a group loses nothing by a member that leaves.
      subscription.drain().catch((error: unknown) => {
        if (!this.#connection.isClosed()) this.#observers.tell({ type: 'transportFailed', error });
      });
    };
  }

  #receive(message: Msg, receiver: Receiver): void {
    if (message.headers?.code === 503 && message.data.length === 0) {
      this.#nobody.get(message.subject)?.();
      this.#nobody.delete(message.subject);
      return;
    }
    const reply = message.reply?.startsWith(probePrefix) ? undefined : message.reply;
    if (this.#nobody.size > 0) this.#nobody.delete(message.subject);
    const decoded = this.#decode(message, reply === '' ? undefined : reply);
    if (decoded === undefined) return;
    // There is nobody to hold up; what is too much is counted by the subscription as dropped.
    receiver.deliver(decoded)?.catch(() => undefined);
  }

  #consume(stream: DurableStream, pattern: string, receiver: Receiver, queue: string | undefined): DurableReader {
    const reader: DurableReader = new DurableReader({
      connection: this.#connection,
      place: readingPlace(stream, pattern, queue),
      receiver,
      handled: this.#handled,
      decode: (message) => this.#decode(message, storedReply(message.headers)),
      bury: (message, deliveries) => this.#bury(stream, message, deliveries),
      tell: (status) => this.#observers.tell(status),
      onEnd: () => this.#readers.delete(reader),
      clock: performance,
    });
    this.#readers.add(reader);
    void this.#track(this.#starting, reader.start());
    return reader;
  }

  /** Stored at its dead-letter subject first, and only then done with here. */
  async #bury(stream: DurableStream, message: JsMsg, deliveries: number): Promise<void> {
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
      this.#observers.tell({ type: 'deadLettered', subject: message.subject, to, deliveries });
    } catch (error) {
      this.#observers.tell({ type: 'transportFailed', error });
      if (!this.#connection.isClosed()) message.nak(stream.retryMs);
    }
  }

  /** The same id at every try: the server keeps the message once, whichever try it was whose answer got lost. */
  async #store(message: TransportMessage): Promise<void> {
    const [data, headers] = this.#payload.encode(message, true);
    const msgID = message.headers[idHeader] ?? randomBytes(12).toString('base64url');
    const client = jetstream(this.#connection, { timeout: 1_000 });
    const deadline = performance.now() + this.#publishTimeoutMs;
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
      try {
        await client.publish(message.subject, data, { msgID, ...(headers === undefined ? {} : { headers }) });
        return;
      } catch (error) {
        if (this.#connection.isClosed() || performance.now() + pauseMs > deadline) {
          this.#observers.tell({ type: 'lost', count: 1, reason: 'closed' });
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

  #decode(message: NatsMessage, reply: string | undefined): PublishedMessage | undefined {
    try {
      return this.#payload.decode(message, reply);
    } catch (error) {
      this.#observers.tell({ type: 'transportFailed', error });
      return undefined;
    }
  }

  #probe(): void {
    this.#isProbing = true;
    this.#stops.add(this.#listen(`${this.#probes}*`, { hasRoom: true, deliver: () => undefined }, undefined));
  }

  /** An answer takes a round trip; an older wish than 65,536 others has had it. */
  #awaitNobody(reply: string, onNoResponders: () => void): void {
    this.#nobody.set(reply, onNoResponders);
    if (this.#nobody.size <= 65_536) return;
    const [oldest] = this.#nobody.keys();
    if (oldest !== undefined) this.#nobody.delete(oldest);
  }

  async #watch(): Promise<void> {
    const statuses = this.#connection.status();
    this.#stops.add(() => {
      // Its type does not say so, but what the client gives can be stopped; a connection that is not ours would keep it.
      if ('stop' in statuses && typeof statuses.stop === 'function') statuses.stop();
    });
    for await (const status of statuses) {
      if (status.type === 'disconnect') this.#observers.tell({ type: 'disconnected', error: undefined });
      else if (status.type === 'reconnect') this.#observers.tell({ type: 'reconnected' });
      else if (status.type === 'error') this.#observers.tell({ type: 'transportFailed', error: status.error });
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

  async #close(): Promise<void> {
    this.#state = 'closing';
    await Promise.allSettled([...this.#starting, ...this.#publishing]);
    for (const stop of this.#stops) stop();
    this.#stops.clear();
    await Promise.all([...this.#readers].map((reader) => reader.stop()));
    for (const reader of this.#readers) reader.abandon();
    if (!this.#connection.isClosed()) {
      if (this.#isOwn) await this.#connection.drain();
      else await this.#connection.flush();
    }
    this.#state = 'closed';
  }
}

function natsOptions(reply: string | undefined, headers: MsgHdrs | undefined): Partial<PublishOptions> {
  return { ...(reply === undefined ? {} : { reply }), ...(headers === undefined ? {} : { headers }) };
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

function closedError(): BusError {
  return new BusError('BUS_CLOSED', 'The nats transport is closed');
}
