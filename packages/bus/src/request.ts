/** Requests in flight. All answers of one bus come to one inbox, so that a request costs no subscription of its own. */
import { randomBytes } from 'node:crypto';
import { BusError, RequestError } from './errors.ts';
import { Mailbox } from './mailbox.ts';
import { type Message, PublishedMessage } from './message.ts';
import { inboxPrefix } from './subject.ts';
import type { Headers, Receiver, Transport, TransportMessage } from './transport.ts';

export interface RequestOptions {
  /** From 0 to 2^31-1, or `Infinity`. @default 10_000 */
  readonly timeoutMs?: number;
  readonly headers?: Headers;
  readonly signal?: AbortSignal;
}

export interface RequestManyOptions extends RequestOptions {
  /** It ends after this many. @default Infinity */
  readonly maxAnswers?: number;
}

interface Pending {
  readonly resolve: (message: TransportMessage) => void;
  readonly reject: (reason: unknown) => void;
}

export class Requests implements Receiver {
  readonly hasRoom = true;
  readonly #transport: Transport;
  readonly #prefix = `${inboxPrefix}${randomBytes(12).toString('hex')}.`;
  readonly #pending = new Map<string, Pending>();
  #unsubscribe: (() => void) | undefined;
  #sent = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get size(): number {
    return this.#pending.size;
  }

  async send<T>(subject: string, data: unknown, headers: Headers, options: RequestOptions): Promise<Message<T>> {
    const { timeoutMs = 10_000, signal } = options;
    checkTimeout(timeoutMs);
    signal?.throwIfAborted();
    this.#unsubscribe ??= this.#transport.subscribe(`${this.#prefix}*`, this, undefined);
    const reply = `${this.#prefix}${this.#sent++}`;
    let timer: NodeJS.Timeout | undefined;
    let abort: (() => void) | undefined;
    try {
      const answer = await new Promise<TransportMessage>((resolve, reject) => {
        this.#pending.set(reply, { resolve, reject });
        if (timeoutMs !== Number.POSITIVE_INFINITY) {
          timer = setTimeout(() => reject(timedOut(subject, timeoutMs)), timeoutMs);
        }
        abort = () => reject(signal?.reason);
        signal?.addEventListener('abort', abort, { once: true });
        const message = new PublishedMessage(subject, data, headers, reply);
        const waiting = this.#transport.publish(message, () => {
          reject(noResponders(subject));
        });
        waiting?.catch(reject);
      });
      // The caller says what it gets; nothing here can know better.
      return answer as Message<T>;
    } finally {
      this.#pending.delete(reply);
      clearTimeout(timer);
      if (abort !== undefined) signal?.removeEventListener('abort', abort);
    }
  }

  /** @param options.timeoutMs  how long answers are waited for, from the request on */
  async *sendToMany<T>(
    subject: string,
    data: unknown,
    headers: Headers,
    options: RequestManyOptions,
  ): AsyncGenerator<Message<T>, undefined, undefined> {
    const { timeoutMs = 10_000, signal, maxAnswers = Number.POSITIVE_INFINITY } = options;
    checkTimeout(timeoutMs);
    if (!(maxAnswers >= 1)) throw new RangeError(`Expected \`maxAnswers\` to be at least 1, got \`${maxAnswers}\``);
    signal?.throwIfAborted();
    this.#unsubscribe ??= this.#transport.subscribe(`${this.#prefix}*`, this, undefined);
    const reply = `${this.#prefix}${this.#sent++}`;
    const answers = new Mailbox<TransportMessage>({
      maxQueued: 65_536,
      maxWaiting: 0,
      onOverflow: 'fail',
      onDropping: () => undefined,
      onCaughtUp: () => undefined,
      onDropped: () => undefined,
      describe: () => `The request to ${JSON.stringify(subject)}`,
    });
    let timer: NodeJS.Timeout | undefined;
    const abort = () => answers.fail(signal?.reason);
    try {
      this.#pending.set(reply, {
        resolve: (message) => void answers.push(message),
        reject: (reason) => answers.fail(reason),
      });
      if (timeoutMs !== Number.POSITIVE_INFINITY) timer = setTimeout(() => answers.close(), timeoutMs);
      signal?.addEventListener('abort', abort, { once: true });
      await this.#transport.publish(new PublishedMessage(subject, data, headers, reply), () => {
        answers.fail(noResponders(subject));
      });
      for (let count = 0; count < maxAnswers; count++) {
        const answer = await answers.next();
        if (answer.done) return undefined;
        // The caller says what it gets; nothing here can know better.
        yield answer.value as Message<T>;
      }
      return undefined;
    } finally {
      this.#pending.delete(reply);
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** An answer that comes too late, or a second one, finds nobody and is let go. */
  deliver(message: TransportMessage): void {
    this.#pending.get(message.subject)?.resolve(message);
  }

  close(): void {
    this.#unsubscribe?.();
    for (const { reject } of this.#pending.values()) {
      reject(new BusError('BUS_CLOSED', 'The bus was closed before an answer came'));
    }
  }
}

function noResponders(subject: string): RequestError {
  const text = `The request to ${JSON.stringify(subject)} reached nobody; start whoever answers it before asking`;
  return new RequestError('BUS_NO_RESPONDERS', subject, text);
}

function timedOut(subject: string, timeoutMs: number): RequestError {
  const text = `The request to ${JSON.stringify(subject)} got no answer within ${timeoutMs} ms (timeoutMs)`;
  return new RequestError('BUS_TIMEOUT', subject, text);
}

function checkTimeout(timeoutMs: number): void {
  // A longer one would make Node's timer fire at once.
  if (timeoutMs === Number.POSITIVE_INFINITY || (timeoutMs >= 0 && timeoutMs <= 2_147_483_647)) return;
  throw new RangeError(
    `Expected \`timeoutMs\` to be from 0 to 2147483647, or Infinity, got \`${timeoutMs}\` (${typeof timeoutMs})`,
  );
}
