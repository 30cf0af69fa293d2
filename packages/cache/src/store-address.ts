/**
 * How stores outside the process name an entry: by digests, so that no character of a namespace or key reaches a path or a
 * pattern, and every name has one length.
 */
import { hash } from 'node:crypto';

/** The same for all entries of a namespace: 16 hexadecimal digits. */
export type NamespaceTag = string;

export interface StoreAddresses {
  namespaceTag(namespace: string): NamespaceTag;
  /** SHA-256 of both, which no other pair has, in hexadecimal. Cost: half a microsecond. */
  digest(namespace: string, key: string): string;
}

export function storeAddresses(): StoreAddresses {
  // A store is used under the few namespaces of the caches that share it.
  const tags = new Map<string, NamespaceTag>();
  return {
    namespaceTag(namespace) {
      const known = tags.get(namespace);
      if (known !== undefined) return known;
      const tag = sha256(namespace).slice(0, 16);
      tags.set(namespace, tag);
      return tag;
    },
    digest: (namespace, key) => sha256(`${namespace.length}:${namespace}${key}`),
  };
}

/** As UTF-16, since UTF-8 makes all lone surrogates one character. */
function sha256(text: string): string {
  return hash('sha256', Buffer.from(text, 'utf16le'), 'hex');
}
