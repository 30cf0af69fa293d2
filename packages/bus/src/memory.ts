/**
 * The transport inside one process. Delivery is synchronous: when `publish` returns, every receiver has the message.
 * The exception is a publish from inside a delivery: it waits until the delivery is through, so that every receiver
 * sees all messages in the one order in which they were published, and nothing recurses.
 */
import { BusError } from './errors.ts';
import { Fifo } from './fifo.ts';
import { SubjectTree } from './subject-tree.ts';
import type { Receiver, Transport, TransportMessage } from './transport.ts';

/** Publishes from inside deliveries that may wait at once. */
const maxNested = 65_536;

interface Entry {
  readonly receiver: Receiver;
  readonly group: QueueGroup | undefined;
}

interface Nested {
  readonly message: TransportMessage;
  readonly receiver: Receiver;
  readonly resolve: (waiting: void | Promise<void>) => void;
}

export function memoryTransport(): Transport {
  return new MemoryTransport();
}

class MemoryTransport implements Transport {
  readonly name = 'memory';
  readonly supports = { references: true, backpressure: true, acknowledgement: false };
  readonly #tree = new SubjectTree<Entry, Receiver>({ compile: toReceiver });
  readonly #groups = new Map<string, QueueGroup>();
  readonly #nested = new Fifo<Nested>();
  #isDelivering = false;
  #state: 'open' | 'closed' = 'open';

  // V8 inlines what a message passes through, from here to the handler, up to a size in all: kept below it, since a message costs
  // half as much again beyond. For the same reason there is no `finally`.
  publish(message: TransportMessage, onNoResponders?: () => void): void | Promise<void> {
    if (this.#state === 'closed') throw closed();
    const receiver = this.#tree.match(message.subject);
    if (receiver === nobody) return onNoResponders?.();
    if (this.#isDelivering) return this.#deliverLater(message, receiver);
    this.#isDelivering = true;
    let waiting: void | Promise<void>;
    try {
      waiting = receiver.deliver(message);
    } catch (error) {
      this.#isDelivering = false;
      throw error;
    }
    this.#isDelivering = false;
    if (this.#nested.length > 0) this.#deliverNested();
    return waiting;
  }

  subscribe(pattern: string, receiver: Receiver, queue: string | undefined): () => void {
    if (this.#state === 'closed') throw closed();
    const group = queue === undefined ? undefined : this.#groupOf(queue);
    const entry = { receiver, group };
    this.#tree.add(pattern, entry);
    if (group !== undefined) group.size++;
    let isSubscribed = true;
    return () => {
      if (!isSubscribed) return;
      isSubscribed = false;
      this.#tree.remove(pattern, entry);
      if (group !== undefined && --group.size === 0) this.#groups.delete(group.name);
    };
  }

  async flush(): Promise<void> {
    if (this.#state === 'closed') throw closed();
  }

  /** Nothing ever happens to it. */
  observe(): () => void {
    return () => undefined;
  }

  async close(): Promise<void> {
    this.#state = 'closed';
  }

  #deliverLater(message: TransportMessage, receiver: Receiver): Promise<void> {
    if (this.#nested.length >= maxNested) {
      throw new BusError(
        'BUS_OVERFLOW',
        `${maxNested} messages published from inside deliveries are waiting; give the handler a turn between them (await)`,
      );
    }
    return new Promise((resolve) => this.#nested.push({ message, receiver, resolve }));
  }

  #deliverNested(): void {
    this.#isDelivering = true;
    try {
      for (let next = this.#nested.shift(); next !== undefined; next = this.#nested.shift()) {
        next.resolve(next.receiver.deliver(next.message));
      }
    } finally {
      this.#isDelivering = false;
    }
  }

  #groupOf(name: string): QueueGroup {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { name, size: 0, turn: 0 };
      this.#groups.set(name, group);
    }
    return group;
  }
}

interface QueueGroup {
  readonly name: string;
  size: number;
  turn: number;
}

/** What a subject without subscribers matches. */
const nobody: Receiver = { hasRoom: false, deliver: () => undefined };

/** All that match, as one. Members of a group stand together, at the place of the first of them. */
function toReceiver(entries: readonly Entry[]): Receiver {
  const receivers: Receiver[] = [];
  const membersOf = new Map<QueueGroup, Receiver[]>();
  for (const { receiver, group } of entries) {
    const members = group === undefined ? undefined : membersOf.get(group);
    if (members !== undefined) members.push(receiver);
    else if (group === undefined) receivers.push(receiver);
    else {
      const own = [receiver];
      membersOf.set(group, own);
      receivers.push(groupReceiver(group, own));
    }
  }
  const [first = nobody] = receivers;
  return receivers.length < 2 ? first : new Fan(receivers);
}

/** Each message goes to the next member with room, in turn; when none has room, to whose turn it is. */
function groupReceiver(group: QueueGroup, members: readonly Receiver[]): Receiver {
  return {
    get hasRoom() {
      return members.some((member) => member.hasRoom);
    },
    deliver(message) {
      const start = group.turn++;
      let chosen = members[start % members.length];
      for (let step = 0; step < members.length; step++) {
        const member = members[(start + step) % members.length];
        if (member?.hasRoom) {
          chosen = member;
          break;
        }
      }
      return chosen?.deliver(message);
    },
  };
}

class Fan implements Receiver {
  readonly #receivers: readonly Receiver[];

  constructor(receivers: readonly Receiver[]) {
    this.#receivers = receivers;
  }

  get hasRoom(): boolean {
    return this.#receivers.every((receiver) => receiver.hasRoom);
  }

  deliver(message: TransportMessage): void | Promise<void> {
    const receivers = this.#receivers;
    let waiting: Promise<void>[] | undefined;
    for (let index = 0; index < receivers.length; index++) {
      const wait = receivers[index]?.deliver(message);
      if (wait !== undefined) {
        waiting ??= [];
        waiting.push(wait);
      }
    }
    if (waiting === undefined) return undefined;
    return waiting.length === 1 ? waiting[0] : Promise.all(waiting).then(() => undefined);
  }
}

function closed(): BusError {
  return new BusError('BUS_CLOSED', 'The memory transport is closed');
}
