/**
 * The middle of a star: peers send it what they publish, it passes that on to the peers whose patterns match. Each direction is a
 * numbered row of parcels which the other side acknowledges, so a peer that comes back after a cut gets exactly what
 * it has not had, and a sender learns what became of each message: received by all (or handled, in a queue group), or lost.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Body, BodySlice } from './body.ts';
import { Easing } from './easing.ts';
import { BusError } from './errors.ts';
import { Gathering } from './gathering.ts';
import { HubSession } from './hub-session.ts';
import { type HubLimits, resolveHubLimits } from './limits.ts';
import { type LocalPeer, LocalSession } from './local-session.ts';
import { type Member, type Passage, type Session, type SessionHost, settle } from './session.ts';
import { parseSubject } from './subject.ts';
import { SubjectTree } from './subject-tree.ts';
import { FrameReader, FrameWriter, frameType, type Hello, protocolVersion, readJson, type Wire } from './wire.ts';

/** What happens to the peers of a hub: they join, are lost with what they had not taken, are slow, or are refused. */
export type HubStatus =
  | { readonly type: 'peerJoined'; readonly peer: string }
  | { readonly type: 'peerLost'; readonly peer: string; readonly undelivered: number }
  | { readonly type: 'slowPeer'; readonly peer: string; readonly bytes: number }
  | { readonly type: 'peerRefused'; readonly reason: string };

/** A publish, until peers have returned. */
interface Held {
  readonly sender: Session;
  readonly number: number;
  readonly body: BodySlice;
}

interface Route {
  readonly sessions: readonly { readonly session: Session; readonly ids: readonly number[] }[];
  readonly groups: readonly (readonly Member[])[];
}

export class Hub implements SessionHost {
  readonly id = randomBytes(8).toString('hex');
  readonly limits: Required<HubLimits>;
  readonly #token: Buffer;
  readonly #onStatus: (status: HubStatus) => void;
  readonly #sessions = new Map<string, HubSession | LocalSession>();
  readonly #tree = new SubjectTree<Member, Route>({ compile: toRoute });
  #nextOrigin = 1;
  #turn = 0;
  #isClosed = false;
  #mayDrop = true;
  /** The windows of their senders bound what it holds, */
  readonly #gathering: Gathering<Held>;
  /** and what is held of one sender that returned to peers who have no room for all that it brought. */
  readonly #easings = new Map<Session, Easing<Held>>();

