/** `cadre resume`: goes on with a run that crashed, was stopped or failed. */
import { readRun, resumeRun } from '@cadre/workflow';
import { conduct } from '../conduct.ts';
import { openConsole } from '../console.ts';
import type { Host } from '../host.ts';
import { composeRun, loadRunSettings, type RunningOptions } from '../run-setup.ts';
import { findUnfinishedRun } from '../runs.ts';

export async function resume(host: Host, givenId: string | undefined, options: RunningOptions): Promise<number> {
  const console = openConsole(host, options);
  const settings = await loadRunSettings(host, console, options);
  const { projectFolder } = console;
  const runId = await findUnfinishedRun(projectFolder, givenId);
  await using machinery = await composeRun(host, console, settings, options.cache);
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
