/**
 * One computation per key: whoever asks while one is under way waits for it. A waiter that aborts leaves alone; when
 * the last one has left, the computation's own signal aborts and the key is free for a new one.
 */

export interface Flight<T> {
  /** False once a newer write to the key, or the abort of everyone waiting, made the result unwanted in the cache. */
  readonly current: boolean;
  join(signal?: AbortSignal): Promise<T>;
}

export type Computation<T> = (context: { readonly signal: AbortSignal; readonly flight: Flight<T> }) => Promise<T>;

export class SingleFlight<T> {
  readonly #flights = new Map<string, RunningFlight<T>>();

  get(key: string): Flight<T> | undefined {
    return this.#flights.get(key);
  }

  /** Begins a computation without joining it. Call only when `get` finds none. */
  start(key: string, tags: readonly string[], compute: Computation<T>): Flight<T> {
    const flight = new RunningFlight<T>(tags, compute, () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    this.#flights.set(key, flight);
    return flight;
  }

  /** What is under way for the key no longer counts: its waiters get its result, the next caller begins anew. */
  supersede(key: string): void {
    this.#flights.get(key)?.supersede();
  }

  supersedeTagged(tag: string): void {
    for (const flight of [...this.#flights.values()]) if (flight.tags.includes(tag)) flight.supersede();
  }

  supersedeAll(): void {
    for (const flight of [...this.#flights.values()]) flight.supersede();
  }

  /** Resolves when nothing is under way; what failed has told its own waiters. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#flights.values()].map((flight) => flight.result));
  }

  abortAll(reason: unknown): void {
    for (const flight of [...this.#flights.values()]) flight.abort(reason);
  }
}

class RunningFlight<T> implements Flight<T> {
  current = true;
  readonly tags: readonly string[];
  readonly result: Promise<T>;
  readonly #controller = new AbortController();
  readonly #forget: () => void;
  #waiters = 0;

  constructor(tags: readonly string[], compute: Computation<T>, forget: () => void) {
    this.tags = tags;
    this.#forget = forget;
    this.result = this.#run(compute);
    this.result.catch(alreadyTold);
  }

  async join(signal?: AbortSignal): Promise<T> {
    this.#waiters += 1;
    if (signal === undefined) return this.result;
    let leave: (() => void) | undefined;
    const left = new Promise<never>((_resolve, reject) => {
      leave = () => reject(signal.reason);
      signal.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([this.result, left]);
    } finally {
      if (leave !== undefined) signal.removeEventListener('abort', leave);
      this.#waiters -= 1;
      if (this.#waiters === 0 && signal.aborted) this.abort(signal.reason);
    }
  }

  supersede(): void {
    this.current = false;
    this.#forget();
  }

  abort(reason: unknown): void {
    this.supersede();
    this.#controller.abort(reason);
  }

  async #run(compute: Computation<T>): Promise<T> {
    const { signal } = this.#controller;
    try {
      // Not before the flight can be found: a computation may ask for its own key, and must find itself.
      await Promise.resolve();
      signal.throwIfAborted();
      return await compute({ signal, flight: this });
    } finally {
      this.#forget();
    }
  }
}

/** Each waiter holds its own promise of the result; this one only keeps Node from ending the process over it. */
function alreadyTold(): undefined {
  return undefined;
}
