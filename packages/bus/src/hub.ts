/**
 * The middle of a star: peers send it what they publish, it passes that on to the peers whose patterns match. Each direction is a
 * numbered row of parcels which the other side acknowledges, so a peer that comes back after a cut gets exactly what
 * it has not had, and a sender learns what became of each message: received by all (or handled, in a queue group), or lost.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { bodyFlag, type Dictionary, SubjectReader } from './codec.ts';
import { BusError } from './errors.ts';
import { Fifo } from './fifo.ts';
import { SubjectTree } from './subject-tree.ts';
import type { LossReason } from './transport.ts';
import {
  FrameReader,
  FrameWriter,
  frameHead,
  frameType,
  protocolVersion,
  Ranges,
  readJson,
  readRanges,
  readUint32,
  type Wire,
  writeUint32,
} from './wire.ts';

export interface HubLimits {
  /** A longer frame ends the connection that it comes over. @default 16 MiB */
  readonly maxFrameBytes?: number;
  /** Bytes on their way to one peer, which are at most 32,768 messages; less than a sender's window, so that a slow one is noticed first. @default 8 MiB */
  readonly maxPeerBytes?: number;
  /**
   * What is done with a message to a peer that is over `maxPeerBytes`: `drop` it and tell its sender, or let it `wait`, and so
   * hold up the senders once their own windows are full. @default 'drop'
   */
  readonly onSlowPeer?: 'drop' | 'wait';
  /** How long a peer whose connection was cut may take to come back, before what it missed is lost. @default 5_000 */
  readonly resumeMs?: number;
  /**
   * After a restart: how long returning peers are waited for before anything is passed on; who returns later misses what was passed
   * on before. What has gathered meanwhile is not dropped for a slow peer until a further `resumeMs` has passed. @default 500
   */
  readonly regatherMs?: number;
}

export type HubStatus =
  | { readonly type: 'peerJoined'; readonly peer: string }
  | { readonly type: 'peerLost'; readonly peer: string; readonly undelivered: number }
  | { readonly type: 'slowPeer'; readonly peer: string; readonly bytes: number }
  | { readonly type: 'peerRefused'; readonly reason: string };

interface Hello {
  readonly version: number;
  readonly token: string;
  readonly session: string;
  readonly name: string;
  /** The hub it was connected to before. */
  readonly hub: string | null;
  /** The number of the last parcel that it received here. */
  readonly received: number;
  /** Of these, what it has still in hand. */
  readonly inHand: readonly number[];
}

/** One message of one sender, until all who get it have it. */
interface Passage {
  readonly sender: HubSession;
  readonly number: number;
  pending: number;
}

/** One message on its way to one peer. */
interface Parcel {
  readonly passage: Passage;
  /** The whole frame. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  readonly bodyStart: number;
  readonly group: readonly Member[] | undefined;
  readonly tries: number;
}

/** A publish that waits, behind those that came before it. */
interface Held {
  readonly sender: HubSession;
  readonly number: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

interface Member {
  readonly session: HubSession;
  readonly id: number;
  readonly queue: string | undefined;
}

interface Route {
  readonly sessions: readonly { readonly session: HubSession; readonly ids: readonly number[] }[];
  readonly groups: readonly (readonly Member[])[];
}

/** Half of what a sender may have on its way. */
const maxPeerMessages = 32_768;

/** A message of a queue group is given to this many members before it counts as lost. */
const maxGroupTries = 8;

export class Hub {
  readonly id = randomBytes(8).toString('hex');
  readonly limits: Required<HubLimits>;
  readonly #token: Buffer;
  readonly #onStatus: (status: HubStatus) => void;
  readonly #sessions = new Map<string, HubSession>();
  readonly #tree = new SubjectTree<Member, Route>({ compile: toRoute });
  readonly #subjects = new SubjectReader();
  #nextOrigin = 1;
  #turn = 0;
  /** Publishes that wait for peers to return, and then for room; the windows of their senders bound them. */
  readonly #held = new Fifo<Held>();
  #release: 'at once' | 'later' | 'as there is room' = 'at once';
  #isPassingOn = false;
  #gathering: NodeJS.Timeout | undefined;
  #mayGather = true;

