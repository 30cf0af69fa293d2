import { describe, expect, test } from 'vitest';
import { roundOrder } from './rounds.ts';

describe('roundOrder', () => {
  test('reverses every second round and turns by one place every two', () => {
    const rounds = [0, 1, 2, 3].map((round) => roundOrder(['a', 'b', 'c'], round).join(''));
    expect(rounds).toEqual(['abc', 'cba', 'bca', 'acb']);
  });

  test.for([1, 2, 3, 5, 8])('puts each of %i items at each place equally often', (count) => {
    const items = Array.from({ length: count }, (_, index) => index);
    const places = items.map(() => new Map<number, number>());
    for (let round = 0; round < 2 * count; round += 1) {
      for (const [place, item] of roundOrder(items, round).entries()) {
        places[item]?.set(place, (places[item]?.get(place) ?? 0) + 1);
      }
    }
    for (const seen of places) expect([...seen.values()]).toEqual(items.map(() => 2));
  });

  test('loses no item and adds none', () => {
    expect([...roundOrder([3, 1, 2], 5)].sort()).toEqual([1, 2, 3]);
    expect(roundOrder([], 4)).toEqual([]);
  });
});
