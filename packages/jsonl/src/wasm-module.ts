/**
 * Just enough of the WebAssembly binary format to write a module by hand: the encoding of numbers and sections, and by
 * their standard names the instructions that `simd-code.ts` uses. A module that imports one memory and exports
 * functions is all it can make. Source: WebAssembly Core Specification 2.0, chapter 5, and its SIMD instructions.
 */

/** Bytes of a module's code: instructions are joined by spreading. */
export type Code = readonly number[];

export interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  /** Types of the locals that follow the parameters, which are all i32, as is the result. */
  readonly locals: readonly ('i32' | 'v128')[];
  readonly body: Code;
}

/** A module that imports its memory, of `pages` pages of 64 KiB, as `host.memory`. */
export function wasmModule(pages: number, functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [0x60, ...list(Array(parameters).fill([i32])), ...list([[i32]])]);
  const memory = [...text('host'), ...text('memory'), 2, 0, ...unsigned(pages)];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(2, list([memory])),
    ...section(3, list(functions.map((_, index) => unsigned(index)))),
    ...section(7, list(functions.map(({ name }, index) => [...text(name), 0, ...unsigned(index)]))),
    ...section(10, list(functions.map(codeOf))),
  ]);
}

export const local = {
  get: (index: number): Code => [0x20, ...unsigned(index)],
  set: (index: number): Code => [0x21, ...unsigned(index)],
  /** Sets it and leaves the value. */
  tee: (index: number): Code => [0x22, ...unsigned(index)],
} as const;

export const flow = {
  block: (...body: readonly Code[]): Code => [0x02, empty, ...body.flat(), end],
  loop: (...body: readonly Code[]): Code => [0x03, empty, ...body.flat(), end],
  /** Runs the body where the value is not 0. */
  when: (...body: readonly Code[]): Code => [0x04, empty, ...body.flat(), end],
  /** Leaves as many blocks as `depth` says and one more; of a loop, begins it again. */
  branch: (depth: number): Code => [0x0c, ...unsigned(depth)],
  branchIf: (depth: number): Code => [0x0d, ...unsigned(depth)],
  leave: [0x0f] as Code,
} as const;

export const int = {
  value: (value: number): Code => [0x41, ...signed(value)],
  isZero: [0x45] as Code,
  equal: [0x46] as Code,
  differ: [0x47] as Code,
  isBelow: [0x49] as Code,
  isAbove: [0x4b] as Code,
  countTrailingZeros: [0x68] as Code,
  add: [0x6a] as Code,
  subtract: [0x6b] as Code,
  and: [0x71] as Code,
  or: [0x72] as Code,
  xor: [0x73] as Code,
  shiftLeft: [0x74] as Code,
  shiftRight: [0x76] as Code,
  loadByte: (offset = 0): Code => [0x2d, 0, ...unsigned(offset)],
  store: (offset = 0): Code => [0x36, 2, ...unsigned(offset)],
} as const;

/** Sixteen bytes at once. */
export const vector = {
  load: (offset = 0): Code => [...simd(0x00), 0, ...unsigned(offset)],
  splat: simd(0x0f),
  equal: simd(0x23),
  and: simd(0x4e),
  or: simd(0x50),
  /** The highest bit of each byte, the first byte's lowest. */
  bitmask: simd(0x64),
} as const;

const i32 = 0x7f;
const v128 = 0x7b;
const empty = 0x40;
const end = 0x0b;

function codeOf({ locals, body }: WasmFunction): number[] {
  const declared = list(locals.map((type) => [1, type === 'i32' ? i32 : v128]));
  const bytes = [...declared, ...body, end];
  return [...unsigned(bytes.length), ...bytes];
}

function section(id: number, bytes: Code): number[] {
  return [id, ...unsigned(bytes.length), ...bytes];
}

function list(items: readonly Code[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function text(characters: string): number[] {
  return [...unsigned(characters.length), ...Buffer.from(characters, 'latin1')];
}

function simd(opcode: number): Code {
  return [0xfd, ...unsigned(opcode)];
}

/** LEB128: seven bits a byte, the lowest first. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
