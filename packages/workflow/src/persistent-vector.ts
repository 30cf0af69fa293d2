/**
 * A sequence of fixed length that is never changed: `with` gives a new one that shares all but one branch with the old.
 * It is what lets the fold over a run's events be pure at a cost that does not grow with the run.
 *
 * Source: the 32-way trie of P. Bagwell, "Ideal Hash Trees" (EPFL, 2001), as Clojure's vectors use it.
 */
const BITS = 5;
const WIDTH = 1 << BITS;
const MASK = WIDTH - 1;

type Node<Item> = readonly (Node<Item> | Item)[];

export class PersistentVector<Item> implements Iterable<Item> {
  readonly length: number;
  readonly #root: Node<Item>;
  readonly #shift: number;

  private constructor(length: number, root: Node<Item>, shift: number) {
    this.length = length;
    this.#root = root;
    this.#shift = shift;
  }

  static from<Item>(items: readonly Item[]): PersistentVector<Item> {
    let level: Node<Item> = items;
    let shift = 0;
    for (; level.length > WIDTH; shift += BITS) {
      const parents: Node<Item>[] = [];
      for (let start = 0; start < level.length; start += WIDTH) parents.push(level.slice(start, start + WIDTH));
      level = parents;
    }
    return new PersistentVector(items.length, level === items ? items.slice() : level, shift);
  }

  /** @throws {RangeError} when there is no such place. */
  get(index: number): Item {
    this.#check(index);
    let node = this.#root;
    for (let shift = this.#shift; shift > 0; shift -= BITS) node = node[(index >>> shift) & MASK] as Node<Item>;
    return node[index & MASK] as Item;
  }

  /** The same sequence but for one item. Cost: O(log₃₂ length). */
  with(index: number, item: Item): PersistentVector<Item> {
    this.#check(index);
    return new PersistentVector(this.length, replaced(this.#root, this.#shift, index, item), this.#shift);
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (let index = 0; index < this.length; index += 1) yield this.get(index);
  }

  #check(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) {
      throw new RangeError(`Expected \`index\` to be an integer from 0 to ${this.length - 1}, got ${index}.`);
    }
  }
}

function replaced<Item>(node: Node<Item>, shift: number, index: number, item: Item): Node<Item> {
  const copy = node.slice();
  const place = (index >>> shift) & MASK;
  copy[place] = shift === 0 ? item : replaced(node[place] as Node<Item>, shift - BITS, index, item);
  return copy;
}
