/**
 * `cadre-bench check`: every built case once, by plain Node, untimed: whether it loads, does right and equal work. A test
 * runner that transforms imports is laxer than Node (about CommonJS above all), so a case can pass there and fail here.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  type Command,
  type CommandContext,
  exitCodes,
  folderOptions,
  onlyPositional,
  resolveFolders,
} from '../command.ts';
import { assertEqualWork } from '../equal-work.ts';
import { type FoundCase, findCases, loadCase } from '../find-cases.ts';
import { measureSize } from '../kinds/size.ts';
import { runWorker, type WorkerOptions } from '../worker.ts';

export const checkCommand: Command = {
  summary: 'run each built case once, untimed, and validate its work',
  usage: ['[package[/case]]'],
  async run(args, context) {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: folderOptions });
    const { casesDirectory, resultsDirectory } = resolveFolders(values);
    const found = await findCases(casesDirectory, onlyPositional(positionals));
    const workDirectory = join(resultsDirectory, `work-${process.pid}`);
    const failed = await checkAll(found, { workDirectory, timeoutMs: 60_000, signal: context.signal }, context);
    context.screen.write(`${found.length - failed} sound, ${failed} failed\n`);
    return failed > 0 ? exitCodes.caseFailed : exitCodes.done;
  },
};

async function checkAll(
  found: readonly FoundCase[],
  worker: WorkerOptions,
  { screen }: CommandContext,
): Promise<number> {
  let failed = 0;
  for (const entry of found) {
    try {
      await checkFound(entry, worker);
      screen.write(`ok      ${entry.name}\n`);
    } catch (error) {
      worker.signal?.throwIfAborted();
      failed += 1;
      screen.write(`FAILED  ${entry.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
  return failed;
}

/** Each variant in a process of its own, as it is measured. */
async function checkFound(found: FoundCase, worker: WorkerOptions): Promise<void> {
  const { definition, file, name } = await loadCase(found);
  if (definition.kind === 'size') {
    await measureSize(definition, file, worker.signal);
    return;
  }
  const results: Record<string, unknown> = {};
  for (const variant of Object.keys(definition.variants)) {
    results[variant] = (await runWorker({ file, variant }, { type: 'check', iterations: 2 }, worker)).result;
  }
  assertEqualWork(name, results);
}
