/** Picks the parts a run is made of. The only file that names a driver. */
import { join } from 'node:path';
import { type Bus, createBus, memoryTransport } from '@cadre/bus';
import { type Cache, createCache, memoryStore, type Store, type StoreUnavailableError } from '@cadre/cache';
import { openDiskStore, openSecretFile } from '@cadre/cache/disk';
import { type Attempt, type Executor, localExecutor } from '@cadre/workflow';
import type { Settings } from './settings.ts';

export interface Machinery extends AsyncDisposable {
  readonly bus: Bus;
  readonly executor: Executor;
  /** Undefined: not wanted, or it could not be opened. */
  readonly cache?: Cache;
  readonly concurrency: number;
}

export interface ComposeOptions {
  readonly settings: Settings;
  /** The project's `.cadre`. */
  readonly projectFolder: string;
  /** The user's own folder; undefined: there is none, and nothing is reused from other runs. */
  readonly stateFolder: string | undefined;
  readonly useCache: boolean;
  /** Told once of whatever makes the cache useless. */
  readonly warn: (message: string) => void;
}

/** The parts of a run in this process. Whoever disposes of them closes them all. */
export async function compose(options: ComposeOptions): Promise<Machinery> {
  const { settings, useCache } = options;
  const cache = useCache ? await openResultsCache(options) : undefined;
  const bus = createBus({ transport: memoryTransport() });
  const local = localExecutor({ graceMs: settings.graceMs });
  const executor = amending(local, (attempt) =>
    withEnvironment(withTimeout(attempt, settings.timeoutMs), settings.environment),
  );
  return {
    bus,
    executor,
    concurrency: settings.concurrency,
    ...(cache === undefined ? {} : { cache }),
    async [Symbol.asyncDispose]() {
      await executor.close();
      await cache?.close();
      await bus.close();
    },
  };
}

async function openResultsCache(options: ComposeOptions): Promise<Cache | undefined> {
  const { settings, stateFolder } = options;
  const warn = once((reason) => options.warn(`Results can't be reused: ${reason}`));
  if (stateFolder === undefined) {
    warn(noStateFolder);
    return undefined;
  }
  try {
    const { memoryMaxBytes, diskMaxBytes } = settings.cache;
    const stores: Store[] = memoryMaxBytes > 0 ? [memoryStore({ maxBytes: memoryMaxBytes })] : [];
    if (diskMaxBytes > 0) stores.push(await openResultsOnDisk(options));
    if (stores.length === 0) return undefined;
    return createResultsCache(stores, await openCacheSecret(stateFolder), ({ message }) => warn(message));
  } catch (error) {
    warn(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** What is kept of a project's results on disk, for those who look after it rather than use it. */
export interface KeptResults {
  readonly cache: Cache;
  readonly directory: string;
  /** Resolves when what lies on disk has been counted. */
  counted(): Promise<void>;
}

/** @throws {CacheError} when the folder or the secret can't be used */
export async function openKeptResults(
  options: Pick<ComposeOptions, 'settings' | 'projectFolder'> & { readonly stateFolder: string },
): Promise<KeptResults> {
  const secret = await openCacheSecret(options.stateFolder);
  const disk = await openResultsOnDisk(options);
  const cache = createResultsCache([disk], secret, () => undefined);
  return { cache, directory: resultsDirectory(options.projectFolder), counted: () => disk.settled() };
}

/** Where a project's results lie. */
export function resultsDirectory(projectFolder: string): string {
  return join(projectFolder, 'cache');
}

export const noStateFolder = 'neither HOME nor XDG_STATE_HOME says where the secret that seals them is kept.';

function openResultsOnDisk({ settings, projectFolder }: Pick<ComposeOptions, 'settings' | 'projectFolder'>) {
  return openDiskStore({ directory: resultsDirectory(projectFolder), maxBytes: settings.cache.diskMaxBytes });
}

/** Not in the project: a repository could bring a cache of forged results and the secret that vouches for them. */
function openCacheSecret(stateFolder: string): Promise<Uint8Array> {
  return openSecretFile(join(stateFolder, 'cache-secret'));
}

function createResultsCache(
  stores: readonly Store[],
  secret: Uint8Array,
  onStoreError: (error: StoreUnavailableError) => void,
): Cache {
  return createCache({ namespace: 'results', stores, secrets: [secret], onStoreError });
}

/** Each attempt as `amend` leaves it, whatever is done with it. */
function amending(executor: Executor, amend: (attempt: Attempt) => Attempt): Executor {
  const { adopt, forget } = executor;
  return {
    execute: (attempt, observer, signal) => executor.execute(amend(attempt), observer, signal),
    ...(adopt && { adopt: (attempt, observer, signal) => adopt.call(executor, amend(attempt), observer, signal) }),
    ...(forget && { forget: (attempt) => forget.call(executor, attempt) }),
    close: () => executor.close(),
  };
}

/** The setting counts for attempts that the workflow sets no limit for. */
function withTimeout(attempt: Attempt, timeoutMs: number): Attempt {
  return attempt.timeoutMs === Number.POSITIVE_INFINITY ? { ...attempt, timeoutMs } : attempt;
}

/** What the workflow gives an agent counts more. Agents that are functions of ours have no environment of their own. */
function withEnvironment(attempt: Attempt, environment: Settings['environment']): Attempt {
  const { agent } = attempt;
  if (agent.adapter === 'module' || agent.adapter === 'model') return attempt;
  return { ...attempt, agent: { ...agent, environment: { ...environment, ...agent.environment } } };
}

function once(tell: (message: string) => void): (message: string) => void {
  let told = false;
  return (message) => {
    if (!told) tell(message);
    told = true;
  };
}
