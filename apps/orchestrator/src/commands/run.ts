/** `cadre run`: a workflow from its file to its end. */
import { resolve } from 'node:path';
import { loadWorkflow, resolveInputs, startRun } from '@cadre/workflow';
import { compose } from '../compose.ts';
import { conduct } from '../conduct.ts';
import { openConsole, type SharedOptions } from '../console.ts';
import { CadreError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { stateFolder } from '../folders.ts';
import type { Host } from '../host.ts';
import { loadSettings } from '../settings.ts';
import { planLines, planValue } from '../view/plan.ts';

export interface RunOptions extends SharedOptions {
  readonly input: readonly string[];
  readonly dryRun?: boolean;
  readonly plain?: boolean;
  readonly concurrency?: number;
  readonly profile?: string;
  /** False: `--no-cache`. */
  readonly cache: boolean;
}

export async function run(host: Host, file: string, options: RunOptions): Promise<number> {
  const console = openConsole(host, options);
  const settings = await loadSettings(host, {
    directory: resolve(host.directory, options.project ?? '.'),
    profile: options.profile,
    flags: { concurrency: options.concurrency },
  });
  for (const { message, suggestion } of settings.warnings)
    console.warn([message, suggestion].filter(Boolean).join('; '));
  const workflow = await loadWorkflow(resolve(host.directory, file));
  const inputs = resolveInputs(workflow, inputsOf(options.input), { cwd: host.directory });

  if (options.dryRun === true) {
    const concurrency = Math.min(settings.value.concurrency, workflow.concurrency ?? Number.POSITIVE_INFINITY);
    const plan = { workflow, inputs, concurrency, cache: options.cache };
    if (console.json) console.print(JSON.stringify(planValue(plan), null, 2));
    else for (const line of planLines(plan, console)) console.print(line);
    return exitCodes.succeeded;
  }
  const { projectFolder } = console;
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
