/**
 * An entry: a value with its times and tags, and the envelope in which it leaves the process.
 *
 * The envelope, big-endian: version 1 B · codec 1 B · compression 1 B · flags 1 B (1 shareable, 2 key in UTF-16) ·
 * secret id 4 B · created, fresh until, expires 8 B each (doubles) · heap bytes 4 B · payload bytes before compression
 * 4 B · key bytes 4 B · tags bytes 4 B · key · tags (JSON) · payload · seal 32 B. The seal covers all before it. The
 * key is in it so that entries can be listed, verified and moved by those who don't know it.
 */
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { type EntryAddress, type Sealer, sealBytes, secretIdBytes } from './seal.ts';
import type { EntryTimes } from './staleness.ts';
import type { StoredEntry } from './store.ts';
import { type Codec, codecs, decodeValue, type EncodedValue, encodeValue } from './value.ts';

/** A tag and the generation of it that the entry belongs to: once the tag has another one, the entry counts for nothing. */
export type TagMark = readonly [tag: string, generation: string];

export class Entry implements StoredEntry, EntryTimes {
  readonly key: string;
  /** Undefined rather than empty, since each hit looks. */
  readonly tags: readonly TagMark[] | undefined;
  readonly createdAtMs: number;
  readonly freshUntilMs: number;
  readonly expiresAtMs: number;
  readonly codec: Codec;
  readonly shareable: boolean;
  readonly heapBytes: number;
  /** The encoded value, uncompressed. Let go once a decoded value takes its place. */
  bytes: Uint8Array;
  /** The frozen value all callers share; undefined until the first one asks, and always if it isn't shareable. */
  shared: unknown;

  constructor(key: string, times: EntryTimes, encoded: EncodedValue, tags?: readonly TagMark[]) {
    this.key = key;
    this.tags = tags === undefined || tags.length === 0 ? undefined : tags;
    this.createdAtMs = times.createdAtMs;
    this.freshUntilMs = times.freshUntilMs;
    this.expiresAtMs = times.expiresAtMs;
    this.codec = encoded.codec;
    this.shareable = encoded.shareable;
    this.heapBytes = encoded.heapBytes;
    this.bytes = encoded.payload;
    this.shared = undefined;
  }

  get heldBytes(): number {
    const tagBytes = this.tags === undefined ? 0 : this.tags.length * 128;
    return tagBytes + (this.shareable ? Math.max(this.heapBytes, this.bytes.byteLength) : this.bytes.byteLength);
  }

  value(): unknown {
    if (this.shared !== undefined) return this.shared;
    const value = decodeValue(this.codec, this.bytes, this.shareable);
    if (this.shareable) {
      this.shared = value;
      this.bytes = nothing;
    }
    return value;
  }

  /** The encoded value, again if it was let go. */
  payload(): Uint8Array {
    return this.bytes === nothing ? encodeValue(this.shared).payload : this.bytes;
  }
}

/** Why what stands in a store is not taken for an entry: too short, of another format, sealed by no secret known here, altered or moved, or no value once unsealed. */
export type RejectionReason = 'truncated' | 'version' | 'secret' | 'seal' | 'undecodable';

export const rejectionReasons: readonly RejectionReason[] = ['truncated', 'version', 'secret', 'seal', 'undecodable'];

export function sealEntry(entry: Entry, address: EntryAddress, sealer: Sealer): Uint8Array {
  const raw = entry.payload();
  const compressed = compressIfItPays(raw);
  const payload = compressed ?? raw;
  const isWide = !/^[\0-\xff]*$/.test(address.key);
  const key = Buffer.from(address.key, isWide ? 'utf16le' : 'latin1');
  const tags = entry.tags === undefined ? nothing : Buffer.from(JSON.stringify(entry.tags));
  const payloadOffset = headerBytes + key.byteLength + tags.byteLength;
  const contentBytes = payloadOffset + payload.byteLength;
  const envelope = Buffer.allocUnsafeSlow(contentBytes + sealBytes);
  envelope.writeUInt8(version, 0);
  envelope.writeUInt8(codecs.indexOf(entry.codec), 1);
  envelope.writeUInt8(compressed === undefined ? 0 : 1, 2);
  envelope.writeUInt8((entry.shareable ? 1 : 0) | (isWide ? 2 : 0), 3);
  envelope.set(sealer.secretId, secretIdOffset);
  envelope.writeDoubleBE(entry.createdAtMs, 8);
  envelope.writeDoubleBE(entry.freshUntilMs, 16);
  envelope.writeDoubleBE(entry.expiresAtMs, 24);
  envelope.writeUInt32BE(Math.min(entry.heapBytes, 0xffffffff), 32);
  envelope.writeUInt32BE(raw.byteLength, 36);
  envelope.writeUInt32BE(key.byteLength, 40);
  envelope.writeUInt32BE(tags.byteLength, 44);
  envelope.set(key, headerBytes);
  envelope.set(tags, headerBytes + key.byteLength);
  envelope.set(payload, payloadOffset);
  envelope.set(sealer.seal(address, envelope.subarray(0, contentBytes)), contentBytes);
  return envelope;
}

