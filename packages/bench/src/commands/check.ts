/**
 * `cadre-bench check`: every built case once, by plain Node, untimed: whether it loads, does right and equal work. A test
 * runner that transforms imports is laxer than Node (about CommonJS above all), so a case can pass there and fail here.
 */
import { join } from 'node:path';
import { defineCommand, exitCodes, needsOptions, resolveFolders, resolveNeeds } from '../command.ts';
import { assertEqualWork } from '../equal-work.ts';
import { type AnyCase, type FoundCase, findCases, loadCase } from '../find-cases.ts';
import { measureSize } from '../kinds/size.ts';
import { applyNeeds, describeLeftOut, type OnMissing } from '../needs.ts';
import { runWorker, type WorkerOptions } from '../worker.ts';

export const checkCommand = defineCommand({
  summary: 'run each built case once, untimed, and validate its work',
  positional: '[package[/case]]',
  options: needsOptions,
  async run({ values, positional }, context) {
    const { casesDirectory, resultsDirectory } = resolveFolders(values);
    const found = await findCases(casesDirectory, positional);
    const workDirectory = join(resultsDirectory, `work-${process.pid}`);
    const worker = { workDirectory, timeoutMs: 60_000, signal: context.signal };
    const counts = { ok: 0, 'left out': 0, FAILED: 0 };
    for (const entry of found) {
      const { outcome, says } = await checkFound(entry, worker, resolveNeeds(values));
      counts[outcome] += 1;
      context.screen.write(`${outcome.padEnd(8)} ${entry.name}${says}\n`);
    }
    const leftOut = counts['left out'] > 0 ? `, ${counts['left out']} left out` : '';
    context.screen.write(`${counts.ok} sound, ${counts.FAILED} failed${leftOut}\n`);
    return counts.FAILED > 0 ? exitCodes.caseFailed : exitCodes.done;
  },
});

interface Checked {
  readonly outcome: 'ok' | 'left out' | 'FAILED';
  /** What comes after the name. */
  readonly says: string;
}

async function checkFound(found: FoundCase, worker: WorkerOptions, onMissing: OnMissing): Promise<Checked> {
  try {
    const loaded = await loadCase(found);
    const { definition, leftOut } = await applyNeeds(found.name, loaded.definition, onMissing);
    const says = leftOut.map((entry) => `: ${describeLeftOut(entry)}`).join('');
    if (definition === undefined) return { outcome: 'left out', says };
    await runVariants(found, definition, worker);
    return { outcome: 'ok', says };
  } catch (error) {
    worker.signal?.throwIfAborted();
    return { outcome: 'FAILED', says: `: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Each in a process of its own, as it is measured. */
async function runVariants({ file, name }: FoundCase, definition: AnyCase, worker: WorkerOptions): Promise<void> {
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
