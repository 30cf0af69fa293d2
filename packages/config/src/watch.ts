/**
 * Settings that are loaded again when a file of theirs changes. A change is anything that could give another value: a file written,
 * replaced by a rename, removed, or made nearer by; a folder that comes or goes; trust given or taken back.
 */
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { ConfigError } from './errors.ts';
import { candidatesIn, foldersUpward } from './find-file.ts';
import { addFolderTarget, addTarget, FolderWatch, type WatchTargets } from './folder-watch.ts';
import { type LoadedConfig, loadConfig } from './load.ts';
import { type LoadOptions, type ResolvedOptions, resolveLoadOptions } from './options.ts';

export interface WatchOptions<Schema extends StandardSchemaV1> extends LoadOptions<Schema> {
  /** How long all must be quiet before the files are read again: editors write in steps. @default 50 */
  readonly debounceMs?: number;
  /** @default the system's */
  readonly clock?: WatchClock;
  /** Ends the watch: whoever waits for an event is rejected with its reason. */
  readonly signal?: AbortSignal;
}

export interface WatchClock {
  /** Resolves `ms` milliseconds from now; rejects when `signal` aborts first. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** What `watch` yields when files change. */
export type ConfigEvent<T> =
  /** The value differs from the last one, or is whole again after `broken`. */
  | { readonly type: 'changed'; readonly config: LoadedConfig<T> }
  /** The settings can't be loaded as they are now; `config` is the last that could, and stays in force. */
  | { readonly type: 'broken'; readonly error: ConfigError; readonly config: LoadedConfig<T> };

/** For one consumer. One that is slow gets the newest event only. Leaving the loop closes it. */
export interface ConfigWatch<T> extends AsyncIterable<ConfigEvent<T>>, AsyncDisposable {
  /** The last settings that could be loaded. */
  readonly current: LoadedConfig<T>;
  /** Releases every watch; a loop over the events ends. */
  close(): Promise<void>;
}

/**
 * Loads the settings and watches where they come from. Keeps the process alive until it is closed.
 * @throws {ConfigError} as `loadConfig` does, when they can't be loaded now · CONFIG_UNWATCHABLE when the system has no more watches
 * Cost: one watch for each folder from `cwd` to `topDirectory`, and some for the user's folders.
 */
export async function watchConfig<Schema extends StandardSchemaV1>(
  options: WatchOptions<Schema>,
): Promise<ConfigWatch<StandardSchemaV1.InferOutput<Schema>>> {
  const { debounceMs = 50, clock = systemClock, signal, ...loadOptions } = options;
  if (!Number.isFinite(debounceMs) || debounceMs < 0) {
    throw new RangeError(`Expected \`debounceMs\` to be a number from 0, got \`${debounceMs}\` (${typeof debounceMs})`);
  }
  signal?.throwIfAborted();
  const settings = resolveLoadOptions(loadOptions);
  const opened = new Watch(
    () => loadConfig(loadOptions),
    () => targetsOf(settings),
    debounceMs,
    clock,
    signal,
  );
  await opened.open();
  return opened;
}

const systemClock: WatchClock = {
  wait: async (ms, signal) => {
    await setTimeout(ms, undefined, { signal });
  },
};

/** A writer that never rests is read in spite of that after so many waits. */
const maxQuietWaits = 20;
const maxReloads = 5;

class Watch<T> implements ConfigWatch<T> {
  readonly #load: () => Promise<LoadedConfig<T>>;
  readonly #targets: () => WatchTargets;
  readonly #debounceMs: number;
  readonly #clock: WatchClock;
  readonly #signal: AbortSignal | undefined;
  readonly #folders: FolderWatch;
  readonly #ended = new AbortController();
  #state: 'opening' | 'open' | 'closed' = 'opening';
  #current: LoadedConfig<T> | undefined;
  #brokenMessage: string | undefined;
  #event: ConfigEvent<T> | undefined;
  #failure: { readonly reason: unknown } | undefined;
  /** Something happened since the files were last read. */
  #isDirty = false;
  #isConsumed = false;
  #running: Promise<void> | undefined;
  #wakeConsumer: (() => void) | undefined;

  constructor(
    load: () => Promise<LoadedConfig<T>>,
    targets: () => WatchTargets,
    debounceMs: number,
    clock: WatchClock,
    signal: AbortSignal | undefined,
  ) {
    this.#load = load;
    this.#targets = targets;
    this.#debounceMs = debounceMs;
    this.#clock = clock;
    this.#signal = signal;
    this.#folders = new FolderWatch(() => this.#changed());
  }

