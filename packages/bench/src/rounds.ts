/**
 * In which order the fresh processes of a round start. A fixed order would give each variant its own neighbour (who
 * left the caches, the disk and the clock speed behind); so the order is turned by one place every two rounds, and reversed every
 * second round.
 */

/** The items in the order of round `round`, counted from 0. Over `2 × items` rounds each is at each place twice. */
export function roundOrder<Item>(items: readonly Item[], round: number): readonly Item[] {
  const shift = items.length === 0 ? 0 : Math.floor(round / 2) % items.length;
  const turned = [...items.slice(shift), ...items.slice(0, shift)];
  return round % 2 === 0 ? turned : turned.reverse();
}