  constructor(token: string, limits: HubLimits, onStatus: (status: HubStatus) => void) {
    this.limits = resolveHubLimits(limits);
    this.#token = digest(token);
    this.#onStatus = onStatus;
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
      if (session !== undefined) session.hear(type, bytes, start, end);
      else session = this.#greet(wire, type, bytes, start, end);
    });
    return {
      push: (chunk) => reader.push(chunk),
      lost: (isFinal = false) => session?.lose(wire, isFinal),
    };
  }

  close(): void {
    clearTimeout(this.#gathering);
    this.#release = 'later';
    for (const session of [...this.#sessions.values()]) session.end('closed');
  }

  subscribe(pattern: string, member: Member): void {
    this.#tree.add(pattern, member);
  }

  unsubscribe(pattern: string, member: Member): void {
    this.#tree.remove(pattern, member);
  }

  forget(session: HubSession, undelivered: number): void {
    this.#sessions.delete(session.id);
    this.#onStatus({ type: 'peerLost', peer: session.name, undelivered });
  }

  tellSlow(session: HubSession): void {
    this.#onStatus({ type: 'slowPeer', peer: session.name, bytes: session.waitingBytes });
  }

  publish(sender: HubSession, number: number, bytes: Buffer, start: number, end: number): void {
    if (this.#release !== 'at once') this.#held.push({ sender, number, bytes, start, end });
    else this.#passOn(sender, number, bytes, start, end);
  }

  /** While it passes on only what there is room for, nothing is too much. */
  get mayDrop(): boolean {
    return this.#release === 'at once';
  }

  /** A peer has taken something in, or is gone. */
  roomMade(): void {
    if (this.#release === 'as there is room') this.#passOnHeld();
  }

  /** To a member with the least in hand; `undefined` when all have been tried or are gone. */
  choose(group: readonly Member[], except: HubSession | undefined): Member | undefined {
    let chosen: Member | undefined;
    const start = this.#turn++;
    for (let step = 0; step < group.length; step++) {
      const member = group[(start + step) % group.length];
      if (member === undefined || member.session === except || !member.session.mayReceive) continue;
      if (chosen === undefined || member.session.load < chosen.session.load) chosen = member;
    }
    return chosen;
  }

  /** Members of the same group that are there now. */
  currentGroup(bytes: Buffer, bodyStart: number, queue: string | undefined): readonly Member[] | undefined {
    const { groups } = this.#tree.match(this.#subjects.read(bytes, bodyStart));
    return groups.find((group) => group[0]?.queue === queue);
  }

  #passOn(sender: HubSession, number: number, bytes: Buffer, start: number, end: number): void {
    const { sessions, groups } = this.#tree.match(this.#subjects.read(bytes, start));
    const passage: Passage = { sender, number, pending: 1 };
    for (let index = 0; index < sessions.length; index++) {
      const target = sessions[index];
      if (target !== undefined) target.session.send(passage, target.ids, undefined, 0, bytes, start, end);
    }
    for (const group of groups) {
      const member = this.choose(group, undefined);
      if (member !== undefined) member.session.send(passage, [member.id], group, 1, bytes, start, end);
    }
    if (passage.pending === 1 && (bytes[start] ?? 0) & bodyFlag.wantsNobody) sender.tellNobody(number);
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
    if (hello.hub !== null && hello.hub !== this.id) this.#gather();
    this.#mayGather &&= hello.hub !== null;
    let session = this.#sessions.get(hello.session);
    const isResumed = session !== undefined;
    if (session === undefined) {
      session = new HubSession(this, hello.session, hello.name, this.#nextOrigin++);
      this.#sessions.set(hello.session, session);
      this.#onStatus({ type: 'peerJoined', peer: hello.name });
    }
    session.connect(wire, isResumed, hello.received, hello.inHand, [...this.#sessions.values()]);
    return session;
  }

  /** Peers return one by one: what is passed on before the last has subscribed again would miss it. */
  #gather(): void {
    if (!this.#mayGather) return;
    this.#mayGather = false;
    this.#release = 'later';
    this.#gathering = setTimeout(() => {
      this.#gathering = setTimeout(() => {
        this.#release = 'at once';
        this.#passOnHeld();
      }, this.limits.resumeMs);
      this.#release = 'as there is room';
      this.#passOnHeld();
    }, this.limits.regatherMs);
  }

  /** The whole windows of the senders come at once: more than one peer may have on its way, and that doesn't make it a slow one. */
  #passOnHeld(): void {
    // A peer of this very thread may make room while something is passed on to it.
    if (this.#isPassingOn) return;
    this.#isPassingOn = true;
    while (this.#release === 'at once' || !this.#hasFullPeer) {
      const next = this.#held.shift();
      if (next === undefined) {
        clearTimeout(this.#gathering);
        this.#release = 'at once';
        break;
      }
      this.#passOn(next.sender, next.number, next.bytes, next.start, next.end);
    }
    this.#isPassingOn = false;
  }

  get #hasFullPeer(): boolean {
    for (const session of this.#sessions.values()) if (session.isFull) return true;
    return false;
  }
}

/** One peer as the hub knows it, through any number of connections. */
export class HubSession {
  readonly id: string;
  readonly name: string;
  readonly #hub: Hub;
  readonly #origin: number;
  readonly #subscriptions = new Map<number, { readonly pattern: string; readonly member: Member }>();
  readonly #parcels = new Map<number, Parcel>();
  readonly #acknowledged = new Ranges();
  /** Of other sessions: how many shapes of their dictionaries this peer was told. */
  readonly #announced = new Map<HubSession, number>();
  #dictionary: Dictionary = [];
  #wire: Wire | undefined;
  #writer: FrameWriter;
  #received = 0;
  #sent = 0;
  /** Of what it published, in all: told again after a cut, which may have swallowed what was told before. */
  readonly #lost = new Map<LossReason, number>();
  #isLossTold = true;
  #isSlow = false;
  #expiry: NodeJS.Timeout | undefined;
  #state: 'open' | 'ended' = 'open';
  waitingBytes = 0;

  constructor(hub: Hub, id: string, name: string, origin: number) {
    this.#hub = hub;
    this.id = id;
    this.name = name;
    this.#origin = origin;
    this.#writer = this.#newWriter();
  }

  get isConnected(): boolean {
    return this.#wire !== undefined;
  }

  get mayReceive(): boolean {
    return this.#wire !== undefined && this.#state === 'open';
  }

  /** Parcels that it has not acknowledged. */
  get load(): number {
    return this.#parcels.size;
  }

  /** By half: what is published next must find room as well. */
  get isFull(): boolean {
    return this.waitingBytes * 2 >= this.#hub.limits.maxPeerBytes || this.#parcels.size * 2 >= maxPeerMessages;
  }

  connect(
    wire: Wire,
    isResumed: boolean,
    received: number,
    inHand: readonly number[],
    all: readonly HubSession[],
  ): void {
    clearTimeout(this.#expiry);
    this.#wire?.end();
    this.#wire = wire;
    this.#announced.clear();
    this.#acknowledged.pairs.length = 0;
    this.#writer = this.#newWriter();
    this.#isLossTold = this.#lost.size === 0;
    const kept = new Set(inHand);
    if (isResumed) {
      for (const number of [...this.#parcels.keys()])
        if (number <= received && !kept.has(number)) this.#complete(number);
    }
    const open = isResumed ? all.flatMap((session) => session.openOf(this)) : [];
    const { maxFrameBytes } = this.#hub.limits;
    this.#writer.json(frameType.welcome, {
      hub: this.#hub.id,
      isResumed,
      received: this.#received,
      open,
      maxFrameBytes,
    });
    for (const [number, parcel] of [...this.#parcels]) if (number > received) this.#sendAgain(number, parcel);
  }

  hear(type: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case frameType.publish: {
        const number = bytes.readDoubleLE(start);
        this.#received = number;
        this.#hub.publish(this, number, bytes, start + 8, end);
        return;
      }
      case frameType.acknowledge:
        readRanges(bytes, start, end, (number) => this.#complete(number));
        return;
      case frameType.decline:
        readRanges(bytes, start, end, (number) => this.#passToAnother(number, this, 'peerGone'));
        return;
      case frameType.dictionary:
        this.#dictionary = readJson(bytes, start, end) as Dictionary;
        return;
      case frameType.subscribe:
        this.#subscribe(readJson(bytes, start, end));
        return;
      case frameType.unsubscribe:
        this.#unsubscribe(readUint32(bytes, start));
        return;
      case frameType.ping:
        // What was settled before the question is told before the answer.
        this.#beforeFlush(this.#writer);
        bytes.copy(this.#writer.chunk, this.#writer.begin(frameType.pong, end - start), start, end);
        return;
      case frameType.pong:
        return;
      case frameType.bye:
        this.end('peerGone');
        return;
      default:
        throw new BusError('BUS_PROTOCOL', `A peer sent a frame of type ${type}, which means nothing to a hub`);
    }
  }

  send(
    passage: Passage,
    ids: readonly number[],
    group: readonly Member[] | undefined,
    tries: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): void {
    const size = 8 + 4 + 8 + 2 + 2 + ids.length * 4 + end - start;
    passage.pending++;
    // Jobs of a group are never dropped: they hold their sender up once its window is full.
    if (group === undefined && this.#isOver(size) && this.#hub.mayDrop && !this.#mayTakeMore()) {
      passage.sender.#countLost(passage, 'slowPeer');
      return;
    }
    const { sender } = passage;
    if (this.#announced.get(sender) !== sender.#dictionary.length) this.#announce(sender);
    const number = ++this.#sent;
    const writer = this.#writer;
    const at = writer.begin(frameType.deliver, size);
    const { chunk } = writer;
    chunk.writeDoubleLE(number, at);
    writeUint32(chunk, sender.#origin, at + 8);
    chunk.writeDoubleLE(passage.number, at + 12);
    chunk.writeUInt16LE(group === undefined ? 0 : 1, at + 20);
    chunk.writeUInt16LE(ids.length, at + 22);
    let next = at + 24;
    for (let index = 0; index < ids.length; index++) {
      writeUint32(chunk, ids[index] ?? 0, next);
      next += 4;
    }
    bytes.copy(chunk, next, start, end);
    const frameStart = at - frameHead;
    this.#parcels.set(number, {
      passage,
      bytes: chunk,
      start: frameStart,
      end: at + size,
      bodyStart: next,
      group,
      tries,
    });
    this.waitingBytes += size + frameHead;
  }

  complete(number: number): void {
    if (this.#state === 'ended') return;
    this.#acknowledged.add(number);
    this.#writer.schedule();
  }

  tellNobody(number: number): void {
    if (this.#wire === undefined) return;
    const at = this.#writer.begin(frameType.nobody, 8);
    this.#writer.chunk.writeDoubleLE(number, at);
  }

  /** Of what `sender` published, the numbers that are on their way to this peer. */
  openOf(sender: HubSession): readonly number[] {
    const numbers: number[] = [];
    for (const { passage } of this.#parcels.values()) if (passage.sender === sender) numbers.push(passage.number);
    return numbers;
  }

  /** Its connection is gone. It may come back, unless that is known to be impossible. */
  lose(wire: Wire, isFinal: boolean): void {
    if (this.#wire !== wire || this.#state === 'ended') return;
    this.#wire = undefined;
    if (isFinal) this.end('peerGone');
    else this.#expiry = setTimeout(() => this.end('peerGone'), this.#hub.limits.resumeMs);
  }

  end(reason: LossReason): void {
    if (this.#state === 'ended') return;
    this.#writer.flush();
    this.#state = 'ended';
    clearTimeout(this.#expiry);
    this.#wire?.end();
    this.#wire = undefined;
    for (const id of [...this.#subscriptions.keys()]) this.#unsubscribe(id);
    const undelivered = this.#parcels.size;
    for (const number of [...this.#parcels.keys()]) this.#passToAnother(number, this, reason);
    this.#hub.forget(this, undelivered);
  }

  #newWriter(): FrameWriter {
    const writer: FrameWriter = new FrameWriter(
      (chunk) => this.#wire?.write(chunk),
      () => this.#beforeFlush(writer),
    );
    return writer;
  }

  #beforeFlush(writer: FrameWriter): void {
    if (this.#wire === undefined || writer !== this.#writer) return;
    // Losses go first: a hub that dies between the two would else have settled a message whose loss nobody hears of.
    if (!this.#isLossTold) for (const [reason, total] of this.#lost) writer.json(frameType.lost, { reason, total });
    this.#isLossTold = true;
    this.#acknowledged.writeTo(writer, frameType.acknowledge);
  }

  /** Whoever has nothing on its way can take one message of any size. */
  #isOver(size: number): boolean {
    if (this.#parcels.size === 0) return false;
    return this.waitingBytes + size > this.#hub.limits.maxPeerBytes || this.#parcels.size >= maxPeerMessages;
  }

  #mayTakeMore(): boolean {
    if (!this.#isSlow) {
      this.#isSlow = true;
      this.#hub.tellSlow(this);
    }
    return this.#hub.limits.onSlowPeer === 'wait';
  }

  #announce(sender: HubSession): void {
    this.#announced.set(sender, sender.#dictionary.length);
    this.#writer.json(frameType.origin, { origin: sender.#origin, id: sender.id, dictionary: sender.#dictionary });
  }

  #sendAgain(number: number, parcel: Parcel): void {
    const { sender } = parcel.passage;
    if (this.#announced.get(sender) !== sender.#dictionary.length) this.#announce(sender);
    const start = this.#writer.copy(parcel.bytes, parcel.start, parcel.end);
    this.#parcels.set(number, {
      ...parcel,
      bytes: this.#writer.chunk,
      start,
      end: start + parcel.end - parcel.start,
      bodyStart: start + parcel.bodyStart - parcel.start,
    });
  }

  #complete(number: number): void {
    const parcel = this.#take(number);
    if (parcel !== undefined) settle(parcel.passage);
  }

  #take(number: number): Parcel | undefined {
    const parcel = this.#parcels.get(number);
    if (parcel === undefined) return undefined;
    this.#parcels.delete(number);
    this.waitingBytes -= parcel.end - parcel.start;
    if (this.#isSlow && this.waitingBytes * 2 < this.#hub.limits.maxPeerBytes) this.#isSlow = false;
    this.#hub.roomMade();
    return parcel;
  }

  /** A message of a queue group goes to another member; any other is lost with whom it was for. */
  #passToAnother(number: number, except: HubSession, reason: LossReason): void {
    const parcel = this.#take(number);
    if (parcel === undefined) return;
    const { passage, bytes, bodyStart, end, group, tries } = parcel;
    const others = group && this.#hub.currentGroup(bytes, bodyStart, group[0]?.queue);
    const member = others && tries < maxGroupTries ? this.#hub.choose(others, except) : undefined;
    if (member === undefined) {
      passage.sender.#countLost(passage, reason);
      return;
    }
    member.session.send(passage, [member.id], others, tries + 1, bytes, bodyStart, end);
    settle(passage);
  }

  #countLost(passage: Passage, reason: LossReason): void {
    this.#lost.set(reason, (this.#lost.get(reason) ?? 0) + 1);
    this.#isLossTold = false;
    settle(passage);
    this.#writer.schedule();
  }

  #subscribe(value: unknown): void {
    const { id, pattern, queue } = value as { id: number; pattern: string; queue: string | null };
    if (this.#subscriptions.has(id)) return;
    const member: Member = { session: this, id, queue: queue ?? undefined };
    this.#hub.subscribe(pattern, member);
    this.#subscriptions.set(id, { pattern, member });
  }

  #unsubscribe(id: number): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return;
    this.#subscriptions.delete(id);
    this.#hub.unsubscribe(subscription.pattern, subscription.member);
  }
}

function settle(passage: Passage): void {
  if (--passage.pending === 0) passage.sender.complete(passage.number);
}

/** A peer with several matching subscriptions gets the message once, with the ids of all of them. */
function toRoute(members: readonly Member[]): Route {
  const ids = new Map<HubSession, number[]>();
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
  const { version, token, session, name, hub, received, inHand } = value as Partial<Record<keyof Hello, unknown>>;
  const isText = [token, session, name].every((each) => typeof each === 'string');
  const isNumbered = typeof version === 'number' && typeof received === 'number' && Array.isArray(inHand);
  return isText && isNumbered && (hub === null || typeof hub === 'string');
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function resolveHubLimits(limits: HubLimits): Required<HubLimits> {
  const {
    maxFrameBytes = 16_777_216,
    maxPeerBytes = 8_388_608,
    onSlowPeer = 'drop',
    resumeMs = 5_000,
    regatherMs = 500,
  } = limits;
  for (const [name, value] of Object.entries({ maxFrameBytes, maxPeerBytes, resumeMs, regatherMs })) {
    if (!(value >= 0 && value <= 2_147_483_647)) {
      throw new RangeError(`Expected \`${name}\` to be from 0 to 2147483647, got \`${value}\` (${typeof value})`);
    }
  }
  if (onSlowPeer !== 'drop' && onSlowPeer !== 'wait') {
    throw new TypeError(`Expected \`onSlowPeer\` to be drop or wait, got \`${onSlowPeer}\``);
  }
  return Object.freeze({ maxFrameBytes, maxPeerBytes, onSlowPeer, resumeMs, regatherMs });
}
