/** First in, first out, with a place at the front for tasks taken back and no cost for those that leave early. */
import type { AcceptedTask } from './pool-worker.ts';

export class TaskQueue {
  size = 0;
  #tasks: AcceptedTask[] = [];
  #head = 0;
  /** Youngest first. All of them are older than those in `#tasks`. */
  #putBack: AcceptedTask[] = [];

  push(task: AcceptedTask): void {
    // Tasks that were aborted while they waited stay in the array until it is their turn, or until they are most of it.
    if (this.#tasks.length > 64 && this.#tasks.length > 2 * (this.size + 1)) {
      this.#tasks = this.#tasks.slice(this.#head).filter((waiting) => waiting.state === 'queued');
      this.#head = 0;
    }
    this.#tasks.push(task);
    this.size += 1;
  }

  shift(): AcceptedTask | undefined {
    for (;;) {
      const task = this.#putBack.pop() ?? this.#tasks[this.#head++];
      if (task === undefined) {
        this.#tasks = [];
        this.#head = 0;
        return undefined;
      }
      if (task.state !== 'queued') continue;
      this.size -= 1;
      return task;
    }
  }

  putBack(tasks: readonly AcceptedTask[]): void {
    if (tasks.length === 0) return;
    this.#putBack = [...this.#putBack, ...tasks].sort((a, b) => b.sequence - a.sequence);
    this.size += tasks.length;
  }

  /** One that waits here is about to be settled. */
  drop(): void {
    this.size -= 1;
  }
}
