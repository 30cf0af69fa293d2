/**
 * Who is there: every peer sends a heartbeat over the bus, whatever carries it, and who is not heard is lost. A peer that ends in order
 * says so, and is told apart from one that died.
 */
import { randomBytes } from 'node:crypto';
import type { Bus } from './bus.ts';
import { Mailbox } from './mailbox.ts';

/** Who came and went, as `watchPeers` tells it. */
export type PeerEvent =
  | { readonly type: 'joined'; readonly peer: string }
  /** It said goodbye. */
  | { readonly type: 'left'; readonly peer: string }
  /** Nothing was heard of it for `silentMs`. */
  | { readonly type: 'lost'; readonly peer: string; readonly silentMs: number };

/** Time, and being called again and again: the real one, or a test's. */
export interface PeerClock {
  /** Milliseconds, never going back. */
  now(): number;
  /** Calls `tick` every `ms` until the returned function is called. */
  every(ms: number, tick: () => void): () => void;
}

export interface WatchPeersOptions {
  /** What the others call this one: one token of a subject. @default a random one */
  readonly name?: string;
  /** Between two heartbeats. @default 1_000 */
  readonly heartbeatMs?: number;
  /** Silence after which a peer is lost: so detection takes at most `lostAfterMs` + `heartbeatMs`. @default 3_500 */
  readonly lostAfterMs?: number;
  /** Peers remembered; beyond it new ones are not taken in. @default 65_536 */
  readonly maxPeers?: number;
  readonly clock?: PeerClock;
}

export interface PeerWatch extends AsyncDisposable {
  readonly name: string;
  /** The others that are there now. */
  readonly peers: readonly string[];
  /** From the start of the watch; the last 1,024 where nobody reads. Ends when the watch is closed. */
  events(): AsyncIterableIterator<PeerEvent>;
  /** Says goodbye. */
  close(): Promise<void>;
}

interface Heartbeat {
  readonly peer: string;
  readonly type: 'here' | 'bye' | 'who';
}

const subject = '_peers';

/** Joins the peers of this bus, and watches them. @throws {TypeError} {RangeError} for options that make no sense */
export function watchPeers(bus: Bus, options: WatchPeersOptions = {}): PeerWatch {
  return new HeartbeatWatch(bus, resolveWatchPeersOptions(options));
}

class HeartbeatWatch implements PeerWatch {
  readonly name: string;
  readonly #bus: Bus;
  readonly #options: Required<WatchPeersOptions>;
  readonly #heardMs = new Map<string, number>();
  readonly #events = new Mailbox<PeerEvent>({
    maxQueued: 1_024,
    maxWaiting: 0,
    onOverflow: 'drop-oldest',
    onDropping: () => undefined,
    onCaughtUp: () => undefined,
    onDropped: () => undefined,
    describe: () => 'A reader of the events of peers',
  });
  readonly #stop: () => void;
  readonly #subscription: AsyncDisposable;
  #closing: Promise<void> | undefined;

  constructor(bus: Bus, options: Required<WatchPeersOptions>) {
    this.#bus = bus;
    this.#options = options;
    this.name = options.name;
    this.#subscription = bus.subscribe<Heartbeat>(subject, ({ data }) => this.#hear(data));
    this.#stop = options.clock.every(options.heartbeatMs, () => this.#beat());
    this.#say('who');
  }

  get peers(): readonly string[] {
    return [...this.#heardMs.keys()];
  }

  events(): AsyncIterableIterator<PeerEvent> {
    const iterator: AsyncIterableIterator<PeerEvent> = {
      next: () => this.#events.next(),
      return: async () => ({ done: true, value: undefined }),
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #hear({ peer, type }: Heartbeat): void {
    if (peer === this.name) return;
    if (type === 'bye') {
      if (this.#heardMs.delete(peer)) this.#events.push({ type: 'left', peer });
      return;
    }
    const isNew = !this.#heardMs.has(peer);
    if (isNew && this.#heardMs.size >= this.#options.maxPeers) return;
    this.#heardMs.set(peer, this.#options.clock.now());
    if (isNew) this.#events.push({ type: 'joined', peer });
    // Who comes new asks who is there, and need not wait for a heartbeat.
    if (type === 'who') this.#say('here');
  }

  #beat(): void {
    this.#say('here');
    const now = this.#options.clock.now();
    for (const [peer, heardMs] of this.#heardMs) {
      const silentMs = now - heardMs;
      if (silentMs < this.#options.lostAfterMs) continue;
      this.#heardMs.delete(peer);
      this.#events.push({ type: 'lost', peer, silentMs });
    }
  }

  #say(type: Heartbeat['type']): void {
    // A heartbeat that can't be sent is one that is not heard, which is what heartbeats are for.
    this.#bus.publish(subject, { peer: this.name, type })?.catch(() => undefined);
  }

  async #close(): Promise<void> {
    this.#stop();
    this.#say('bye');
    await this.#subscription[Symbol.asyncDispose]();
    this.#events.close();
  }
}

const systemClock: PeerClock = {
  now: () => performance.now(),
  every(ms, tick) {
    const timer = setInterval(tick, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};

function resolveWatchPeersOptions(options: WatchPeersOptions): Required<WatchPeersOptions> {
  const {
    name = randomBytes(6).toString('hex'),
    heartbeatMs = 1_000,
    lostAfterMs = 3_500,
    maxPeers = 65_536,
    clock = systemClock,
  } = options;
  if (typeof name !== 'string' || name === '') throw new TypeError(`Expected \`name\` to be a name, got \`${name}\``);
  for (const [option, value] of Object.entries({ heartbeatMs, lostAfterMs, maxPeers })) {
    if (!(value >= 1 && value <= 2_147_483_647)) {
      throw new RangeError(`Expected \`${option}\` to be from 1 to 2147483647, got \`${value}\` (${typeof value})`);
    }
  }
  if (lostAfterMs <= heartbeatMs) {
    throw new RangeError(
      `Expected \`lostAfterMs\` to be over \`heartbeatMs\` (${heartbeatMs}), got \`${lostAfterMs}\``,
    );
  }
  return { name, heartbeatMs, lostAfterMs, maxPeers, clock };
}