  get current(): LoadedConfig<T> {
    if (this.#current === undefined) throw new TypeError('The settings are not loaded yet');
    return this.#current;
  }

  async open(): Promise<void> {
    try {
      // Watching comes first, so that nothing is missed between the two.
      this.#folders.follow(this.#targets());
      this.#current = await this.#load();
    } catch (error) {
      this.#folders.close();
      throw error;
    }
    this.#state = 'open';
    this.#signal?.addEventListener('abort', this.#aborted);
    if (this.#signal?.aborted === true) this.#aborted();
    if (this.#isDirty) this.#changed();
  }

  [Symbol.asyncIterator](): AsyncIterator<ConfigEvent<T>> {
    if (this.#isConsumed) throw new TypeError('The events of a watch are for one consumer; open a second watch');
    this.#isConsumed = true;
    return {
      next: () => this.#next(),
      return: async () => {
        await this.close();
        return { done: true, value: undefined };
      },
    };
  }

  async close(): Promise<void> {
    this.#end();
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #next(): Promise<IteratorResult<ConfigEvent<T>>> {
    for (;;) {
      const event = this.#event;
      this.#event = undefined;
      if (this.#failure !== undefined) {
        const { reason } = this.#failure;
        this.#failure = undefined;
        throw reason;
      }
      if (this.#state === 'closed') return { done: true, value: undefined };
      if (event !== undefined) return { done: false, value: event };
      await new Promise<void>((resolve) => {
        this.#wakeConsumer = resolve;
      });
    }
  }

  #changed(): void {
    this.#isDirty = true;
    if (this.#state !== 'open' || this.#running !== undefined) return;
    this.#running = this.#readUntilQuiet().finally(() => {
      this.#running = undefined;
      if (this.#isDirty) this.#changed();
    });
  }

  async #readUntilQuiet(): Promise<void> {
    try {
      for (let waits = 0; this.#isDirty && waits < maxQuietWaits; waits++) {
        this.#isDirty = false;
        await this.#clock.wait(this.#debounceMs, this.#ended.signal);
      }
      this.#isDirty = false;
      this.#folders.follow(this.#targets());
      for (let reloads = 0; reloads < maxReloads && !this.#ended.signal.aborted; reloads++) {
        await this.#reload();
        // What was made in a folder before it was watched has no event of its own.
        if (!this.#folders.follow(this.#targets())) break;
      }
    } catch (reason) {
      if (!this.#ended.signal.aborted) this.#fail(reason);
    } finally {
      if (this.#ended.signal.aborted) this.#folders.close();
    }
  }

  async #reload(): Promise<void> {
    try {
      const loaded = await this.#load();
      const isSame = isDeepStrictEqual(loaded.value, this.current.value) && this.#brokenMessage === undefined;
      this.#current = loaded;
      this.#brokenMessage = undefined;
      if (!isSame) this.#tell({ type: 'changed', config: loaded });
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (error.message === this.#brokenMessage) return;
      this.#brokenMessage = error.message;
      this.#tell({ type: 'broken', error, config: this.current });
    }
  }

  #tell(event: ConfigEvent<T>): void {
    if (this.#state === 'closed') return;
    this.#event = Object.freeze(event);
    this.#wakeConsumer?.();
  }

  #fail(reason: unknown): void {
    this.#failure = { reason };
    this.#end();
  }

  readonly #aborted = (): void => this.#fail(this.#signal?.reason);

  #end(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#isDirty = false;
    this.#event = undefined;
    this.#signal?.removeEventListener('abort', this.#aborted);
    this.#folders.close();
    this.#ended.abort();
    this.#wakeConsumer?.();
  }
}

function targetsOf(settings: ResolvedOptions): WatchTargets {
  const { userDirectory, projectFile, cwd, topDirectory, projectStem, trustDirectory, userOnly } = settings;
  const targets: WatchTargets = new Map();
  if (userDirectory !== undefined) {
    for (const name of candidatesIn('config')) addTarget(targets, join(userDirectory, name));
  }
  if (projectFile === undefined) {
    for (const folder of foldersUpward(cwd, topDirectory)) {
      for (const name of candidatesIn(projectStem)) addTarget(targets, join(folder, name));
    }
  } else {
    addTarget(targets, projectFile);
  }
  if (trustDirectory !== undefined && userOnly.length > 0) addFolderTarget(targets, trustDirectory);
  return targets;
}
