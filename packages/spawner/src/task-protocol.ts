/** What a pool and its workers say to each other about tasks, whatever carries the words. */

/**
 * `grown` comes before the reply that ends a task: the worker holds more than it may. `crashing` is the last word of a process
 * whose error nobody caught.
 */
export const reply = {
  done: 0,
  failed: 1,
  emitted: 2,
  moduleNotFound: 3,
  notCloneable: 4,
  grown: 5,
  crashing: 6,
} as const;

/** What a worker reports: slot, generation, one of `reply`, and the value that goes with it. */
export type FromWorker = readonly [slot: number, generation: number, kind: number, value: unknown] | 'ready';

/** A function that later messages name by its id. */
export interface DefineMessage {
  readonly type: 'define';
  readonly id: number;
  readonly module: string;
  readonly exportName: string;
}

export interface AbortMessage {
  readonly type: 'abort';
  readonly slot: number;
  readonly generation: number;
}

/** A thrown value in a form that survives the way between workers, which keeps only the standard error names. */
export type ThrownValue =
  | {
      readonly type: 'error';
      readonly name: string;
      readonly message: string;
      readonly stack?: string;
      readonly code?: string;
    }
  | { readonly type: 'value'; readonly value: unknown };

/** Defines each function once for a worker, and gives it a number. */
export class FunctionIds {
  readonly #ids = new Map<string, number>();
  readonly #define: (message: DefineMessage) => void;

  constructor(define: (message: DefineMessage) => void) {
    this.#define = define;
  }

  of({ module, exportName }: { readonly module: string; readonly exportName: string }): number {
    const key = `${exportName} ${module}`;
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#ids.size;
      this.#ids.set(key, id);
      this.#define({ type: 'define', id, module, exportName });
    }
    return id;
  }
}
