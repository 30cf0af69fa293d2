/** What happens to a bus or a hub itself, told to whoever asks; what nobody has asked about yet is kept for the first who does. */
import { Mailbox, type OverflowPolicy } from './mailbox.ts';
import type { TransportStatus } from './transport.ts';

/** What happens to a bus that no caller is told of: failures of handlers, slow subscribers, what its transport meets. */
export type BusStatus =
  | TransportStatus
  /** A handler threw, or its promise rejected. */
  | { readonly type: 'handlerFailed'; readonly pattern: string; readonly subject: string; readonly error: unknown }
  /** A subscriber is too slow and began to lose messages; told again only after it has caught up. */
  | {
      readonly type: 'slowSubscriber';
      readonly pattern: string;
      readonly queue: string | undefined;
      readonly policy: OverflowPolicy;
      /** In all, so far. */
      readonly dropped: number;
    }
  /** It has caught up after that, or ended: so many it has lost in all. */
  | {
      readonly type: 'subscriberCaughtUp';
      readonly pattern: string;
      readonly queue: string | undefined;
      readonly dropped: number;
    };

/** Statuses kept for each who reads, and for the first who will; beyond that the oldest go. */
const maxKept = 256;

export class StatusFeed<Status> {
  readonly #readers = new Set<Mailbox<Status>>();
  #unread: Mailbox<Status> | undefined = newMailbox<Status>();
  #isClosed = false;

  tell(status: Status): void {
    this.#unread?.push(status);
    for (const reader of this.#readers) reader.push(status);
  }

  /** From now on, and what nobody has been told so far. Ends when what it tells about is closed, or by `break`. */
  read(): AsyncIterableIterator<Status> {
    const mailbox = this.#unread ?? newMailbox<Status>();
    this.#unread = undefined;
    if (this.#isClosed) mailbox.close();
    else this.#readers.add(mailbox);
    const iterator: AsyncIterableIterator<Status> = {
      next: () => mailbox.next(),
      return: async () => {
        this.#readers.delete(mailbox);
        mailbox.close();
        mailbox.discard();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  close(): void {
    this.#isClosed = true;
    for (const reader of this.#readers) reader.close();
    this.#readers.clear();
  }
}

function newMailbox<Status>(): Mailbox<Status> {
  return new Mailbox<Status>({
    maxQueued: maxKept,
    maxWaiting: 0,
    onOverflow: 'drop-oldest',
    onDropping: () => undefined,
    onCaughtUp: () => undefined,
    onDropped: () => undefined,
    describe: () => 'A reader of the status',
  });
}
