/**
 * What came at once, and is passed on in order as there is room for it. A sender that returns brings its whole window, which is more
 * than one peer may have on its way: that doesn't make anyone a slow peer, until enough time has passed to take it in.
 */
import { Fifo } from './fifo.ts';

export interface EasingSetup<Item> {
  /** After so long the rest goes at once, and is dropped where there is no room. */
  readonly forMs: number;
  hasRoom(item: Item): boolean;
  /** @param mayDrop  time is up */
  passOn(item: Item, mayDrop: boolean): void;
  /** Nothing is held any more. */
  over(): void;
}

export class Easing<Item> {
  readonly #setup: EasingSetup<Item>;
  readonly #held = new Fifo<Item>();
  #state: 'waiting' | 'easing' | 'rushing' | 'closed' = 'waiting';
  #timer: NodeJS.Timeout | undefined;
  #isPassingOn = false;

  constructor(setup: EasingSetup<Item>) {
    this.#setup = setup;
  }

  /** Until it starts, it only holds. */
  start(): void {
    this.#state = 'easing';
    this.#timer = setTimeout(() => {
      this.#state = 'rushing';
      this.#passOn();
    }, this.#setup.forMs);
    this.#passOn();
  }

  hold(item: Item): void {
    this.#held.push(item);
    this.#passOn();
  }

  /** Somebody has taken something in, or is gone. */
  roomMade(): void {
    this.#passOn();
  }

  held(): Iterable<Item> {
    return this.#held;
  }

  /** What is held stays with those who sent it. */
  close(): void {
    clearTimeout(this.#timer);
    this.#state = 'closed';
    this.#held.clear();
  }

  #passOn(): void {
    // A peer of this very thread may make room while something is passed on to it.
    if (this.#isPassingOn || this.#state === 'waiting' || this.#state === 'closed') return;
    this.#isPassingOn = true;
    try {
      for (;;) {
        const next = this.#held.peek();
        if (next === undefined) break;
        const mayDrop = this.#state === 'rushing';
        if (!mayDrop && !this.#setup.hasRoom(next)) return;
        this.#held.shift();
        this.#setup.passOn(next, mayDrop);
      }
    } finally {
      this.#isPassingOn = false;
    }
    this.close();
    this.#setup.over();
  }
}
