/** What a hub and its sessions are to each other. A session is one peer: behind a wire (`hub-session.ts`), or in the hub's own thread. */
import type { Body, BodySlice } from './body.ts';
import type { BodyDecoder, Dictionary } from './codec.ts';
import type { HubLimits } from './limits.ts';
import type { LossReason } from './transport.ts';

/** One message of one sender, until all who get it have it. */
export interface Passage {
  readonly sender: Session;
  readonly number: number;
  /** In bytes, of its body. */
  readonly size: number;
  pending: number;
}

export interface Member {
  readonly session: Session;
  readonly id: number;
  readonly queue: string | undefined;
}

export interface Session {
  readonly id: string;
  readonly name: string;
  /** Its number at this hub. */
  readonly origin: number;
  readonly isConnected: boolean;
  /** It has told all its subscriptions since it was connected last. */
  readonly isReady: boolean;
  /** It had a subscription, and would come back to listen should the hub die. */
  readonly isListener: boolean;
  readonly mayReceive: boolean;
  /** Messages that it has not acknowledged, */
  readonly load: number;
  /** and their bytes. */
  readonly waitingBytes: number;
  /** By half: what is published next must find room as well. */
  readonly isFull: boolean;
  /** The shapes of objects in what it publishes. */
  readonly dictionary: Dictionary;
  readonly decoder: BodyDecoder;
  /** @param group  the members of the queue group that it is given to as one of, and how many were before it */
  send(passage: Passage, ids: readonly number[], group: readonly Member[] | undefined, tries: number, body: Body): void;
  /** What it published has reached all it was for, or is counted as lost. */
  complete(passage: Passage): void;
  countLost(passage: Passage, reason: LossReason): void;
  /** Nobody was there for what it published. */
  tellNobody(number: number): void;
  tellListener(listener: string, listens: boolean): void;
  /** Of what `sender` published, the numbers that are on their way to this peer. */
  openOf(sender: Session): readonly number[];
  end(reason: LossReason): void;
}

/** What a session needs of its hub. */
export interface SessionHost {
  readonly id: string;
  readonly limits: Required<HubLimits>;
  /** False while it passes on only what there is room for, and nothing is too much. */
  readonly mayDrop: boolean;
  /** Sessions that have subscriptions. */
  readonly listeners: readonly string[];
  subscribe(pattern: string, member: Member): void;
  unsubscribe(pattern: string, member: Member): void;
  /** @param isBrought  the sender returned with it, and with as much as its window holds */
  publish(sender: Session, number: number, body: Body, isBrought: boolean): void;
  /** The member with the least in hand; `undefined` when there is none but `except`. */
  choose(group: readonly Member[], except: Session | undefined): Member | undefined;
  /** Members of the same group that are there now. */
  currentGroup(subject: string, queue: string | undefined): readonly Member[] | undefined;
  /** Of what `sender` published, the numbers that are on their way to anyone, or held. */
  openOf(sender: Session): readonly number[];
  /** It has told all its subscriptions, of which there are some or none. */
  ready(session: Session): void;
  /** It has a subscription, its first. */
  listens(session: Session): void;
  forget(session: Session, undelivered: number): void;
  tellSlow(session: Session): void;
  /** It has taken something in, or is gone. */
  roomMade(): void;
}

/** A message on its way to one peer, as it was sent. */
export interface Sending {
  readonly passage: Passage;
  readonly group: readonly Member[] | undefined;
  readonly tries: number;
}

/** A message of a queue group is given to this many members before it counts as lost. */
const maxGroupTries = 8;

/** What its peer will not take: a message of a queue group goes to another member; any other is lost with whom it was for. */
export function passToAnother(
  host: SessionHost,
  { passage, group, tries }: Sending,
  body: BodySlice | undefined,
  except: Session,
  reason: LossReason,
): void {
  const others = group && body && host.currentGroup(body.subject, group[0]?.queue);
  const member = others && tries < maxGroupTries ? host.choose(others, except) : undefined;
  if (body === undefined || member === undefined) {
    passage.sender.countLost(passage, reason);
    return;
  }
  member.session.send(passage, [member.id], others, tries + 1, body);
  settle(passage);
}

export function settle(passage: Passage): void {
  if (--passage.pending === 0) passage.sender.complete(passage);
}

/** Half of what a sender may have on its way. */
const maxPeerMessages = 32_768;

/** How much is on its way to one peer, within the bounds of its hub. */
export class PeerRoom {
  readonly #host: SessionHost;
  readonly #session: Session;
  #isSlow = false;
  bytes = 0;
  messages = 0;

  constructor(host: SessionHost, session: Session) {
    this.#host = host;
    this.#session = session;
  }

  get isFull(): boolean {
    return this.bytes * 2 >= this.#host.limits.maxPeerBytes || this.messages * 2 >= maxPeerMessages;
  }

  /** Whether a message must be dropped for want of room. Whoever has nothing on its way can take one of any size. */
  refuses(size: number): boolean {
    const { maxPeerBytes } = this.#host.limits;
    if (this.messages === 0 || (this.bytes + size <= maxPeerBytes && this.messages < maxPeerMessages)) return false;
    return this.#host.mayDrop && !this.#mayTakeMore();
  }

  enter(size: number): void {
    this.bytes += size;
    this.messages++;
  }

  leave(size: number): void {
    this.bytes -= size;
    this.messages--;
    if (this.#isSlow && this.bytes * 2 < this.#host.limits.maxPeerBytes) this.#isSlow = false;
    this.#host.roomMade();
  }

  #mayTakeMore(): boolean {
    if (!this.#isSlow) {
      this.#isSlow = true;
      this.#host.tellSlow(this.#session);
    }
    return this.#host.limits.onSlowPeer === 'wait';
  }
}
