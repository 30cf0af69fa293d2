/**
 * A hub that takes the place of one that died: peers return one by one, and what is passed on before the last of them listens again
 * would miss it. So what is published is held until all are back, or have been waited for long enough, and is then passed on as fast
 * as peers take it in: whole windows of the senders come at once, which doesn't make anyone a slow peer.
 */
import { Fifo } from './fifo.ts';

export interface GatheringSetup<Item> {
  /** Who returns later is not waited for. */
  readonly waitMs: number;
  /** After that: how long there must be room for each item before it is passed on; then the rest goes at once. */
  readonly easeMs: number;
  passOn(item: Item): void;
  /** They were waited for in vain. */
  gaveUp(listeners: Iterable<string>): void;
  /** Whether somebody has so much on the way that the next item should wait. */
  isAnyoneFull(): boolean;
}

export class Gathering<Item> {
  readonly #setup: GatheringSetup<Item>;
  readonly #held = new Fifo<Item>();
  readonly #expected = new Set<string>();
  readonly #back = new Set<string>();
  #state: 'none' | 'waiting' | 'easing' | 'over' = 'none';
  #timer: NodeJS.Timeout | undefined;
  #isPassingOn = false;

  constructor(setup: GatheringSetup<Item>) {
    this.#setup = setup;
  }

  /** What is published now is given to `hold`. */
  get isHolding(): boolean {
    return this.#state === 'waiting' || this.#state === 'easing';
  }

  /** Who is waited for. */
  get expected(): readonly string[] {
    return [...this.#expected];
  }

  /** Those who listened to the hub before, as one who returns remembers. The first time starts the wait; there is one in the life of a hub. */
  expect(listeners: Iterable<string>): void {
    if (this.#state === 'none') {
      this.#state = 'waiting';
      this.#timer = setTimeout(() => this.#ease(), this.#setup.waitMs);
    }
    if (this.#state !== 'waiting') return;
    for (const listener of listeners) if (!this.#back.has(listener)) this.#expected.add(listener);
  }

  /** It listens again, or never will. */
  arrived(listener: string): void {
    if (this.#state !== 'waiting') return;
    this.#back.add(listener);
    this.#expected.delete(listener);
    if (this.#expected.size === 0) this.#ease();
  }

  hold(item: Item): void {
    this.#held.push(item);
    if (this.#state === 'easing') this.#passOnHeld();
  }

  /** Somebody has taken something in, or is gone. */
  roomMade(): void {
    if (this.#state === 'easing') this.#passOnHeld();
  }

  held(): Iterable<Item> {
    return this.#held;
  }

  /** What is held stays with those who sent it. */
  close(): void {
    clearTimeout(this.#timer);
    this.#state = 'over';
    this.#held.clear();
  }

  #ease(): void {
    clearTimeout(this.#timer);
    this.#state = 'easing';
    this.#setup.gaveUp(this.#expected);
    this.#expected.clear();
    this.#back.clear();
    this.#timer = setTimeout(() => {
      this.#state = 'over';
      this.#passOnHeld();
    }, this.#setup.easeMs);
    this.#passOnHeld();
  }

  #passOnHeld(): void {
    // A peer of this very thread may make room while something is passed on to it.
    if (this.#isPassingOn) return;
    this.#isPassingOn = true;
    try {
      while (this.#state === 'over' || !this.#setup.isAnyoneFull()) {
        const next = this.#held.shift();
        if (next === undefined) {
          clearTimeout(this.#timer);
          this.#state = 'over';
          return;
        }
        this.#setup.passOn(next);
      }
    } finally {
      this.#isPassingOn = false;
    }
  }
}
