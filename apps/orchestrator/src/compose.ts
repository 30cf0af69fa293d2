/** Picks the parts a run is made of. The only file that names a driver. */
import { join } from 'node:path';
import { type Bus, createBus, memoryTransport } from '@cadre/bus';
import { type Cache, createCache, memoryStore } from '@cadre/cache';
import { openDiskStore, openSecretFile } from '@cadre/cache/disk';
import { type Executor, localExecutor } from '@cadre/workflow';
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
  const executor = withEnvironment(withTimeout(local, settings.timeoutMs), settings.environment);
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
  const { settings, projectFolder, stateFolder } = options;
  const warn = once((reason) => options.warn(`Results can't be reused: ${reason}`));
  if (stateFolder === undefined) {
    warn('neither HOME nor XDG_STATE_HOME says where the secret that seals them is kept.');
    return undefined;
  }
  try {
    // Not in the project: a repository could bring a cache of forged results and the secret that vouches for them.
    const secret = await openSecretFile(join(stateFolder, 'cache-secret'));
    const { memoryMaxBytes, diskMaxBytes } = settings.cache;
    const stores = [];
    if (memoryMaxBytes > 0) stores.push(memoryStore({ maxBytes: memoryMaxBytes }));
    if (diskMaxBytes > 0) {
      stores.push(await openDiskStore({ directory: join(projectFolder, 'cache'), maxBytes: diskMaxBytes }));
    }
    if (stores.length === 0) return undefined;
    return createCache({
      namespace: 'results',
      stores,
      secrets: [secret],
      onStoreError: ({ message }) => warn(message),
    });
  } catch (error) {
    warn(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** The setting counts for attempts that the workflow sets no limit for. */
function withTimeout(executor: Executor, timeoutMs: number): Executor {
  return {
    execute: (attempt, observer, signal) => {
      const isUnlimited = attempt.timeoutMs === Number.POSITIVE_INFINITY;
      return executor.execute(isUnlimited ? { ...attempt, timeoutMs } : attempt, observer, signal);
    },
    close: () => executor.close(),
  };
}

/** What the workflow gives an agent counts more. Agents that are functions of ours have no environment of their own. */
function withEnvironment(executor: Executor, environment: Settings['environment']): Executor {
  return {
    execute: (attempt, observer, signal) => {
      const { agent } = attempt;
      if (agent.adapter === 'module' || agent.adapter === 'model') return executor.execute(attempt, observer, signal);
      const own = { ...agent, environment: { ...environment, ...agent.environment } };
      return executor.execute({ ...attempt, agent: own }, observer, signal);
    },
    close: () => executor.close(),
  };
}

function once(tell: (message: string) => void): (message: string) => void {
  let told = false;
  return (message) => {
    if (!told) tell(message);
    told = true;
  };
}
