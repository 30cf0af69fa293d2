/**
 * What is wrong, up to a bound: a file can be wrong in a hundred thousand places, and finding the line and a suggestion for each
 * would take longer than anyone reads. What is beyond is counted.
 */
import type { ConfigProblem } from './errors.ts';

const maxListed = 100;

export class ProblemList {
  readonly #listed: ConfigProblem[] = [];
  #omitted = 0;

  get listed(): readonly ConfigProblem[] {
    return this.#listed;
  }

  /** How many there are beside those that are listed. */
  get omitted(): number {
    return this.#omitted;
  }

  get isEmpty(): boolean {
    return this.#listed.length === 0;
  }

  /** @param make is called only when there is room */
  add(make: () => ConfigProblem): void {
    if (this.#listed.length < maxListed) this.#listed.push(make());
    else this.#omitted++;
  }

  addAll(others: ProblemList): void {
    for (const problem of others.listed) this.add(() => problem);
    this.#omitted += others.omitted;
  }
}
