/**
 * Takes known secrets out of bytes on their way in, before anything is recorded, parsed or shown.
 *
 * A secret is looked for as it is and as programs tend to print it: escaped in JSON (once, and again for JSON within JSON),
 * percent-encoded, and in Base64 at each of the three places where it can begin in a group. A stream may cut it anywhere:
 * what could be the beginning of one is held back until the next bytes tell.
 *
 * Source: Aho and Corasick, Efficient string matching, 1975. One table look-up a byte, whatever the number of secrets.
 */

export interface Redactor {
  /** The bytes that are certain by now. */
  push(chunk: Uint8Array): Uint8Array;
  /** What was held back. */
  end(): Uint8Array;
}

export const redactionMark = '[redacted]';

/** Shorter secrets are not looked for: they would be found in ordinary words. */
const shortestSecret = 6;

export type OpenRedactor = () => Redactor;

/**
 * Prepares the search; each stream opens its own redactor.
 * @throws {TypeError} when a secret is not a text; {RangeError} when one is shorter than 6 characters
 * Cost: about 2 KB for each byte of the secrets.
 */
export function redactorOf(secrets: readonly string[]): OpenRedactor {
  const patterns = new Set<string>();
  for (const secret of secrets) {
    if (typeof secret !== 'string') throw new TypeError(`Expected a secret to be a text, got a ${typeof secret}.`);
    if (secret.length < shortestSecret) {
      throw new RangeError(`Expected a secret to have at least ${shortestSecret} characters, got ${secret.length}.`);
    }
    for (const form of formsOf(secret)) patterns.add(form);
  }
  if (patterns.size === 0) return () => transparent;
  const table = automatonOf([...patterns].map((pattern) => Buffer.from(pattern, 'latin1')));
  return () => new AutomatonRedactor(table);
}

/** Every way in which a secret is looked for, each as bytes in a latin1 string. */
export function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const json = JSON.stringify(secret).slice(1, -1);
  const asciiJson = json.replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const url = encodeURIComponent(secret);
  const texts = [
    ...[secret, json, asciiJson, json.replaceAll('/', '\\/'), JSON.stringify(json).slice(1, -1)],
    ...[url, url.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()), url.replaceAll('%20', '+'), strictUrl(url)],
  ];
  const forms = new Set(texts.map((text) => Buffer.from(text).toString('latin1')));
  for (const offset of [0, 1, 2]) {
    const base64 = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // The characters at the edges also hold bits of what stands before and after.
    const first = offset === 0 ? 0 : offset + 1;
    const last = Math.floor(((offset + bytes.length) * 8) / 6);
    const core = base64.slice(first, last);
    if (core.length < shortestSecret) continue;
    for (const form of [core, core.replaceAll('+', '-').replaceAll('/', '_'), core.replaceAll('/', '\\/')]) {
      forms.add(form);
    }
  }
  return [...forms];
}

