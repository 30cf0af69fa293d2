/**
 * The checksum of a record: 32 spaces and tabs behind its value, which are the bits of a CRC-32, a tab for a 1.
 *
 * White space after a value is part of JSON, so every other tool reads the same value from the same line, whatever kind
 * of value it is, and a checksum is told from a member that the caller wrote. CRC-32 (IEEE 802.3, as zlib has it) finds
 * every change within 32 bits and misses one in 4 billion of the larger ones. It is no seal: whoever means to can
 * make a new one.
 */
import { crc32 } from 'node:zlib';

const checksumBytes = 32;

export type ChecksumFinding = 'absent' | 'right' | 'wrong';

const space = 0x20;
const tab = 0x09;
const nibbles = Array.from({ length: 16 }, (_, value) =>
  value.toString(2).padStart(4, '0').replaceAll('0', ' ').replaceAll('1', '\t'),
);

/** The 32 characters that follow the text of a value. */
export function checksumText(value: string): string {
  const sum = crc32(value);
  let text = '';
  for (let shift = 28; shift >= 0; shift -= 4) text += nibbles[(sum >>> shift) & 15];
  return text;
}

/** Of a line, which must not include its newline. Cost: one pass over its bytes, in C. */
export function findChecksum(bytes: Uint8Array, start: number, end: number): ChecksumFinding {
  const valueEnd = end - checksumBytes;
  if (valueEnd <= start) return 'absent';
  let written = 0;
  for (let index = valueEnd; index < end; index++) {
    const byte = bytes[index];
    if (byte !== space && byte !== tab) return 'absent';
    written = (written << 1) | (byte === tab ? 1 : 0);
  }
  return written >>> 0 === crc32(bytes.subarray(start, valueEnd)) ? 'right' : 'wrong';
}
