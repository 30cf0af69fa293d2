/** Messages as NATS carries them: data as JSON, MessagePack or plain bytes, headers as its own, and what of ours travels in headers of theirs. */
import { type MsgHdrs, headers as newHeaders } from '@nats-io/transport-node';
import { Packr } from 'msgpackr';
import { noHeaders, PublishedMessage } from './message.ts';
import type { Headers, TransportMessage } from './transport.ts';

export type PayloadKind = 'json' | 'msgpack';

const replyHeader = 'Cadre-Reply';
const payloadHeader = 'Cadre-Payload';

export class NatsPayload {
  readonly #kind: PayloadKind;
  // Each message stands alone: any client may read it, at any time.
  readonly #packr = new Packr({ useRecords: false });

  /** @throws {TypeError} for a kind that is none */
  constructor(kind: PayloadKind) {
    if (kind !== 'json' && kind !== 'msgpack') {
      throw new TypeError(`Expected \`payload\` to be json or msgpack, got \`${kind}\``);
    }
    this.#kind = kind;
  }

  /** @param isStored  the server's own reply subject is taken, so ours travels as a header */
  encode({ data, headers, reply }: TransportMessage, isStored: boolean): [Uint8Array, MsgHdrs | undefined] {
    let encoded: MsgHdrs | undefined;
    const set = (name: string, value: string) => {
      encoded ??= newHeaders();
      encoded.set(name, value);
    };
    if (headers !== noHeaders) for (const [name, value] of Object.entries(headers)) set(name, value);
    if (isStored && reply !== undefined) set(replyHeader, reply);
    if (data instanceof Uint8Array) {
      set(payloadHeader, 'bytes');
      return [data, encoded];
    }
    if (this.#kind === 'msgpack') {
      set(payloadHeader, 'msgpack');
      return [Uint8Array.from(this.#packr.pack(data)), encoded];
    }
    // What JSON has no word for travels as nothing, as in JSON.stringify.
    return [Buffer.from(JSON.stringify(data) ?? ''), encoded];
  }

  /** @throws whatever MessagePack says about bytes that claim to be it and are not */
  decode({ subject, data, headers }: NatsMessage, reply: string | undefined): PublishedMessage {
    return new PublishedMessage(
      subject,
      this.#decodeData(data, headers?.get(payloadHeader)),
      headers === undefined ? noHeaders : readHeaders(headers),
      reply,
    );
  }

  #decodeData(bytes: Uint8Array, kind: string | undefined): unknown {
    if (kind === 'bytes') return bytes;
    if (kind === 'msgpack') return this.#packr.unpack(bytes);
    if (bytes.length === 0) return undefined;
    try {
      return JSON.parse(decodeText(bytes));
    } catch {
      // A stranger's message that is no JSON: its bytes are all that is known of it.
      return bytes;
    }
  }
}

/** Of a message of NATS, what makes one of ours: stored ones and others have it in common. */
export interface NatsMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: MsgHdrs | undefined;
}

/** Where answers to a stored message go. */
export function storedReply(headers: MsgHdrs | undefined): string | undefined {
  return headers?.get(replyHeader) || undefined;
}

/** @throws {TypeError} for bytes that are no UTF-8 */
function decodeText(bytes: Uint8Array): string {
  // Four times as fast for short texts as a decoder, but puts U+FFFD where it should throw.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  return text.includes('\uFFFD') ? utf8.decode(bytes) : text;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function readHeaders(encoded: MsgHdrs): Headers {
  const headers: Record<string, string> = {};
  for (const [name, [value]] of encoded) {
    if (value !== undefined && name !== payloadHeader && name !== replyHeader && !name.startsWith('Nats-')) {
      headers[name] = value;
    }
  }
  return Object.freeze(headers);
}
