/**
 * Loops over bytes that JavaScript can't make fast, sixteen bytes at once: where lines end and which hold bytes beyond
 * ASCII, where a needle stands, and where the next byte beyond ASCII does. Written as WebAssembly, so that there is no native code to build or ship.
 */
import { flow, int, local, vector, type WasmFunction } from './wasm-module.ts';

/** What `scanLines` reads behind the last byte that it was given. The others may read twice as much, whatever is there. */
export const overreadBytes = 64;

/**
 * `scanLines(start, end, entries) → count`: for each newline in the bytes from `start` (the bytes from `end` to the next
 * multiple of 64 from there must be 0) one 32-bit entry: its place after `start`, times two, plus 1 where the line
 * that it ends holds a byte of 0x80 or above.
 */
export const scanLines: WasmFunction = (() => {
  const [start, end, entries] = [0, 1, 2];
  const [at, newlines, high, isBeyond, bit, out, stop, bytes, pattern] = [3, 4, 5, 6, 7, 8, 9, 10, 11];
  /** The highest bit of a byte of this is set where it is a newline, or beyond ASCII. */
  const notable = (offset: number) => [
    ...local.get(at),
    ...vector.load(offset),
    ...local.tee(bytes),
    ...local.get(pattern),
    ...vector.equal,
    ...local.get(bytes),
    ...vector.or,
  ];
  const bitsBelowNewline = [...local.get(bit), ...int.value(1), ...int.subtract];
  const bitsFromNewline = [...int.value(0), ...local.get(bit), ...int.subtract];
  const takeNewline = [
    ...[...local.get(newlines), ...int.value(0), ...local.get(newlines), ...int.subtract, ...int.and],
    ...local.set(bit),
    ...[...local.get(isBeyond), ...local.get(high), ...bitsBelowNewline, ...int.and, ...int.or, ...local.set(isBeyond)],
    ...local.get(out),
    ...[...local.get(at), ...local.get(bit), ...int.countTrailingZeros, ...int.add],
    ...[...local.get(start), ...int.subtract, ...int.value(1), ...int.shiftLeft],
    ...[...local.get(isBeyond), ...int.value(0), ...int.differ, ...int.or],
    ...int.store(),
    ...[...local.get(out), ...int.value(4), ...int.add, ...local.set(out)],
    ...[...int.value(0), ...local.set(isBeyond)],
    ...[...local.get(high), ...bitsFromNewline, ...int.and, ...local.set(high)],
    ...[...local.get(newlines), ...local.get(bit), ...int.xor, ...local.tee(newlines)],
  ];
  const sixteen = flow.loop(
    [...local.get(at), ...vector.load(), ...local.tee(bytes), ...local.get(pattern), ...vector.equal],
    [...vector.bitmask, ...local.set(newlines)],
    [...local.get(bytes), ...vector.bitmask, ...local.set(high)],
    [...local.get(newlines), ...flow.when(flow.loop(takeNewline, flow.branchIf(0)))],
    [...local.get(isBeyond), ...local.get(high), ...int.or, ...local.set(isBeyond)],
    [...local.get(at), ...int.value(16), ...int.add, ...local.tee(at), ...local.get(stop), ...int.differ],
    flow.branchIf(0),
  );
  const sixtyFour = flow.loop(
    [...local.get(at), ...int.value(64), ...int.add, ...local.set(stop)],
    [...notable(0), ...notable(16), ...vector.or, ...notable(32), ...notable(48), ...vector.or, ...vector.or],
    [...vector.bitmask, ...flow.when(sixteen)],
    [...local.get(stop), ...local.tee(at), ...local.get(end), ...int.isBelow, ...flow.branchIf(0)],
  );
  return {
    name: 'scanLines',
    parameters: 3,
    locals: ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'v128', 'v128'],
    body: [
      ...[...local.get(entries), ...local.set(out), ...local.get(start), ...local.set(at)],
      ...[...int.value(0x0a), ...vector.splat, ...local.set(pattern)],
      ...sixtyFour,
      ...[...local.get(out), ...local.get(entries), ...int.subtract, ...int.value(2), ...int.shiftRight],
    ],
  };
})();

/**
 * `find(from, end, needle, length) → place`: the first place at or after `from` where the needle stands whole before
 * `end`, or -1. Its first and its last byte are looked for at once, at their distance from each other, which few other
 * places share.
 */
