/**
 * Keeping workers alive, as OTP does: a child that ends is started again by its strategy, and one that keeps ending takes
 * its supervisor down, so that a fault which a restart can't mend reaches somebody who can.
 */
import { SpawnError } from './errors.ts';

/** `oneForOne`: the child that ended; `oneForAll`: all of them; `restForOne`: it and those started after it. */
export type SupervisionStrategy = 'oneForOne' | 'oneForAll' | 'restForOne';

/** What a child is to its supervisor: something that ends, and can be ended. */
export interface SupervisedWorker {
  /** Settles when it has ended: `failed` however it rejects. */
  readonly ended: Promise<'succeeded' | 'failed'>;
  end(): Promise<unknown>;
}

export interface ChildSpecification {
  readonly name: string;
  start(): Promise<SupervisedWorker>;
  /** When it is started again after an end of its own: always, only after a failure, or never. @default 'permanent' */
  readonly restart?: 'permanent' | 'transient' | 'temporary';
}

export interface SuperviseOptions {
  readonly children: readonly ChildSpecification[];
  /** @default 'oneForOne' */
  readonly strategy?: SupervisionStrategy;
  /** More restarts than this within `withinMs` end everything. 0: the first failure does. @default 3 */
  readonly maxRestarts?: number;
  /** @default 5000 */
  readonly withinMs?: number;
  /** @default performance */
  readonly clock?: { now(): number };
}

export interface Supervisor {
  /** Restarts so far. */
  readonly restarts: number;
  /**
   * Resolves when no child is left: all have ended for good, or `close` was called.
   * @throws {SpawnError} SPAWN_RESTART_INTENSITY when children kept ending; all are ended by then.
   */
  readonly result: Promise<void>;
  /** Ends the children, last started first. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Counts restarts in a sliding window. Pure but for the clock that its caller reads.
 * Source: Erlang/OTP supervisor.erl, `add_restart`: a restart is refused when it is the `maxRestarts + 1`st within `withinMs`.
 */
export class RestartIntensity {
  readonly #maxRestarts: number;
  readonly #withinMs: number;
  #times: number[] = [];

  constructor(maxRestarts: number, withinMs: number) {
    if (!Number.isSafeInteger(maxRestarts) || maxRestarts < 0) {
      throw new RangeError(`maxRestarts must be an integer of at least 0, got ${maxRestarts}`);
    }
    if (!(withinMs > 0)) throw new RangeError(`withinMs must be more than 0, got ${withinMs}`);
    this.#maxRestarts = maxRestarts;
    this.#withinMs = withinMs;
  }

  /** Notes a restart at `nowMs`; false when it is one too many. Cost: O(`maxRestarts`). */
  allow(nowMs: number): boolean {
    this.#times = this.#times.filter((timeMs) => nowMs - timeMs <= this.#withinMs);
    this.#times.push(nowMs);
    return this.#times.length <= this.#maxRestarts;
  }
}

/** Starts the children in order. @throws what a child's first start throws; those before it are ended. */
export async function supervise(options: SuperviseOptions): Promise<Supervisor> {
  const { children, strategy = 'oneForOne', maxRestarts = 3, withinMs = 5000, clock = performance } = options;
  if (!['oneForOne', 'oneForAll', 'restForOne'].includes(strategy)) {
    throw new TypeError(`strategy must be 'oneForOne', 'oneForAll' or 'restForOne', got ${String(strategy)}`);
  }
  const names = new Set(children.map(({ name }) => name));
  if (names.size !== children.length) throw new TypeError('children must have names that differ');
  const supervisor = new ChildSupervisor(children, strategy, new RestartIntensity(maxRestarts, withinMs), clock);
  await supervisor.startAll();
  return supervisor;
}

interface Ending {
  readonly index: number;
  readonly worker: SupervisedWorker;
  readonly how: 'succeeded' | 'failed';
}

class ChildSupervisor implements Supervisor {
  restarts = 0;
  readonly result: Promise<void>;
  readonly #children: readonly ChildSpecification[];
  readonly #strategy: SupervisionStrategy;
  readonly #intensity: RestartIntensity;
  readonly #clock: { now(): number };
  readonly #workers: (SupervisedWorker | undefined)[];
  #work: Promise<void> = Promise.resolve();
  #state: 'open' | 'closed' = 'open';
  #lastFailure: unknown;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(
    children: readonly ChildSpecification[],
    strategy: SupervisionStrategy,
    intensity: RestartIntensity,
    clock: { now(): number },
  ) {
    this.#children = children;
    this.#strategy = strategy;
    this.#intensity = intensity;
    this.#clock = clock;
    this.#workers = children.map(() => undefined);
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever only calls `close` must not meet an unhandled rejection.
    this.result.catch(() => undefined);
  }

  async startAll(): Promise<void> {
    try {
      for (const index of this.#children.keys()) await this.#start(index);
    } catch (error) {
      await this.#endFrom(0);
      throw error;
    }
    if (this.#children.length === 0) this.#resolve();
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    await this.#work;
    await this.#endFrom(0);
    this.#resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(index: number): Promise<void> {
    const worker = await this.#children[index]?.start();
    if (worker === undefined) return;
    this.#workers[index] = worker;
    const note = (how: 'succeeded' | 'failed'): void => {
      // One at a time: a second end while the first is answered finds the children as the answer left them.
      this.#work = this.#work.then(() => this.#answer({ index, worker, how }));
    };
    worker.ended.then(note, () => note('failed'));
  }

  async #answer({ index, worker, how }: Ending): Promise<void> {
    if (this.#state === 'closed' || this.#workers[index] !== worker) return;
    this.#workers[index] = undefined;
    const { restart = 'permanent' } = this.#children[index] ?? {};
    if (restart === 'temporary' || (restart === 'transient' && how === 'succeeded')) {
      if (this.#workers.every((child) => child === undefined)) this.#resolve();
      return;
    }
    try {
      await this.#restart(index);
    } catch (error) {
      this.#state = 'closed';
      await this.#endFrom(0);
      this.#reject(error);
    }
  }

  /** A start that fails is a restart too, tried again until it succeeds or is one too many. */
  async #restart(index: number): Promise<void> {
    const first = this.#strategy === 'oneForAll' ? 0 : index;
    const last = this.#strategy === 'oneForOne' ? index : this.#children.length - 1;
    const wanted = this.#workers.map((worker, child) => child === index || worker !== undefined);
    for (;;) {
      this.#countRestart(index);
      if (this.#strategy !== 'oneForOne') await this.#endFrom(first);
      try {
        for (let child = first; child <= last; child += 1) if (wanted[child]) await this.#start(child);
        return;
      } catch (error) {
        this.#lastFailure = error;
      }
    }
  }

  #countRestart(index: number): void {
    if (this.#intensity.allow(this.#clock.now())) {
      this.restarts += 1;
      return;
    }
    const name = this.#children[index]?.name ?? '';
    const message = `${name} ended again after ${this.restarts} restarts (maxRestarts within withinMs); all children were ended. Find out why it ends, or allow more.`;
    throw new SpawnError('SPAWN_RESTART_INTENSITY', message, { cause: this.#lastFailure });
  }

  async #endFrom(first: number): Promise<void> {
    for (let index = this.#workers.length - 1; index >= first; index -= 1) {
      const worker = this.#workers[index];
      this.#workers[index] = undefined;
      await worker?.end();
    }
  }
}
