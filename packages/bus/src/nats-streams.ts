/** What durable subjects are kept in: a stream and its dead letters, and the consumers through which subscriptions read them. */
import { createHash, randomBytes } from 'node:crypto';
import {
  AckPolicy,
  type Consumer,
  type ConsumerConfig,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { parsePattern, patternCovers } from './subject.ts';

export interface DurableSubjects {
  /** The stream's name; it is made, or brought up to date, when the transport is opened. */
  readonly stream: string;
  /** Patterns whose messages it keeps. */
  readonly subjects: readonly string[];
  /** How long a message may be in hand without a sign of life before another gets it. @default 30_000 */
  readonly ackWaitMs?: number;
  /** Tries before a message goes to `dead.<stream>.<subject>`. @default 5 */
  readonly maxDeliveries?: number;
  /** The pause before a failed message comes again; 0 for none. @default 1_000 */
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

export type DurableStream = Required<DurableSubjects>;

/** The stream that keeps every message to `pattern`, if one does. */
export function streamOf(streams: readonly DurableStream[], pattern: string): DurableStream | undefined {
  return streams.find(({ subjects }) => subjects.some((each) => patternCovers(each, pattern)));
}

/** @throws {TypeError} {RangeError} for options that make no sense */
export function resolveDurable(options: DurableSubjects): DurableStream {
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
  if (!Number.isInteger(retryMs) || retryMs < 0) {
    throw new RangeError(`Expected \`retryMs\` to be an integer from 0, got \`${retryMs}\` (${typeof retryMs})`);
  }
  return Object.freeze({ stream, subjects, retryMs, ...bounds });
}

/** Makes the streams, or brings them up to date. @throws whatever the server says about them */
export async function prepareStreams(connection: NatsConnection, streams: readonly DurableStream[]): Promise<void> {
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
      } catch (error) {
        if (!isApiError(error, streamNameInUse)) throw error;
        await manager.streams.update(each.name, each);
      }
    }
  }
}

/** The place of one subscription, or of one queue group, in a stream. */
export interface ReadingPlace {
  readonly stream: DurableStream;
  readonly pattern: string;
  readonly queue: string | undefined;
  /** The server's name for it: the same for all members of a group. */
  readonly name: string;
}

export function readingPlace(stream: DurableStream, pattern: string, queue: string | undefined): ReadingPlace {
  const name = queue === undefined ? `one-${randomBytes(9).toString('base64url')}` : groupName(queue, pattern);
  return { stream, pattern, queue, name };
}

/**
 * The server's consumer for that place, made where there is none. A group begins with all that is stored and is kept until the
 * stream goes; a subscription of its own begins with what comes, and is kept for five minutes without its reader.
 * @param from  where a subscription whose consumer has gone goes on: the number of a message in the stream
 */
export async function openConsumer(
  connection: NatsConnection,
  { stream, pattern, queue, name }: ReadingPlace,
  from: number | undefined,
): Promise<Consumer> {
  const manager = await jetstreamManager(connection);
  const config: Partial<ConsumerConfig> = {
    name,
    filter_subject: pattern,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanoseconds(stream.ackWaitMs),
    // Counted by the reader: the server would stop at its own limit and tell nobody.
    max_deliver: -1,
  };
  if (queue !== undefined) {
    const group = { durable_name: name, deliver_policy: DeliverPolicy.All, max_ack_pending: 65_536 };
    // Made, or brought up to date.
    await manager.consumers.add(stream.stream, { ...config, ...group });
  } else if (!(await hasConsumer(manager, stream.stream, name))) {
    const own = { inactive_threshold: nanoseconds(300_000), max_ack_pending: stream.maxInHand, ...startAt(from) };
    await manager.consumers.add(stream.stream, { ...config, ...own });
  }
  return jetstream(connection).consumers.get(stream.stream, name);
}

/** Of a subscription that has ended: the server would keep its place for minutes. */
export async function closeConsumer(connection: NatsConnection, { stream, name }: ReadingPlace): Promise<void> {
  const manager = await jetstreamManager(connection);
  await manager.consumers.delete(stream.stream, name);
}

const streamNameInUse = 10_058;

async function hasConsumer(manager: JetStreamManager, stream: string, name: string): Promise<boolean> {
  try {
    await manager.consumers.info(stream, name);
    return true;
  } catch (error) {
    if (!isApiError(error, JetStreamApiCodes.ConsumerNotFound)) throw error;
    return false;
  }
}

function startAt(from: number | undefined): Partial<ConsumerConfig> {
  if (from === undefined) return { deliver_policy: DeliverPolicy.New };
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from };
}

function groupName(queue: string, pattern: string): string {
  const digest = createHash('sha256').update(`${queue}\n${pattern}`).digest('hex').slice(0, 16);
  return `${queue.replaceAll(/[^\w-]/g, '_').slice(0, 40)}-${digest}`;
}

function isApiError(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code;
}

function nanoseconds(ms: number): number {
  return ms * 1_000_000;
}