export const find: WasmFunction = (() => {
  const [at, end, needle, length] = [0, 1, 2, 3];
  const [candidates, place, last, index, stop, firstByte, lastByte] = [4, 5, 6, 7, 8, 9, 10];
  const leaveWithNothing = [...int.value(-1), ...flow.leave];
  /** Whether a needle at this place would reach beyond the end. */
  const overshoots = (from: number) => [
    ...[...local.get(from), ...local.get(length), ...int.add],
    ...[...local.get(end), ...int.isAbove],
  ];
  /** A byte of this is not 0 where the needle's first and last byte stand at their distance. */
  const matches = (offset: number) => [
    ...[...local.get(at), ...vector.load(offset), ...local.get(firstByte), ...vector.equal],
    ...[...local.get(at), ...local.get(last), ...int.add, ...vector.load(offset)],
    ...[...local.get(lastByte), ...vector.equal, ...vector.and],
  ];
  const byteOf = (base: number) => [...local.get(base), ...local.get(index), ...int.add, ...int.loadByte()];
  const compare = flow.block(
    [...int.value(1), ...local.set(index)],
    flow.loop(
      [...local.get(index), ...local.get(last), ...int.isBelow, ...int.isZero],
      flow.when(local.get(place), flow.leave),
      [...byteOf(place), ...byteOf(needle), ...int.differ, ...flow.branchIf(1)],
      [...local.get(index), ...int.value(1), ...int.add, ...local.set(index), ...flow.branch(0)],
    ),
  );
  const eachCandidate = flow.loop(
    [...local.get(at), ...local.get(candidates), ...int.countTrailingZeros, ...int.add, ...local.set(place)],
    [...overshoots(place), ...flow.when(leaveWithNothing)],
    compare,
    [...local.get(candidates), ...local.get(candidates), ...int.value(1), ...int.subtract, ...int.and],
    [...local.tee(candidates), ...flow.branchIf(0)],
  );
  const sixteen = flow.loop(
    [...matches(0), ...vector.bitmask, ...local.tee(candidates), ...flow.when(eachCandidate)],
    [...local.get(at), ...int.value(16), ...int.add, ...local.tee(at), ...local.get(stop), ...int.differ],
    flow.branchIf(0),
  );
  return {
    name: 'find',
    parameters: 4,
    locals: ['i32', 'i32', 'i32', 'i32', 'i32', 'v128', 'v128'],
    body: [
      ...[...local.get(length), ...int.value(1), ...int.subtract, ...local.set(last)],
      ...[...local.get(needle), ...int.loadByte(), ...vector.splat, ...local.set(firstByte)],
      ...[...local.get(needle), ...local.get(last), ...int.add, ...int.loadByte(), ...vector.splat],
      ...local.set(lastByte),
      ...flow.loop(
        [...overshoots(at), ...flow.when(leaveWithNothing)],
        [...local.get(at), ...int.value(64), ...int.add, ...local.set(stop)],
        [...matches(0), ...matches(16), ...vector.or, ...matches(32), ...matches(48), ...vector.or, ...vector.or],
        [...vector.bitmask, ...flow.when(sixteen)],
        [...local.get(stop), ...local.set(at), ...flow.branch(0)],
      ),
      ...int.value(-1),
    ],
  };
})();

/** `findBeyondAscii(from, end) → place`: the first byte of 0x80 or above from `from` on and before `end`, or -1. */
export const findBeyondAscii: WasmFunction = (() => {
  const [at, end, high, stop] = [0, 1, 2, 3];
  const bytes = (offset: number) => [...local.get(at), ...vector.load(offset)];
  const leaveWithPlace = [
    ...[...local.get(at), ...local.get(high), ...int.countTrailingZeros, ...int.add, ...local.tee(at)],
    ...[...local.get(end), ...int.isBelow, ...flow.when(local.get(at), flow.leave)],
    ...[...int.value(-1), ...flow.leave],
  ];
  const sixteen = flow.loop(
    [...bytes(0), ...vector.bitmask, ...local.tee(high), ...flow.when(leaveWithPlace)],
    [...local.get(at), ...int.value(16), ...int.add, ...local.tee(at), ...local.get(stop), ...int.differ],
    flow.branchIf(0),
  );
  const sixtyFour = flow.loop(
    [...local.get(at), ...int.value(64), ...int.add, ...local.set(stop)],
    [...bytes(0), ...bytes(16), ...vector.or, ...bytes(32), ...bytes(48), ...vector.or, ...vector.or],
    [...vector.bitmask, ...flow.when(sixteen)],
    [...local.get(stop), ...local.tee(at), ...local.get(end), ...int.isBelow, ...flow.branchIf(0)],
  );
  return { name: 'findBeyondAscii', parameters: 2, locals: ['i32', 'i32'], body: [...sixtyFour, ...int.value(-1)] };
})();