  constructor(token: string, limits: HubLimits, onStatus: (status: HubStatus) => void) {
    this.limits = resolveHubLimits(limits);
    this.#token = digest(token);
    this.#onStatus = onStatus;
    this.#gathering = new Gathering<Held>({
      waitMs: this.limits.regatherMs,
      forMs: this.limits.resumeMs,
      hasRoom: () => !this.#isAnyoneFull(),
      passOn: (held, mayDrop) => this.#passOnHeld(held, mayDrop),
      gaveUp: (listeners) => {
        for (const listener of listeners) this.#tellListener(listener, false);
      },
    });
  }

  /** Names of the peers that are connected. */
  get peers(): readonly string[] {
    return [...this.#sessions.values()].filter(({ isConnected }) => isConnected).map(({ name }) => name);
  }

  /** Bytes on their way to peers. */
  get waitingBytes(): number {
    let bytes = 0;
    for (const session of this.#sessions.values()) bytes += session.waitingBytes;
    return bytes;
  }

  /** Speaks with whoever is at the other end. Feed what comes to `push`; call `lost` when nothing more will. */
  accept(wire: Wire): { push(chunk: Buffer): void; lost(isFinal?: boolean): void } {
    let session: HubSession | undefined;
    const reader = new FrameReader(this.limits.maxFrameBytes, (type, bytes, start, end) => {
      if (session !== undefined) session.hear(wire, type, bytes, start, end);
      else session = this.#greet(wire, type, bytes, start, end);
    });
    return {
      push: (chunk) => reader.push(chunk),
      lost: (isFinal = false) => session?.lose(wire, isFinal),
    };
  }

  /** A peer of this very thread. @throws {BusError} BUS_CLOSED */
  join(peer: LocalPeer): LocalSession {
    if (this.#isClosed) throw new BusError('BUS_CLOSED', 'The hub is closed');
    const session = new LocalSession(this, this.#nextOrigin++, peer);
    this.#sessions.set(session.id, session);
    this.#onStatus({ type: 'peerJoined', peer: peer.name });
    return session;
  }

  close(): void {
    this.#isClosed = true;
    this.#gathering.close();
    for (const easing of this.#easings.values()) easing.close();
    this.#easings.clear();
    for (const session of [...this.#sessions.values()]) session.end('closed');
  }

  subscribe(pattern: string, member: Member): void {
    this.#tree.add(pattern, member);
  }

  unsubscribe(pattern: string, member: Member): void {
    this.#tree.remove(pattern, member);
  }

  get listeners(): readonly string[] {
    const here = [...this.#sessions.values()].filter(({ isListener }) => isListener).map(({ id }) => id);
    // Should this hub die as well, the next one has to wait for them too.
    return [...new Set([...here, ...this.#gathering.expected])];
  }

  listens(session: Session): void {
    this.#tellListener(session.id, true);
  }

  ready(session: Session): void {
    this.#gathering.arrived(session.id);
  }

  openOf(sender: Session): readonly number[] {
    const numbers = [...this.#sessions.values()].flatMap((session) => session.openOf(sender));
    for (const held of this.#gathering.held()) if (held.sender === sender) numbers.push(held.number);
    for (const held of this.#easings.get(sender)?.held() ?? []) numbers.push(held.number);
    return numbers;
  }

  forget(session: Session, undelivered: number): void {
    this.#sessions.delete(session.id);
    if (session.isListener) this.#tellListener(session.id, false);
    this.#gathering.arrived(session.id);
    this.#onStatus({ type: 'peerLost', peer: session.name, undelivered });
  }

  tellSlow(session: Session): void {
    this.#onStatus({ type: 'slowPeer', peer: session.name, bytes: session.waitingBytes });
  }

  publish(sender: Session, number: number, body: Body, isBrought: boolean): void {
    if ((isBrought || this.#easings.size > 0) && this.#mustEase(sender, body, isBrought)) {
      this.#ease(toHeld(sender, number, body));
    } else if (this.#gathering.isHolding) this.#gathering.hold(toHeld(sender, number, body));
    else this.#passOn(sender, number, body);
  }

  get mayDrop(): boolean {
    return this.#mayDrop;
  }

  roomMade(): void {
    this.#gathering.roomMade();
    if (this.#easings.size > 0) for (const easing of this.#easings.values()) easing.roomMade();
  }

  choose(group: readonly Member[], except: Session | undefined): Member | undefined {
    let chosen: Member | undefined;
    const start = this.#turn++;
    for (let step = 0; step < group.length; step++) {
      const member = group[(start + step) % group.length];
      if (member === undefined || member.session === except || !member.session.mayReceive) continue;
      if (chosen === undefined || member.session.load < chosen.session.load) chosen = member;
    }
    return chosen;
  }

  currentGroup(subject: string, queue: string | undefined): readonly Member[] | undefined {
    const { groups } = this.#tree.match(subject);
    return groups.find((group) => group[0]?.queue === queue);
  }

  /** Whether it stands behind what is held of the same sender, or is the first of what it brought that finds no room. */
  #mustEase(sender: Session, body: Body, isBrought: boolean): boolean {
    if (this.#easings.has(sender)) return true;
    return isBrought && !this.#gathering.isHolding && !this.#hasRoom(body.subject);
  }

  #ease(held: Held): void {
    const { sender } = held;
    const present = this.#easings.get(sender);
    if (present !== undefined) {
      present.hold(held);
      return;
    }
    const easing = new Easing<Held>({
      forMs: this.limits.resumeMs,
      hasRoom: ({ body }) => this.#hasRoom(body.subject),
      passOn: (next, mayDrop) => {
        if (this.#gathering.isHolding) this.#gathering.hold(next);
        else this.#passOnHeld(next, mayDrop);
      },
      over: () => this.#easings.delete(sender),
    });
    this.#easings.set(sender, easing);
    easing.hold(held);
    easing.start();
  }

  #hasRoom(subject: string): boolean {
    return this.#tree.match(subject).sessions.every(({ session }) => !session.isFull);
  }

  #passOnHeld({ sender, number, body }: Held, mayDrop: boolean): void {
    this.#mayDrop = mayDrop;
    try {
      this.#passOn(sender, number, body);
    } finally {
      this.#mayDrop = true;
    }
  }

  #passOn(sender: Session, number: number, body: Body): void {
    const { sessions, groups } = this.#tree.match(body.subject);
    const passage: Passage = { sender, number, size: body.size, pending: 1 };
    for (let index = 0; index < sessions.length; index++) {
      const target = sessions[index];
      if (target !== undefined) target.session.send(passage, target.ids, undefined, 0, body);
    }
    for (const group of groups) {
      const member = this.choose(group, undefined);
      if (member !== undefined) member.session.send(passage, [member.id], group, 1, body);
    }
    if (passage.pending === 1 && body.wantsNobody) sender.tellNobody(number);
    settle(passage);
  }

  #greet(wire: Wire, type: number, bytes: Buffer, start: number, end: number): HubSession | undefined {
    const refuse = (reason: string) => {
      const writer = new FrameWriter(
        (chunk) => wire.write(chunk),
        () => undefined,
      );
      writer.json(frameType.refused, { reason });
      writer.flush();
      wire.end();
      this.#onStatus({ type: 'peerRefused', reason });
      return undefined;
    };
    if (type !== frameType.hello) return refuse('the first frame was no greeting');
    const hello = readJson(bytes, start, end);
    if (!isHello(hello)) return refuse('the greeting is malformed');
    if (hello.version !== protocolVersion) {
      return refuse(`it speaks version ${hello.version} of the protocol, this hub ${protocolVersion}`);
    }
    if (!timingSafeEqual(digest(hello.token), this.#token)) return refuse('its token is not the one of this hub');
    if (hello.hub !== null && hello.hub !== this.id) {
      const away = hello.listeners.filter((id) => this.#sessions.get(id)?.isReady !== true);
      this.#gathering.expect(away);
      if (this.#gathering.isHolding) for (const listener of away) this.#tellListener(listener, true);
    }
    const known = this.#sessions.get(hello.session);
    if (known instanceof LocalSession) return refuse('its session is one of the thread that the hub is in');
    let session = known;
    const isResumed = session !== undefined && hello.hub === this.id;
    if (session === undefined) {
      session = new HubSession(this, hello.session, hello.name, this.#nextOrigin++);
      this.#sessions.set(hello.session, session);
      this.#onStatus({ type: 'peerJoined', peer: hello.name });
    }
    session.connect(wire, isResumed, hello);
    return session;
  }

  #tellListener(listener: string, listens: boolean): void {
    for (const session of this.#sessions.values()) session.tellListener(listener, listens);
  }

  #isAnyoneFull(): boolean {
    for (const session of this.#sessions.values()) if (session.isFull) return true;
    return false;
  }
}

function toHeld(sender: Session, number: number, body: Body): Held {
  const held = { sender, number, body: body.kept() };
  // What can't be read is its sender's fault, whose connection is ended by this; later nobody would be there to blame.
  parseSubject(held.body.subject);
  return held;
}

/** A peer with several matching subscriptions gets the message once, with the ids of all of them. */
function toRoute(members: readonly Member[]): Route {
  const ids = new Map<Session, number[]>();
  const groups = new Map<string, Member[]>();
  for (const member of members) {
    if (member.queue !== undefined) {
      const group = groups.get(member.queue);
      if (group === undefined) groups.set(member.queue, [member]);
      else group.push(member);
      continue;
    }
    const own = ids.get(member.session);
    if (own === undefined) ids.set(member.session, [member.id]);
    else own.push(member.id);
  }
  return { sessions: [...ids].map(([session, own]) => ({ session, ids: own })), groups: [...groups.values()] };
}

function isHello(value: unknown): value is Hello {
  if (typeof value !== 'object' || value === null) return false;
  const { version, token, session, name, hub, listeners, received, inHand } = value as Partial<
    Record<keyof Hello, unknown>
  >;
  const isText = [token, session, name].every((each) => typeof each === 'string');
  const isNumbered =
    typeof version === 'number' && typeof received === 'number' && Array.isArray(inHand) && Array.isArray(listeners);
  return isText && isNumbered && (hub === null || typeof hub === 'string');
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
