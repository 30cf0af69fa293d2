/** What a run needs before it begins or goes on, whichever command asks for it. */
import { resolve } from 'node:path';
import { compose, type Machinery } from './compose.ts';
import type { Console, SharedOptions } from './console.ts';
import { stateFolder } from './folders.ts';
import type { Host } from './host.ts';
import { loadSettings, type Settings } from './settings.ts';

export interface RunningOptions extends SharedOptions {
  readonly plain?: boolean;
  readonly concurrency?: number;
  readonly profile?: string;
  /** False: `--no-cache`. */
  readonly cache: boolean;
}

/** The settings of the project, with what the command line says; their warnings are told. */
export async function loadRunSettings(host: Host, console: Console, options: RunningOptions): Promise<Settings> {
  const { value, warnings } = await loadSettings(host, {
    directory: resolve(host.directory, options.project ?? '.'),
    profile: options.profile,
    flags: { concurrency: options.concurrency },
  });
  for (const { message, suggestion } of warnings) console.warn([message, suggestion].filter(Boolean).join('; '));
  return value;
}

export function composeRun(host: Host, console: Console, settings: Settings, useCache: boolean): Promise<Machinery> {
  return compose({
    settings,
    projectFolder: console.projectFolder,
    stateFolder: stateFolder(host),
    useCache,
    warn: console.warn,
  });
}
