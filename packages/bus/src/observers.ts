/** Who is told of everything that happens from now on. */
export class Observers<T> {
  readonly #listeners = new Set<(value: T) => void>();

  /** The listener is told until the returned function is called. */
  observe(listener: (value: T) => void): () => void {
    // Its own function, so that one listener given twice is two.
    const own = (value: T) => listener(value);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  tell(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }
}
