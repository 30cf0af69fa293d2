/** `cadre run`: a workflow from its file to its end. */
import { resolve } from 'node:path';
import { loadWorkflow, resolveInputs, startRun } from '@cadre/workflow';
import { conduct } from '../conduct.ts';
import { openConsole } from '../console.ts';
import { CadreError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Host } from '../host.ts';
import { composeRun, loadRunSettings, type RunningOptions } from '../run-setup.ts';
import { planLines, planValue } from '../view/plan.ts';

export interface RunOptions extends RunningOptions {
  readonly input: readonly string[];
  readonly dryRun?: boolean;
}

export async function run(host: Host, file: string, options: RunOptions): Promise<number> {
  const console = openConsole(host, options);
  const settings = await loadRunSettings(host, console, options);
  const workflow = await loadWorkflow(resolve(host.directory, file));
  const inputs = resolveInputs(workflow, inputsOf(options.input), { cwd: host.directory });

  if (options.dryRun === true) {
    const concurrency = Math.min(settings.concurrency, workflow.concurrency ?? Number.POSITIVE_INFINITY);
    const plan = { workflow, inputs, concurrency, cache: options.cache };
    if (console.json) console.print(JSON.stringify(planValue(plan), null, 2));
    else for (const line of planLines(plan, console)) console.print(line);
    return exitCodes.succeeded;
  }
  const { projectFolder } = console;
  await using machinery = await composeRun(host, console, settings, options.cache);
  return await conduct(console, {
    machinery,
    plain: options.plain === true,
    start: async () => {
      const started = await startRun({ workflow, inputs, projectDirectory: projectFolder, ...machinery });
      const first = started.state.started;
      if (first === undefined) throw new Error(`Run ${started.id} has no beginning.`);
      return { run: started, first };
    },
  });
}

/** @throws {CadreError} CADRE_USAGE */
function inputsOf(given: readonly string[]): Readonly<Record<string, string>> {
  const inputs: Record<string, string> = Object.create(null);
  for (const text of given) {
    const at = text.indexOf('=');
    if (at < 1) throw new CadreError('CADRE_USAGE', `--input ${text}: expected name=value, such as --input root=src.`);
    const name = text.slice(0, at);
    if (Object.hasOwn(inputs, name)) throw new CadreError('CADRE_USAGE', `--input ${name} is given twice.`);
    inputs[name] = text.slice(at + 1);
  }
  return inputs;
}
