/**
 * How long a reader looks again before it sleeps. An answer of another thread comes within microseconds, and waking costs ten
 * times that; but where the cores are busy, looking keeps from its core the very thread that is waited for. So a reader looks
 * again for as long as that has paid off lately, and after each time that it did not, sleeps at once the more often.
 */

/** Some times as long as an answer takes that comes from a thread with a core of its own; about what waking two of them costs. */
const maxAwakeMs = 0.1;
const maxSkips = 256;

export class Patience {
  readonly #clock: { now(): number };
  #awakeSince: number | undefined;
  #fails = 0;
  /** Sleeps still to be taken at once. */
  #skips = 0;

  /** @param clock  milliseconds, never going back */
  constructor(clock: { now(): number }) {
    this.#clock = clock;
  }

  /** Something has come. */
  found(): void {
    if (this.#awakeSince !== undefined) this.#judge(this.#awakeSince);
    this.#awakeSince = undefined;
  }

  /** Nothing has come: whether to look again instead of sleeping. */
  looksAgain(): boolean {
    if (this.#awakeSince === undefined) {
      if (this.#skips > 0) {
        this.#skips--;
        return false;
      }
      this.#awakeSince = this.#clock.now();
      return true;
    }
    if (this.#clock.now() - this.#awakeSince <= maxAwakeMs) return true;
    this.#judge(this.#awakeSince);
    this.#awakeSince = undefined;
    return false;
  }

  /** What was found too late was found by a thread that had lost its core meanwhile. */
  #judge(awakeSince: number): void {
    if (this.#clock.now() - awakeSince <= maxAwakeMs) this.#fails = 0;
    else this.#skips = Math.min(2 ** this.#fails++, maxSkips);
  }
}