/**
 * The entry in a genuine envelope, else why there is none. Never throws, whatever the bytes are.
 * @param address Without a key: the envelope's own, which then is as genuine as the rest.
 */
export function unsealEntry(
  bytes: Uint8Array,
  address: Omit<EntryAddress, 'key'> & { readonly key?: string },
  sealer: Sealer,
): Entry | RejectionReason {
  if (bytes.byteLength < headerBytes + sealBytes) return 'truncated';
  const envelope = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (envelope.readUInt8(0) !== version) return 'version';
  const content = envelope.subarray(0, -sealBytes);
  const secretId = envelope.subarray(secretIdOffset, secretIdOffset + secretIdBytes);
  const { namespace, tier, key = readKey(content) } = address;
  const verdict = sealer.verify({ namespace, key, tier }, secretId, content, envelope.subarray(-sealBytes));
  if (verdict !== 'genuine') return verdict;
  try {
    return readContent(key, content);
  } catch {
    // Genuine yet unreadable: written by a version of this code that had a defect. A miss, counted apart.
    return 'undecodable';
  }
}

/** What a damaged envelope says its key is; undefined where it doesn't even say that. */
export function claimedKey(bytes: Uint8Array): string | undefined {
  if (bytes.byteLength < headerBytes) return undefined;
  const envelope = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return envelope.readUInt32BE(40) > 2 * 65_536 ? undefined : readKey(envelope);
}

/** 1 had neither key nor tags. */
const version = 2;
const secretIdOffset = 4;
const headerBytes = 48;
const nothing = new Uint8Array(0);

/** Of bytes that may be anything: it is the seal that says whether this is the key. */
function readKey(content: Buffer): string {
  const end = headerBytes + content.readUInt32BE(40);
  return content.toString((content.readUInt8(3) & 2) === 0 ? 'latin1' : 'utf16le', headerBytes, end);
}

function readContent(key: string, content: Buffer): Entry {
  const tagsOffset = headerBytes + content.readUInt32BE(40);
  const payloadOffset = tagsOffset + content.readUInt32BE(44);
  const payload = content.subarray(payloadOffset);
  const times: EntryTimes = {
    createdAtMs: content.readDoubleBE(8),
    freshUntilMs: content.readDoubleBE(16),
    expiresAtMs: content.readDoubleBE(24),
  };
  const encoded: EncodedValue = {
    codec: codecs[content.readUInt8(1)] ?? 'json',
    payload: content.readUInt8(2) === 0 ? payload : decompress(payload, content.readUInt32BE(36)),
    shareable: (content.readUInt8(3) & 1) === 1,
    heapBytes: content.readUInt32BE(32),
  };
  const tags: readonly TagMark[] | undefined =
    tagsOffset === payloadOffset ? undefined : JSON.parse(content.toString('utf8', tagsOffset, payloadOffset));
  const entry = new Entry(key, times, encoded, tags);
  entry.value();
  return entry;
}

/** A file takes whole blocks of 4 KiB, so shrinking what is not much more than one saves nothing. */
const compressFromBytes = 8 * 1024;
const compressBelowRatio = 0.85;

function compressIfItPays(raw: Uint8Array): Uint8Array | undefined {
  if (raw.byteLength < compressFromBytes) return undefined;
  const compressed = brotliCompressSync(raw, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_SIZE_HINT]: raw.byteLength },
  });
  return compressed.byteLength < raw.byteLength * compressBelowRatio ? compressed : undefined;
}

function decompress(payload: Uint8Array, rawBytes: number): Uint8Array {
  return brotliDecompressSync(payload, { maxOutputLength: Math.max(rawBytes, 1) });
}
