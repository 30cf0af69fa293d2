/**
 * A bounded queue between those who push and one who takes, with a named answer to what happens when it is full.
 * Everything pushed is either taken or counted in `dropped`.
 */
import { BusError } from './errors.ts';
import { Fifo } from './fifo.ts';

/**
 * What a full queue does with one more message:
 * `wait` makes its publisher wait for room · `drop-oldest` drops the one that waited longest · `drop-newest` drops the
 * one that comes · `fail` drops it and ends the subscription, with an error, after what is queued.
 */
export type OverflowPolicy = 'wait' | 'drop-oldest' | 'drop-newest' | 'fail';

export interface MailboxOptions<T> {
  readonly maxQueued: number;
  readonly maxWaiting: number;
  readonly onOverflow: OverflowPolicy;
  /** Called when dropping begins, and again only after the queue has been empty. */
  readonly onDropping: () => void;
  /** Called after that, when the queue is empty again or given up. */
  readonly onCaughtUp: () => void;
  /** Called with each item that will never be taken. */
  readonly onDropped: (item: T) => void;
  readonly describe: () => string;
}

interface Waiter<T> {
  readonly item: T;
  readonly resolve: () => void;
}

interface Taker<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

type End = { readonly type: 'done' } | { readonly type: 'error'; readonly error: unknown };

export class Mailbox<T> {
  readonly #options: MailboxOptions<T>;
  readonly #queue = new Fifo<T>();
  readonly #waiters = new Fifo<Waiter<T>>();
  readonly #takers = new Fifo<Taker<T>>();
  #end: End | undefined;
  #isDropping = false;
  dropped = 0;

  constructor(options: MailboxOptions<T>) {
    this.#options = options;
  }

  get length(): number {
    return this.#queue.length + this.#waiters.length;
  }

  get hasRoom(): boolean {
    return this.#end === undefined && (this.#queue.length < this.#options.maxQueued || this.#takers.length > 0);
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  /** The promise, under `wait`, resolves when there is room. It rejects with BUS_OVERFLOW when too many wait. */
  push(item: T): void | Promise<void> {
    if (this.#end !== undefined) {
      this.dropped++;
      this.#options.onDropped(item);
      return undefined;
    }
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker.resolve({ done: false, value: item });
      return undefined;
    }
    if (this.#queue.length < this.#options.maxQueued) {
      this.#queue.push(item);
      return undefined;
    }
    return this.#overflow(item);
  }

  take(): T | undefined {
    let item = this.#queue.shift();
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      if (item === undefined) item = waiter.item;
      else this.#queue.push(waiter.item);
      waiter.resolve();
    }
    if (this.#queue.length === 0) this.#caughtUp();
    return item;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const item = this.take();
    if (item !== undefined) return Promise.resolve({ done: false, value: item });
    if (this.#end === undefined) return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
    const end = this.#end;
    this.#end = { type: 'done' };
    return end.type === 'error' ? Promise.reject(end.error) : Promise.resolve({ done: true, value: undefined });
  }

  /** Nothing more is taken in; what is queued stays to be taken. */
  close(): void {
    this.#finish({ type: 'done' });
  }

  /** Like `close`, but the taker is told why, after what is queued. */
  fail(error: unknown): void {
    this.#finish({ type: 'error', error });
  }

  /** Drops what is queued; waiting publishers go on. */
  discard(): void {
    this.dropped += this.length;
    for (let item = this.#queue.shift(); item !== undefined; item = this.#queue.shift()) this.#options.onDropped(item);
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      this.#options.onDropped(waiter.item);
      waiter.resolve();
    }
    this.#caughtUp();
  }

  #caughtUp(): void {
    if (!this.#isDropping) return;
    this.#isDropping = false;
    this.#options.onCaughtUp();
  }

  #finish(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    // Takers only wait while nothing is queued. The first is told the reason, the others that it is over.
    for (let taker = this.#takers.shift(); taker !== undefined; taker = this.#takers.shift()) {
      if (end.type === 'error' && this.#end === end) taker.reject(end.error);
      else taker.resolve({ done: true, value: undefined });
      this.#end = { type: 'done' };
    }
  }

  #overflow(item: T): void | Promise<void> {
    switch (this.#options.onOverflow) {
      case 'wait':
        return this.#wait(item);
      case 'drop-oldest': {
        // With room for none, the one that comes is the oldest.
        const oldest = this.#queue.shift();
        if (oldest !== undefined) this.#queue.push(item);
        return this.#drop(oldest ?? item);
      }
      case 'drop-newest':
        return this.#drop(item);
      case 'fail':
        this.#drop(item);
        return this.fail(this.#overflowError(`has ${this.#options.maxQueued} messages queued (maxQueued)`));
    }
  }

  #wait(item: T): Promise<void> {
    if (this.#waiters.length >= this.#options.maxWaiting) {
      this.#drop(item);
      return Promise.reject(
        this.#overflowError(
          `has ${this.#options.maxWaiting} publishers waiting (maxWaiting); await what publish returns`,
        ),
      );
    }
    return new Promise((resolve) => this.#waiters.push({ item, resolve }));
  }

  #drop(item: T): void {
    this.dropped++;
    this.#options.onDropped(item);
    if (this.#isDropping) return;
    this.#isDropping = true;
    this.#options.onDropping();
  }

  #overflowError(what: string): BusError {
    return new BusError('BUS_OVERFLOW', `${this.#options.describe()} ${what}; it is read too slowly`);
  }
}
