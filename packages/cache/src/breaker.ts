/**
 * A circuit breaker as a small state machine, so that a remote store that is down is not asked, and waited for, again
 * and again: *closed* (asked), *open* (not asked) after a number of failures in a row, *half-open* (asked by one call,
 * whose outcome decides) when it has been open for a while. Source: Nygard, Release It!, "Circuit Breaker".
 */

/** Whether the store is asked: always, not at all, or by one call whose outcome decides. */
export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  /** Failures in a row after which the breaker opens. */
  readonly failures: number;
  readonly openMs: number;
  readonly now: () => number;
  readonly onChange: (state: BreakerState) => void;
}

export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = 'closed';
  #failuresInARow = 0;
  #openedAtMs = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Whether this call may go through. A call that was let through must be followed by `succeeded` or `failed`. */
  admits(): boolean {
    if (this.#state === 'closed') return true;
    if (this.#state === 'half-open') return false;
    const openForMs = this.#options.now() - this.#openedAtMs;
    // A clock that was set back must not keep it open for as long.
    if (openForMs >= 0 && openForMs < this.#options.openMs) return false;
    this.#become('half-open');
    return true;
  }

  succeeded(): void {
    // A late answer to a call from before it opened says nothing about now.
    if (this.#state === 'open') return;
    this.#failuresInARow = 0;
    this.#become('closed');
  }

  failed(): void {
    if (this.#state === 'open') return;
    this.#failuresInARow += 1;
    if (this.#state === 'closed' && this.#failuresInARow < this.#options.failures) return;
    this.#openedAtMs = this.#options.now();
    this.#become('open');
  }

  #become(state: BreakerState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.onChange(state);
  }
}
