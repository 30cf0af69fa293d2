/** The contract between the bus and what carries its messages. */

/** What goes with a message beside its data, by name. */
export type Headers = Readonly<Record<string, string>>;

/** What travels. `reply` is the subject at which an answer is awaited. */
export interface TransportMessage {
  readonly subject: string;
  readonly data: unknown;
  readonly headers: Headers;
  readonly reply: string | undefined;
}

/** How it ended for one message: its handler is through, its handler failed, or nobody took it in. */
export type Outcome = 'handled' | 'failed' | 'dropped';

/** A message of which the transport wants to know how it ended, over transports that support acknowledgement. */
export interface TrackedMessage extends TransportMessage {
  /** Called once. Until then the message is in hand: should this process die, another member of the group gets it. */
  settle(outcome: Outcome): void;
}

/** A tracked message that is ours for a time only, over durable transports. */
export interface LeasedMessage extends TrackedMessage {
  /** Asked when the message is about to be handed over. False when its time is up: somebody else has it, or will. */
  begin(): boolean;
}

/** What happens to a transport, told to `Bus.status()`. */
export type TransportStatus =
  /** The connection is lost, and tried anew. */
  | { readonly type: 'disconnected'; readonly error: Error | undefined }
  | { readonly type: 'reconnected' }
  /** Messages of ours that were not delivered, or of which nobody can know. */
  | { readonly type: 'lost'; readonly count: number; readonly reason: LossReason }
  /** Durable modes: nobody could handle it in `maxDeliveries` tries; it was published to `to`. */
  | { readonly type: 'deadLettered'; readonly subject: string; readonly to: string; readonly deliveries: number }
  /**
   * Durable modes: it was in hand without a sign of life for longer than the server waits, since the process was stopped or its event
   * loop held up; so another was given it as well. `outcome` is what became of it here.
   */
  | { readonly type: 'overdue'; readonly subject: string; readonly outcome: Outcome }
  /** The transport itself failed in the background. */
  | { readonly type: 'transportFailed'; readonly error: unknown };

/**
 * `peerGone`: the subscriber died, or stayed away too long · `slowPeer`: the subscriber was over its bound ·
 * `closed`: this transport, or the subscriber's, was closed before all was through.
 */
export type LossReason = 'peerGone' | 'slowPeer' | 'closed';

/** One subscription, as the transport sees it. */
export interface Receiver {
  /** False while a message would have to wait or be dropped: another member of the queue group is preferred then. */
  readonly hasRoom: boolean;
  /** Never throws. A promise means that the receiver asks the publisher to wait; it may reject with BUS_OVERFLOW. */
  deliver(message: TransportMessage | TrackedMessage | LeasedMessage): void | Promise<void>;
}

export interface Transport {
  /** For messages to people. */
  readonly name: string;
  readonly supports: {
    /** Data arrives as the very object that was published, before `publish` returns (unless from inside a delivery). */
    readonly references: boolean;
    /** `publish` waits for receivers that ask for it. */
    readonly backpressure: boolean;
    /** Messages to queue groups, or to durable subjects, are tracked until they are handled. */
    readonly acknowledgement: boolean;
  };
  /**
   * Hands the message to every matching receiver, and to one of each queue group.
   * @param onNoResponders  called when the transport learns that nobody was there to receive it
   * @throws {BusError} BUS_INVALID_SUBJECT · BUS_CLOSED
   */
  publish(message: TransportMessage, onNoResponders?: () => void): void | Promise<void>;
  /**
   * The receiver gets every matching message from now on, until the returned function is called.
   * @param queue  a group of which one member gets each message
   * @throws {BusError} BUS_INVALID_SUBJECT · BUS_CLOSED
   */
  subscribe(pattern: string, receiver: Receiver, queue: string | undefined): () => void;
  /** Resolves when all that was published and subscribed before has reached whoever passes it on. */
  flush(): Promise<void>;
  /** The listener hears of everything that happens from now on, until the returned function is called. */
  observe(listener: (status: TransportStatus) => void): () => void;
  /** Lets go of what it opened; what is not through by then is told as lost. Idempotent. */
  close(): Promise<void>;
}
