/** A whole number below the bound, from 0; the same ones for the same seed. Source: mulberry32, public domain. */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** `CADRE_SEED`, or today's own. */
export const seed = Number(process.env.CADRE_SEED ?? 20_261_121);
