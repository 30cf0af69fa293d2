/**
 * A hub that takes the place of one that died: peers return one by one, and what is passed on before the last of them listens again
 * would miss it. So what is published is held until all are back, or have been waited for long enough, and is then passed on as
 * there is room for it.
 */
import { Easing, type EasingSetup } from './easing.ts';

export interface GatheringSetup<Item> extends Omit<EasingSetup<Item>, 'over'> {
  /** Who returns later is not waited for. */
  readonly waitMs: number;
  /** They were waited for in vain. */
  gaveUp(listeners: Iterable<string>): void;
}

export class Gathering<Item> {
  readonly #setup: GatheringSetup<Item>;
  readonly #easing: Easing<Item>;
  readonly #expected = new Set<string>();
  readonly #back = new Set<string>();
  #state: 'none' | 'waiting' | 'easing' | 'over' = 'none';
  #timer: NodeJS.Timeout | undefined;

  constructor(setup: GatheringSetup<Item>) {
    this.#setup = setup;
    this.#easing = new Easing({
      forMs: setup.forMs,
      hasRoom: setup.hasRoom,
      passOn: setup.passOn,
      over: () => {
        this.#state = 'over';
      },
    });
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
    this.#easing.hold(item);
  }

  /** Somebody has taken something in, or is gone. */
  roomMade(): void {
    if (this.#state === 'easing') this.#easing.roomMade();
  }

  held(): Iterable<Item> {
    return this.#easing.held();
  }

  /** What is held stays with those who sent it. */
  close(): void {
    clearTimeout(this.#timer);
    this.#state = 'over';
    this.#easing.close();
  }

  #ease(): void {
    clearTimeout(this.#timer);
    this.#state = 'easing';
    this.#setup.gaveUp(this.#expected);
    this.#expected.clear();
    this.#back.clear();
    this.#easing.start();
  }
}
