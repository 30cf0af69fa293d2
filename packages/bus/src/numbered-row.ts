/**
 * Items numbered in the order in which they come, taken out in about that order: what is on its way and will be acknowledged. A ring
 * of slots, so that coming and going makes no garbage, as a `Map` does; the few that stay long after their neighbours stand in a map.
 */
export class NumberedRow<T> {
  /** A power of two, where the item `number` has the slot `number` modulo its length. */
  #slots: (T | undefined)[] = new Array(16).fill(undefined);
  /** The lowest number that has a slot, */
  #first = 1;
  /** and the one that comes next. */
  #next = 1;
  #inSlots = 0;
  readonly #stragglers = new Map<number, T>();

  get size(): number {
    return this.#inSlots + this.#stragglers.size;
  }

  /** The number of the item that is pushed next; the first is 1. */
  get next(): number {
    return this.#next;
  }

  push(item: T): void {
    if (this.#next - this.#first === this.#slots.length) this.#makeRoom();
    this.#slots[this.#next++ & (this.#slots.length - 1)] = item;
    this.#inSlots++;
  }

  /** The item, which is there no more. */
  take(number: number): T | undefined {
    if (number < this.#first) return this.#takeStraggler(number);
    if (number >= this.#next) return undefined;
    const mask = this.#slots.length - 1;
    const item = this.#slots[number & mask];
    if (item === undefined) return undefined;
    this.#slots[number & mask] = undefined;
    this.#inSlots--;
    if (number === this.#first) {
      while (this.#first < this.#next && this.#slots[this.#first & mask] === undefined) this.#first++;
    }
    return item;
  }

  /** Puts something else in the place of an item that is there. */
  replace(number: number, item: T): void {
    if (this.#stragglers.has(number)) this.#stragglers.set(number, item);
    else this.#slots[number & (this.#slots.length - 1)] = item;
  }

  /** In the order of their numbers. Meanwhile items may be taken or replaced, and none pushed. */
  *entries(): Generator<[number: number, item: T]> {
    yield* this.#stragglers;
    for (let number = this.#first; number < this.#next; number++) {
      const item = this.#slots[number & (this.#slots.length - 1)];
      if (item !== undefined) yield [number, item];
    }
  }

  #takeStraggler(number: number): T | undefined {
    const item = this.#stragglers.get(number);
    this.#stragglers.delete(number);
    return item;
  }

  /** Mostly holes: the elder half moves out. Else twice the slots. */
  #makeRoom(): void {
    const { length } = this.#slots;
    if (this.#inSlots * 4 <= length) {
      this.#moveOut(this.#first + length / 2);
      return;
    }
    const slots: (T | undefined)[] = new Array(length * 2).fill(undefined);
    for (let number = this.#first; number < this.#next; number++) {
      slots[number & (length * 2 - 1)] = this.#slots[number & (length - 1)];
    }
    this.#slots = slots;
  }

  #moveOut(end: number): void {
    const mask = this.#slots.length - 1;
    for (let number = this.#first; number < end; number++) {
      const item = this.#slots[number & mask];
      if (item === undefined) continue;
      this.#stragglers.set(number, item);
      this.#slots[number & mask] = undefined;
      this.#inSlots--;
    }
    this.#first = end;
    while (this.#first < this.#next && this.#slots[this.#first & mask] === undefined) this.#first++;
  }
}
