/** What the contract suite sends, and where it waits for what arrives. */
import { noHeaders, PublishedMessage } from './message.ts';
import type { Receiver, Transport, TransportMessage } from './transport.ts';

export interface Inbox {
  readonly arrived: readonly TransportMessage[];
  readonly unsubscribe: () => void;
  /** The message at `index`, once it is there. */
  arrival(index: number): Promise<TransportMessage>;
}

export function subscribe(transport: Transport, pattern: string, queue?: string, onMessage?: () => void): Inbox {
  const arrived: TransportMessage[] = [];
  const waiting = new Map<number, (message: TransportMessage) => void>();
  const unsubscribe = transport.subscribe(
    pattern,
    {
      hasRoom: true,
      deliver: (message) => {
        arrived.push(message);
        if ('settle' in message) message.settle('handled');
        onMessage?.();
        waiting.get(arrived.length - 1)?.(message);
      },
    },
    queue,
  );
  const arrival = (index: number): Promise<TransportMessage> => {
    const message = arrived[index];
    return message === undefined ? new Promise((resolve) => waiting.set(index, resolve)) : Promise.resolve(message);
  };
  return { arrived, unsubscribe, arrival };
}

export function messageTo(subject: string, data: unknown): TransportMessage {
  return new PublishedMessage(subject, data, noHeaders, undefined);
}

export function receiver(): Receiver {
  return { hasRoom: true, deliver: () => undefined };
}
