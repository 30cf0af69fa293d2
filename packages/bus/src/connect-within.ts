/** A peer in the very thread that its hub is in. */
import type { Connect } from './connection.ts';
import type { Hub } from './hub.ts';

/** The same frames, without a socket. */
export function connectWithin(hub: Hub): Connect {
  return async ({ push, lost }) => {
    const peer = hub.accept({ write: (bytes) => push(asBuffer(bytes)), end: () => lost(undefined) });
    return { write: (bytes) => peer.push(asBuffer(bytes)), end: () => peer.lost(true) };
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
