/** `cadre resume`: goes on with a run that crashed, was stopped or failed. */
import { resolve } from 'node:path';
import { readRun, resumeRun } from '@cadre/workflow';
import { compose } from '../compose.ts';
import { conduct } from '../conduct.ts';
import { openConsole, type SharedOptions } from '../console.ts';
import { stateFolder } from '../folders.ts';
import type { Host } from '../host.ts';
import { findUnfinishedRun } from '../runs.ts';
import { loadSettings } from '../settings.ts';

export interface ResumeOptions extends SharedOptions {
  readonly plain?: boolean;
  readonly concurrency?: number;
  readonly profile?: string;
  /** False: `--no-cache`. */
  readonly cache: boolean;
}

export async function resume(host: Host, givenId: string | undefined, options: ResumeOptions): Promise<number> {
  const console = openConsole(host, options);
  const settings = await loadSettings(host, {
    directory: resolve(host.directory, options.project ?? '.'),
    profile: options.profile,
    flags: { concurrency: options.concurrency },
  });
  for (const { message, suggestion } of settings.warnings)
    console.warn([message, suggestion].filter(Boolean).join('; '));
  const { projectFolder } = console;
  const runId = await findUnfinishedRun(projectFolder, givenId);
  await using machinery = await compose({
    settings: settings.value,
    projectFolder,
    stateFolder: stateFolder(host),
    useCache: options.cache,
    warn: console.warn,
  });
  return await conduct(console, {
    machinery,
    plain: options.plain === true,
    start: async () => {
      const run = await resumeRun({ runId, projectDirectory: projectFolder, ...machinery });
      const { events } = await readRun(projectFolder, runId);
      const first = events.findLast((event) => event.type === 'runResumed');
      if (first === undefined) throw new Error(`Run ${runId} was not taken up.`);
      return { run, first };
    },
  });
}
