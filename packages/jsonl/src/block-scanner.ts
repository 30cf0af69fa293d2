/**
 * Looks through a block of bytes: where its lines end, which of them hold bytes beyond ASCII, and where a needle stands.
 *
 * With WebAssembly's SIMD all of that costs less than Node's own search for newlines; the block is copied into the
 * module's memory for it, which one instance serves for the whole process. Where there is none (`--jitless`, processors
 * of another age) Node's own searches do the same, slower. What a scanner holds is valid until the next `load`, by
 * whomever, so everything is asked at once, before any code of a caller's runs.
 */
import { isAscii } from 'node:buffer';
import { find, findBeyondAscii, overreadBytes, scanLines } from './simd-code.ts';
import { wasmModule } from './wasm-module.ts';

/** The longest block: it and what is known of it stay in the processor's nearest caches. */
export const blockBytes = 32 * 1024;

/** Only so much of a needle is compared: what it finds is parsed and asked in any case. */
const longestNeedle = 64;

export interface BlockScanner {
  /** The block that is asked about from now on: `blockBytes` at most. */
  load(bytes: Buffer, start: number, end: number): void;
  /** How often `load` was called: whether a block is still the one that is held. */
  readonly loads: number;
  /** Fills `entries`, one for each newline in the block; returns their number. */
  scanLines(): number;
  /** Where the line ends, counted from the block's start, times two, plus 1 unless the line is known to be ASCII. */
  readonly entries: Uint32Array;
  /** The first place at or after `from` where a needle stands whole before `end`, or -1, counted from the block's start. */
  find(needle: Buffer, from: number, end: number): number;
  /** The same of a byte of 0x80 or above. */
  findBeyondAscii(from: number, end: number): number;
}

/** The best one that this process can run. */
export function blockScanner(): BlockScanner {
  best ??= simdScanner() ?? plainScanner();
  return best;
}

let best: BlockScanner | undefined;

/** Undefined: there is no WebAssembly here, or it has no SIMD. */
export function simdScanner(): BlockScanner | undefined {
  const pages = 3;
  const program = wasmModule(pages, [scanLines, find, findBeyondAscii]);
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(program)) return undefined;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(program), { host: { memory } });
  return new SimdScanner(memory.buffer, exports as SimdExports);
}

export function plainScanner(): BlockScanner {
  return new PlainScanner();
}

type SimdExports = {
  scanLines(start: number, end: number, entries: number): number;
  find(from: number, end: number, needle: number, length: number): number;
  findBeyondAscii(from: number, end: number): number;
};

/** What is used of it; Node's types don't have it, and neither does every process. */
declare const WebAssembly:
  | {
      validate(bytes: Uint8Array<ArrayBuffer>): boolean;
      readonly Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
      readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
      readonly Instance: new (module: object, imports: object) => { readonly exports: object };
    }
  | undefined;

/** In the module's memory: a needle, then the block with room behind it, then entries for a block of newlines only. */
const blockStart = longestNeedle;
const entriesStart = 64 * 1024;

class SimdScanner implements BlockScanner {
  readonly entries: Uint32Array;
  loads = 0;
  readonly #memory: Uint8Array;
  readonly #scanLines: SimdExports['scanLines'];
  readonly #find: SimdExports['find'];
  readonly #findBeyondAscii: SimdExports['findBeyondAscii'];
  #blockEnd = blockStart;
  #needle: Buffer | undefined;

  constructor(memory: ArrayBuffer, functions: SimdExports) {
    this.entries = new Uint32Array(memory, entriesStart, blockBytes);
    this.#memory = new Uint8Array(memory, 0, entriesStart);
    this.#scanLines = functions.scanLines;
    this.#find = functions.find;
    this.#findBeyondAscii = functions.findBeyondAscii;
  }

  load(bytes: Buffer, start: number, end: number): void {
    this.loads++;
    this.#memory.set(bytes.subarray(start, end), blockStart);
    this.#blockEnd = blockStart + end - start;
    this.#memory.fill(0, this.#blockEnd, this.#blockEnd + overreadBytes);
  }

  scanLines(): number {
    return this.#scanLines(blockStart, this.#blockEnd, entriesStart);
  }

  find(needle: Buffer, from: number, end: number): number {
    if (needle !== this.#needle) {
      this.#needle = needle;
      this.#memory.set(needle.subarray(0, longestNeedle));
    }
    const place = this.#find(blockStart + from, blockStart + end, 0, Math.min(longestNeedle, needle.length));
    return place === -1 ? -1 : place - blockStart;
  }

  findBeyondAscii(from: number, end: number): number {
    const place = this.#findBeyondAscii(blockStart + from, blockStart + end);
    return place === -1 ? -1 : place - blockStart;
  }
}

const newline = 0x0a;

class PlainScanner implements BlockScanner {
  readonly entries: Uint32Array = new Uint32Array(blockBytes);
  loads = 0;
  #block: Buffer = Buffer.alloc(0);

  load(bytes: Buffer, start: number, end: number): void {
    this.loads++;
    this.#block = bytes.subarray(start, end);
  }

  scanLines(): number {
    const block = this.#block;
    const flag = isAscii(block) ? 0 : 1;
    let count = 0;
    for (let at = block.indexOf(newline); at !== -1; at = block.indexOf(newline, at + 1)) {
      this.entries[count++] = at * 2 + flag;
    }
    return count;
  }

  find(needle: Buffer, from: number, end: number): number {
    const place = this.#block.indexOf(needle, from);
    return place === -1 || place + needle.length > end ? -1 : place;
  }
  findBeyondAscii(from: number, end: number): number {
    for (let place = from; place < end; place++) if ((this.#block[place] ?? 0) >= 0x80) return place;
    return -1;
  }
}
