/** Publish, subscribe and request by subject. */
export { type Bus, type BusOptions, createBus, type PublishOptions } from './bus.ts';
export { BusError, type BusErrorCode, RequestError } from './errors.ts';
export type { LatencyOptions, LatencySummary } from './latency.ts';
export type { OverflowPolicy } from './mailbox.ts';
export { memoryTransport } from './memory.ts';
export type { Message } from './message.ts';
export {
  type PeerClock,
  type PeerEvent,
  type PeerWatch,
  type WatchPeersOptions,
  watchPeers,
} from './peers.ts';
export type { RequestManyOptions, RequestOptions } from './request.ts';
export { SeenFilter, type SeenFilterOptions } from './seen-filter.ts';
export type { BusStatus } from './status.ts';
export { subjectMatches } from './subject.ts';
export type { Handler, SubscribeOptions, Subscription } from './subscription.ts';
export type {
  Headers,
  LossReason,
  Outcome,
  Receiver,
  TrackedMessage,
  Transport,
  TransportMessage,
  TransportStatus,
} from './transport.ts';
