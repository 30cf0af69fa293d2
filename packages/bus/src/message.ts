/** What a subscriber gets. */
import type { Headers, Transport, TransportMessage } from './transport.ts';

export interface Message<T = unknown> {
  readonly subject: string;
  /** Over the memory transport this is the publisher's own object, shared by all subscribers. */
  readonly data: T;
  readonly headers: Headers;
  readonly reply?: string | undefined;
  /** There when an answer is awaited. Only the first answer counts. */
  respond?(data: unknown, options?: { readonly headers?: Headers }): void | Promise<void>;
}

export const noHeaders: Headers = Object.freeze({});

export class PublishedMessage implements TransportMessage {
  readonly subject: string;
  readonly data: unknown;
  readonly headers: Headers;
  readonly reply: string | undefined;

  constructor(subject: string, data: unknown, headers: Headers, reply: string | undefined) {
    this.subject = subject;
    this.data = data;
    this.headers = headers;
    this.reply = reply;
  }
}

/** A message that awaits an answer: most don't, and are spared the method. */
export class RequestMessage extends PublishedMessage {
  readonly #transport: Transport;

  constructor({ subject, data, headers, reply }: TransportMessage, transport: Transport) {
    super(subject, data, headers, reply);
    this.#transport = transport;
  }

  respond(data: unknown, options: { readonly headers?: Headers } = {}): void | Promise<void> {
    if (this.reply === undefined) return undefined;
    const headers = resolveHeaders(options.headers);
    return this.#transport.publish(new PublishedMessage(this.reply, data, headers, undefined));
  }
}

/** A frozen copy, so that no subscriber changes what another sees. @throws {TypeError} for a value that is not a string */
export function resolveHeaders(headers: Headers | undefined): Headers {
  if (headers === undefined) return noHeaders;
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string') {
      throw new TypeError(`Expected the header \`${name}\` to be a string, got \`${typeof value}\``);
    }
  }
  return Object.freeze({ ...headers });
}
