/** A message on its way through a hub, which reads its subject and hands on the rest as it is. */

export const bodyFlag = {
  /** Sent a second time, since nobody knows whether the first was received. */
  resent: 1,
  reply: 2,
  headers: 4,
  bytes: 8,
  /** The sender wants to know if nobody receives it. */
  wantsNobody: 16,
} as const;

/** What a publisher has encoded. It is good until its publisher encodes the next: `kept` lasts. */
export interface Body {
  readonly subject: string;
  readonly size: number;
  /** Whether the publisher wants to know if nobody receives it. */
  readonly wantsNobody: boolean;
  write(into: Buffer, at: number): void;
  kept(): BodySlice;
}

/** A body within bytes that nobody changes any more. */
export class BodySlice implements Body {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  get subject(): string {
    return subjects.read(this.bytes, this.start);
  }

  get size(): number {
    return this.end - this.start;
  }

  get wantsNobody(): boolean {
    return ((this.bytes[this.start] ?? 0) & bodyFlag.wantsNobody) !== 0;
  }

  write(into: Buffer, at: number): void {
    this.bytes.copy(into, at, this.start, this.end);
  }

  kept(): this {
    return this;
  }

  /** In bytes of its own: a few of them, kept for long, would keep all that they lie among. */
  alone(): BodySlice {
    if (this.size === this.bytes.length) return this;
    return new BodySlice(Buffer.from(this.bytes.subarray(this.start, this.end)), 0, this.size);
  }
}

/** The subject of a body, without decoding the rest. */
class SubjectReader {
  #lastBytes: Buffer = Buffer.alloc(0);
  #lastSubject = '';

  read(bytes: Buffer, start: number): string {
    const length = readUint16(bytes, start + 1);
    const from = start + 3;
    const last = this.#lastBytes;
    if (length === last.length && isSame(bytes, from, last)) return this.#lastSubject;
    this.#lastBytes = Buffer.from(bytes.subarray(from, from + length));
    this.#lastSubject = bytes.toString('utf8', from, from + length);
    return this.#lastSubject;
  }
}

const subjects = new SubjectReader();

/** Subjects are short, and seldom differ: a call into native code would cost more than looking at each byte. */
export function isSame(bytes: Buffer, start: number, other: Buffer): boolean {
  for (let index = 0; index < other.length; index++) if (bytes[start + index] !== other[index]) return false;
  return true;
}

export function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}
