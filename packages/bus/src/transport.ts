/** The contract between the bus and what carries its messages. */

export type Headers = Readonly<Record<string, string>>;

/** What travels. `reply` is the subject at which an answer is awaited. */
export interface TransportMessage {
  readonly subject: string;
  readonly data: unknown;
  readonly headers: Headers;
  readonly reply: string | undefined;
}

/** One subscription, as the transport sees it. */
export interface Receiver {
  /** False while a message would have to wait or be dropped: another member of the queue group is preferred then. */
  readonly hasRoom: boolean;
  /** Never throws. A promise means that the receiver asks the publisher to wait; it may reject with BUS_OVERFLOW. */
  deliver(message: TransportMessage): void | Promise<void>;
}

export interface Transport {
  /** For messages to people. */
  readonly name: string;
  readonly supports: {
    /** Data arrives as the very object that was published, before `publish` returns (unless from inside a delivery). */
    readonly references: boolean;
    /** `publish` waits for receivers that ask for it. */
    readonly backpressure: boolean;
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
  close(): Promise<void>;
}