/** As RFC 3986 has it: what `encodeURIComponent` leaves alone is encoded too. */
function strictUrl(url: string): string {
  return url.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

const transparent: Redactor = { push: (chunk) => chunk, end: () => new Uint8Array(0) };

interface Automaton {
  /** Byte to column; bytes that no pattern has share column 0. */
  readonly columns: Uint8Array;
  readonly width: number;
  /** State and column to state. */
  readonly next: Int32Array;
  /** How many of the last bytes could begin a pattern. */
  readonly depth: Int32Array;
  /** The length of the longest pattern that ends here; 0 where none does. */
  readonly matched: Int32Array;
}

function automatonOf(patterns: readonly Buffer[]): Automaton {
  const columns = new Uint8Array(256);
  let width = 1;
  for (const pattern of patterns) {
    for (const byte of pattern) {
      if (columns[byte] === 0 && width < 256) {
        columns[byte] = width;
        width += 1;
      }
    }
  }
  const most = patterns.reduce((sum, pattern) => sum + pattern.length, 1);
  const next = new Int32Array(most * width).fill(-1);
  const depth = new Int32Array(most);
  const matched = new Int32Array(most);
  const at = (state: number, byte: number) => state * width + (columns[byte] ?? 0);
  let states = 1;
  for (const pattern of patterns) {
    let state = 0;
    for (const byte of pattern) {
      const place = at(state, byte);
      let following = next[place] ?? -1;
      if (following === -1) {
        following = states;
        states += 1;
        next[place] = following;
        depth[following] = (depth[state] ?? 0) + 1;
      }
      state = following;
    }
    matched[state] = pattern.length;
  }
  link(next, matched, width, states);
  return { columns, width, next, depth, matched };
}

/** Breadth first: where a state has no way on, it goes on as its longest own ending would. */
function link(next: Int32Array, matched: Int32Array, width: number, states: number): void {
  const fallback = new Int32Array(states);
  const queue = [0];
  for (let index = 0; index < queue.length; index += 1) {
    const state = queue[index] ?? 0;
    const back = fallback[state] ?? 0;
    matched[state] = Math.max(matched[state] ?? 0, state === 0 ? 0 : (matched[back] ?? 0));
    for (let column = 0; column < width; column += 1) {
      const place = state * width + column;
      const following = next[place] ?? -1;
      const otherwise = state === 0 ? 0 : (next[back * width + column] ?? 0);
      if (following === -1) next[place] = otherwise;
      else {
        fallback[following] = otherwise;
        queue.push(following);
      }
    }
  }
}

class AutomatonRedactor implements Redactor {
  readonly #table: Automaton;
  #state = 0;
  /** Bytes not given out yet, and which of them belong to a secret. */
  #held: { byte: number; secret: boolean }[] = [];
  #lastWasMark = false;

  constructor(table: Automaton) {
    this.#table = table;
  }

  push(chunk: Uint8Array): Uint8Array {
    const { columns, width, next, depth, matched } = this.#table;
    const out = new Out(chunk.length + this.#held.length + redactionMark.length);
    let state = this.#state;
    let plainFrom = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      const byte = chunk[index] ?? 0;
      const before = state;
      state = next[state * width + (columns[byte] ?? 0)] ?? 0;
      if (before === 0 && state === 0) continue;
      if (before === 0) {
        // What came since the last suspicion is certain.
        if (index > plainFrom) this.#plain(out, chunk.subarray(plainFrom, index));
      }
      this.#held.push({ byte, secret: false });
      const length = matched[state] ?? 0;
      for (let back = 1; back <= length; back += 1) {
        const entry = this.#held[this.#held.length - back];
        if (entry !== undefined) entry.secret = true;
      }
      const keep = depth[state] ?? 0;
      if (this.#held.length > keep) this.#release(out, this.#held.length - keep);
      plainFrom = index + 1;
    }
    if (plainFrom < chunk.length) this.#plain(out, chunk.subarray(plainFrom));
    this.#state = state;
    return out.bytes();
  }

  end(): Uint8Array {
    const out = new Out(this.#held.length + redactionMark.length);
    this.#release(out, this.#held.length);
    this.#state = 0;
    return out.bytes();
  }

  #plain(out: Out, bytes: Uint8Array): void {
    this.#lastWasMark = false;
    out.add(bytes);
  }

  #release(out: Out, count: number): void {
    for (const { byte, secret } of this.#held.splice(0, count)) {
      if (!secret) out.add(Uint8Array.of(byte));
      else if (!this.#lastWasMark) out.add(mark);
      this.#lastWasMark = secret;
    }
  }
}

const mark = Buffer.from(redactionMark);

/** A buffer that grows. */
class Out {
  #buffer: Uint8Array;
  #length = 0;

  constructor(size: number) {
    this.#buffer = new Uint8Array(size);
  }

  add(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#buffer.length) {
      const larger = new Uint8Array((this.#length + bytes.length) * 2);
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}
