/**
 * An entry: a value with its times, and the envelope in which it leaves the process.
 *
 * The envelope, big-endian: version 1 B · codec 1 B · compression 1 B · shareable 1 B · secret id 4 B · created, fresh
 * until, expires 8 B each (doubles) · heap bytes 4 B · payload bytes before compression 4 B · payload · seal 32 B. The
 * seal covers all before it.
 */
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { type EntryAddress, type Sealer, sealBytes, secretIdBytes } from './seal.ts';
import type { EntryTimes } from './staleness.ts';
import type { StoredEntry } from './store.ts';
import { type Codec, decodeValue, type EncodedValue, encodeValue } from './value.ts';

export class Entry implements StoredEntry, EntryTimes {
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

  constructor(times: EntryTimes, encoded: EncodedValue) {
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
    return this.shareable ? Math.max(this.heapBytes, this.bytes.byteLength) : this.bytes.byteLength;
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

export type RejectionReason = 'truncated' | 'version' | 'secret' | 'seal' | 'undecodable';

export const rejectionReasons: readonly RejectionReason[] = ['truncated', 'version', 'secret', 'seal', 'undecodable'];

export function sealEntry(entry: Entry, address: EntryAddress, sealer: Sealer): Uint8Array {
  const raw = entry.payload();
  const compressed = compressIfItPays(raw);
  const payload = compressed ?? raw;
  const contentBytes = headerBytes + payload.byteLength;
  const envelope = Buffer.allocUnsafeSlow(contentBytes + sealBytes);
  envelope.writeUInt8(version, 0);
  envelope.writeUInt8(entry.codec === 'msgpack' ? 0 : 1, 1);
  envelope.writeUInt8(compressed === undefined ? 0 : 1, 2);
  envelope.writeUInt8(entry.shareable ? 1 : 0, 3);
  envelope.set(sealer.secretId, secretIdOffset);
  envelope.writeDoubleBE(entry.createdAtMs, 8);
  envelope.writeDoubleBE(entry.freshUntilMs, 16);
  envelope.writeDoubleBE(entry.expiresAtMs, 24);
  envelope.writeUInt32BE(Math.min(entry.heapBytes, 0xffffffff), 32);
  envelope.writeUInt32BE(raw.byteLength, 36);
  envelope.set(payload, headerBytes);
  envelope.set(sealer.seal(address, envelope.subarray(0, contentBytes)), contentBytes);
  return envelope;
}

/** The entry in a genuine envelope, else why there is none. Never throws, whatever the bytes are. */
export function unsealEntry(bytes: Uint8Array, address: EntryAddress, sealer: Sealer): Entry | RejectionReason {
  if (bytes.byteLength < headerBytes + sealBytes) return 'truncated';
  const envelope = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (envelope.readUInt8(0) !== version) return 'version';
  const content = envelope.subarray(0, -sealBytes);
  const secretId = envelope.subarray(secretIdOffset, secretIdOffset + secretIdBytes);
  const verdict = sealer.verify(address, secretId, content, envelope.subarray(-sealBytes));
  if (verdict !== 'genuine') return verdict;
  try {
    return readContent(content);
  } catch {
    // Genuine yet unreadable: written by a version of this code that had a defect. A miss, counted apart.
    return 'undecodable';
  }
}

const version = 1;
const secretIdOffset = 4;
const headerBytes = 40;
const nothing = new Uint8Array(0);

function readContent(content: Buffer): Entry {
  const payload = content.subarray(headerBytes);
  const times: EntryTimes = {
    createdAtMs: content.readDoubleBE(8),
    freshUntilMs: content.readDoubleBE(16),
    expiresAtMs: content.readDoubleBE(24),
  };
  const encoded: EncodedValue = {
    codec: content.readUInt8(1) === 0 ? 'msgpack' : 'json',
    payload: content.readUInt8(2) === 0 ? payload : decompress(payload, content.readUInt32BE(36)),
    shareable: content.readUInt8(3) === 1,
    heapBytes: content.readUInt32BE(32),
  };
  const entry = new Entry(times, encoded);
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
