/**
 * Across the threads of one process: a hub in one thread, and to each other thread a pair of rings in shared memory. A message port
 * beside them carries no messages: it wakes who sleeps, and its end tells that a thread has died.
 */
import { randomBytes } from 'node:crypto';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { BusError } from './errors.ts';
import { Fifo } from './fifo.ts';
import { Hub, type HubStatus } from './hub.ts';
import type { HubLimits, PeerLimits } from './limits.ts';
import { openLocalTransport } from './local-transport.ts';
import { Patience } from './patience.ts';
import { openPeer } from './peer.ts';
import { createRingMemory, RingReader, RingWriter } from './ring.ts';
import { StatusFeed } from './status.ts';
import type { Transport } from './transport.ts';
import type { Wire } from './wire.ts';

export type { HubLimits, HubStatus, PeerLimits };

export interface ThreadHubOptions extends HubLimits {
  /** Of each ring, two for each thread; a power of two. @default 1 MiB */
  readonly ringBytes?: number;
}

/** What another thread needs to connect. Pass it as `workerData`, with `port` in the `transferList`. */
export interface ThreadLink {
  readonly toHub: SharedArrayBuffer;
  readonly fromHub: SharedArrayBuffer;
  readonly port: MessagePort;
  readonly token: string;
}

export interface ThreadHub extends AsyncDisposable {
  /** Of the threads that are connected, this one's own transports included. */
  readonly peers: readonly string[];
  /** A link for one more thread. */
  addThread(): ThreadLink;
  /** A transport for the thread that the hub is in. */
  connect(limits?: PeerLimits): Promise<Transport>;
  /** Threads that join, die, are slow, or died in the middle of a write; the last 256 where nobody reads. */
  status(): AsyncIterableIterator<ThreadHubStatus>;
  close(): Promise<void>;
}

/** As of any hub, and what shared memory adds. */
export type ThreadHubStatus =
  | HubStatus
  /** A thread died while it wrote: what it wrote last was discarded. */
  | { readonly type: 'tornWrite' };

/** @throws {RangeError} for a bound that makes no sense */
export function openThreadHub(options: ThreadHubOptions = {}): ThreadHub {
  return new SharedMemoryHub(options);
}

/** In the other thread. @throws {BusError} BUS_UNREACHABLE when the hub is closed */
export function openThreadTransport(link: ThreadLink, limits: PeerLimits = {}): Promise<Transport> {
  return openPeer({
    name: 'threads',
    token: link.token,
    connect: async ({ push, lost }) => {
      const wire = new RingWire(link.port, link.toHub, link.fromHub, push, () => lost(undefined));
      return wire;
    },
    reconnects: false,
    limits,
  });
}

class SharedMemoryHub implements ThreadHub {
  readonly #ringBytes: number;
  readonly #token = randomBytes(16).toString('hex');
  readonly #hub: Hub;
  readonly #wires = new Set<RingWire>();
  readonly #status = new StatusFeed<ThreadHubStatus>();
  #state: 'open' | 'closed' = 'open';

  constructor({ ringBytes = 1_048_576, ...limits }: ThreadHubOptions) {
    createRingMemory(ringBytes);
    this.#ringBytes = ringBytes;
    this.#hub = new Hub(this.#token, limits, (status) => this.#status.tell(status));
  }

  get peers(): readonly string[] {
    return this.#hub.peers;
  }

  addThread(): ThreadLink {
    if (this.#state === 'closed') throw new BusError('BUS_CLOSED', 'The hub of the threads is closed');
    const [toHub, fromHub] = [createRingMemory(this.#ringBytes), createRingMemory(this.#ringBytes)];
    const { port1, port2 } = new MessageChannel();
    const wire: RingWire = new RingWire(
      port1,
      fromHub,
      toHub,
      (chunk) => peer.push(chunk),
      () => {
        if (wire.isTorn) this.#status.tell({ type: 'tornWrite' });
        this.#wires.delete(wire);
        peer.lost(true);
      },
    );
    const peer = this.#hub.accept(wire);
    this.#wires.add(wire);
    return { toHub, fromHub, port: port2, token: this.#token };
  }

  connect(limits: PeerLimits = {}): Promise<Transport> {
    return openLocalTransport(this.#hub, 'threads', limits);
  }

  status(): AsyncIterableIterator<ThreadHubStatus> {
    return this.#status.read();
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#hub.close();
    for (const wire of this.#wires) wire.end();
    this.#status.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class RingWire implements Wire {
  readonly #port: MessagePort;
  readonly #writer: RingWriter;
  readonly #reader: RingReader;
  readonly #onBytes: (bytes: Buffer) => void;
  readonly #onLost: () => void;
  readonly #outgoing = new Fifo<Uint8Array>();
  #head: Uint8Array | undefined;
  #headWritten = 0;
  readonly #patience = new Patience(performance);
  #isAwake = false;
  #state: 'open' | 'ending' | 'ended' = 'open';

  constructor(
    port: MessagePort,
    to: SharedArrayBuffer,
    from: SharedArrayBuffer,
    onBytes: (bytes: Buffer) => void,
    onLost: () => void,
  ) {
    this.#port = port;
    this.#writer = new RingWriter(to);
    this.#reader = new RingReader(from);
    this.#onBytes = onBytes;
    this.#onLost = onLost;
    port.on('message', () => this.#wake());
    port.on('close', () => this.#lose());
    this.#wake();
  }

  /** Whether the other side died in the middle of a write. */
  get isTorn(): boolean {
    return this.#reader.isTorn;
  }

  write(bytes: Uint8Array): void {
    if (this.#state !== 'open') return;
    this.#outgoing.push(bytes);
    this.#writeOn();
  }

  /** Closes once what was written is in the ring; the other side reads that before it hears of the end. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'ending';
    this.#writeOn();
  }

  #writeOn(): void {
    for (;;) {
      this.#head ??= this.#outgoing.shift();
      const head = this.#head;
      if (head === undefined) break;
      this.#headWritten += this.#writer.write(head, this.#headWritten);
      if (this.#headWritten < head.length) break;
      this.#head = undefined;
      this.#headWritten = 0;
    }
    if (this.#writer.takeSleepingReader()) this.#port.postMessage(null);
    if (this.#state === 'ending' && this.#head === undefined) this.#port.close();
  }

  #wake(): void {
    if (this.#head !== undefined) this.#writeOn();
    if (this.#isAwake || this.#state === 'ended') return;
    this.#isAwake = true;
    this.#look();
  }

  readonly #look = (): void => {
    if (this.#state === 'ended') return;
    const isSomething = this.#take();
    if (isSomething) this.#patience.found();
    if (this.#head !== undefined) this.#writeOn();
    // After something there often is more, and looking once more costs one turn.
    if (isSomething || this.#patience.looksAgain() || !this.#reader.sleep()) setImmediate(this.#look);
    else this.#isAwake = false;
  };

  #take(): boolean {
    let bytes: Buffer | undefined;
    try {
      bytes = this.#reader.read();
      if (bytes === undefined) return false;
      if (this.#reader.takeWaitingWriter()) this.#port.postMessage(null);
      this.#onBytes(bytes);
    } catch {
      // Nothing behind what makes no sense can be read; the other side sees the port close.
      this.#port.close();
      return false;
    }
    return true;
  }

  #lose(): void {
    if (this.#state === 'ended') return;
    while (this.#take());
    this.#state = 'ended';
    this.#outgoing.clear();
    this.#head = undefined;
    this.#onLost();
  }
}
