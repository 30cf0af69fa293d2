/**
 * A message as bytes: flags, subject, reply, headers, payload. Payloads are MessagePack, or bytes as they are. The shapes
 * of objects that recur are written once, into the dictionary of their sender, and every reader decodes with the very dictionary
 * of the sender: dictionaries that two peers fill on their own would let one read garbage.
 */
import { Packr, Unpackr } from 'msgpackr';
import { type Body, BodySlice, bodyFlag, isSame, readUint16 } from './body.ts';
import { BusError } from './errors.ts';
import { noHeaders } from './message.ts';
import { parseSubject } from './subject.ts';
import type { Headers, TransportMessage } from './transport.ts';

/** A dictionary is the lists of keys of its shapes; it only grows, up to 32. */
export type Dictionary = readonly (readonly string[])[];

interface SharedStructures extends Array<string[]> {
  sharedLength?: number;
}

const maxRememberedSubjects = 4_096;

/** A message about to be written: `size` bytes, by `write`. */
export class BodyEncoder implements Body {
  readonly #structures: SharedStructures = [];
  readonly #packr: Packr;
  readonly #subjects = new Map<string, Buffer>();
  #lastSubject: string | undefined;
  #lastBytes: Buffer = Buffer.alloc(0);
  #subject: Buffer = Buffer.alloc(0);
  #reply: Buffer | undefined;
  #headers: Buffer | undefined;
  #payload: Uint8Array = Buffer.alloc(0);
  #flags = 0;
  subject = '';
  size = 0;

  constructor() {
    this.#packr = new Packr({ structures: this.#structures, maxSharedStructures: 32 });
  }

  /** Shapes known so far. */
  get shapes(): number {
    return this.#structures.sharedLength ?? 0;
  }

  get dictionary(): Dictionary {
    return this.#structures.slice(0, this.shapes).map((keys) => [...keys]);
  }

  /** @throws {BusError} BUS_INVALID_SUBJECT; what MessagePack can't carry (a function, a symbol) throws as msgpackr does */
  prepare(message: TransportMessage, wantsNobody: boolean): void {
    const { subject, data, headers, reply } = message;
    this.#subject = subject === this.#lastSubject ? this.#lastBytes : this.#encodeSubject(subject);
    this.subject = subject;
    let flags = wantsNobody ? bodyFlag.wantsNobody : 0;
    let size = 1 + this.#subject.length;
    this.#reply = undefined;
    this.#headers = undefined;
    if (reply !== undefined) {
      this.#reply = withLength(reply);
      flags |= bodyFlag.reply;
      size += this.#reply.length;
    }
    if (headers !== noHeaders && Object.keys(headers).length > 0) {
      this.#headers = withLength(JSON.stringify(headers));
      flags |= bodyFlag.headers;
      size += this.#headers.length;
    }
    if (data instanceof Uint8Array) {
      this.#payload = data;
      flags |= bodyFlag.bytes;
    } else {
      this.#payload = this.#packr.pack(data);
    }
    this.#flags = flags;
    this.size = size + this.#payload.length;
  }

  write(into: Buffer, start: number): void {
    let at = start;
    into[at++] = this.#flags;
    const subject = this.#subject;
    // A call into native code costs more than so few bytes.
    if (subject.length > 48) into.set(subject, at);
    else for (let index = 0; index < subject.length; index++) into[at + index] = subject[index] ?? 0;
    at += subject.length;
    if (this.#reply !== undefined) {
      into.set(this.#reply, at);
      at += this.#reply.length;
    }
    if (this.#headers !== undefined) {
      into.set(this.#headers, at);
      at += this.#headers.length;
    }
    into.set(this.#payload, at);
  }

  get wantsNobody(): boolean {
    return (this.#flags & bodyFlag.wantsNobody) !== 0;
  }

  /** @throws {BusError} BUS_MESSAGE_TOO_LARGE */
  checkFits(maxFrameBytes: number): void {
    if (this.size + 64 <= maxFrameBytes) return;
    throw new BusError(
      'BUS_MESSAGE_TOO_LARGE',
      `The message to ${JSON.stringify(this.subject)} takes ${this.size} bytes, over what the hub accepts in a frame (maxFrameBytes ${maxFrameBytes}); pass a path to a file instead, or raise the bound`,
    );
  }

  kept(): BodySlice {
    const bytes = Buffer.allocUnsafeSlow(this.size);
    this.write(bytes, 0);
    return new BodySlice(bytes, 0, this.size);
  }

  #encodeSubject(subject: string): Buffer {
    let bytes = this.#subjects.get(subject);
    if (bytes === undefined) {
      parseSubject(subject);
      bytes = withLength(subject);
      if (this.#subjects.size >= maxRememberedSubjects) this.#subjects.clear();
      this.#subjects.set(subject, bytes);
    }
    this.#lastSubject = subject;
    this.#lastBytes = bytes;
    return bytes;
  }
}

export interface DecodedBody {
  readonly subject: string;
  readonly data: unknown;
  readonly headers: Headers;
  readonly reply: string | undefined;
}

/** Decodes what one sender wrote. */
export class BodyDecoder {
  #unpackr: Unpackr;
  // Messages come in bursts of one subject; comparing bytes is cheaper than making the string again.
  #lastBytes: Buffer = Buffer.alloc(0);
  #lastSubject = '';

  constructor(dictionary: Dictionary) {
    this.#unpackr = unpackrFor(dictionary);
  }

  set dictionary(dictionary: Dictionary) {
    this.#unpackr = unpackrFor(dictionary);
  }

  decode(bytes: Buffer, start: number, end: number): DecodedBody {
    const flags = bytes[start] ?? 0;
    let at = start + 1;
    const length = readUint16(bytes, at);
    at += 2;
    const subject = this.#subjectAt(bytes, at, at + length);
    at += length;
    let reply: string | undefined;
    let headers = noHeaders;
    if (flags & bodyFlag.reply) {
      const size = readUint16(bytes, at);
      reply = bytes.toString('utf8', at + 2, at + 2 + size);
      at += 2 + size;
    }
    if (flags & bodyFlag.headers) {
      const size = readUint16(bytes, at);
      headers = Object.freeze(JSON.parse(bytes.toString('utf8', at + 2, at + 2 + size)));
      at += 2 + size;
    }
    const data = flags & bodyFlag.bytes ? bytes.subarray(at, end) : this.#unpackr.unpack(bytes, { start: at, end });
    return { subject, data, headers, reply };
  }

  #subjectAt(bytes: Buffer, start: number, end: number): string {
    const last = this.#lastBytes;
    if (end - start === last.length && isSame(bytes, start, last)) return this.#lastSubject;
    this.#lastBytes = Buffer.from(bytes.subarray(start, end));
    this.#lastSubject = bytes.toString('utf8', start, end);
    return this.#lastSubject;
  }
}

function unpackrFor(dictionary: Dictionary): Unpackr {
  return new Unpackr({ structures: dictionary.map((keys) => [...keys]), maxSharedStructures: 32 });
}

function withLength(text: string): Buffer {
  const length = Buffer.byteLength(text);
  if (length > 65_535) {
    throw new BusError('BUS_MESSAGE_TOO_LARGE', `A reply subject or headers of ${length} bytes; 65535 is the most`);
  }
  const bytes = Buffer.allocUnsafe(2 + length);
  bytes.writeUInt16LE(length, 0);
  bytes.write(text, 2);
  return bytes;
}
