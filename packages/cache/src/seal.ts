/**
 * The seal over an entry: an HMAC-SHA256 of everything that says which entry it is (namespace, full key, tier) and of
 * everything in it (version, times, codec, payload), each preceded by its length so that no two entries read alike. An
 * entry that was moved, cut, altered or written by someone without the secret does not open.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

export interface EntryAddress {
  readonly namespace: string;
  readonly key: string;
  readonly tier: string;
}

export const secretIdBytes = 4;
export const sealBytes = 32;

export interface Sealer {
  /** Of the secret that new entries are sealed with. */
  readonly secretId: Uint8Array;
  seal(address: EntryAddress, content: Uint8Array): Uint8Array;
  /** 'secret': sealed by one that isn't, or is no longer, ours. 'seal': not what was sealed. */
  verify(
    address: EntryAddress,
    secretId: Uint8Array,
    content: Uint8Array,
    seal: Uint8Array,
  ): 'genuine' | 'secret' | 'seal';
}

/** New entries are sealed with the first secret; those sealed with any of them open. */
export function createSealer(secrets: readonly Uint8Array[]): Sealer {
  const keys = resolveSecrets(secrets);
  const [newest] = keys;
  if (newest === undefined) throw new TypeError('Expected secrets to hold at least one secret, got none');
  return {
    secretId: newest.id,
    seal: (address, content) => computeSeal(newest.key, address, content),
    verify(address, secretId, content, seal) {
      const known = keys.filter(({ id }) => equalBytes(id, secretId));
      if (known.length === 0) return 'secret';
      return known.some(({ key }) => equalBytes(computeSeal(key, address, content), seal)) ? 'genuine' : 'seal';
    },
  };
}

interface SealingKey {
  readonly id: Uint8Array;
  readonly key: KeyObject;
}

const minSecretBytes = 32;

function resolveSecrets(secrets: readonly Uint8Array[]): readonly SealingKey[] {
  return secrets.map((secret, index) => {
    if (!(secret instanceof Uint8Array)) {
      throw new TypeError(`Expected secrets[${index}] to be bytes, got ${typeof secret}`);
    }
    if (secret.byteLength < minSecretBytes) {
      throw new RangeError(
        `Expected secrets[${index}] to have at least ${minSecretBytes} bytes, got ${secret.byteLength}; openSecretFile makes one`,
      );
    }
    const key = createSecretKey(secret);
    return { key, id: createHmac('sha256', key).update('cadre cache secret id').digest().subarray(0, secretIdBytes) };
  });
}

function computeSeal(
  key: KeyObject,
  { namespace, key: entryKey, tier }: EntryAddress,
  content: Uint8Array,
): Uint8Array {
  const address = [namespace, entryKey, tier].map((part) => `${part.length}:${part}`).join('');
  // As UTF-16, since UTF-8 makes all lone surrogates one character, and with it two keys one address.
  return createHmac('sha256', key).update(`${address}${content.byteLength}:`, 'utf16le').update(content).digest();
}

/** timingSafeEqual throws on unequal lengths. */
function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}
