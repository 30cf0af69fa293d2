/** The process in which one variant is calibrated or measured: a request in argv, one answer on descriptor 3. */
import { writeSync } from 'node:fs';
import { checkVariant } from './check-case.ts';
import { controls } from './controls.ts';
import { inspectDisk } from './disk-honesty.ts';
import { BenchError } from './errors.ts';
import type { AnyCase, CaseKind } from './find-cases.ts';
import { importCase, kindOf } from './find-cases.ts';
import { measureLeak } from './kinds/leak.ts';
import { measureLoad } from './kinds/load.ts';
import { measureMemory } from './kinds/memory.ts';
import { runScenario } from './kinds/scenario.ts';
import { calibrateBatch, measureBatches, processClock } from './measure.ts';
import { withVariant } from './with-variant.ts';
import type { VariantAddress, WorkerAnswer, WorkerReports, WorkerRequest, WorkerTask } from './worker.ts';

const request: WorkerRequest = JSON.parse(process.argv[2] ?? '');
writeAll(3, JSON.stringify(await answer(request)));
// What a rival left open must not keep the round waiting.
process.exit(0);

async function answer({ address, task, directory }: WorkerRequest): Promise<WorkerAnswer> {
  try {
    return { report: await work(address, task, directory) };
  } catch (error) {
    const message = error instanceof Error ? describeError(error) : String(error);
    return error instanceof BenchError ? { failed: message, code: error.code } : { failed: message };
  }
}

async function work(
  address: VariantAddress,
  task: WorkerTask,
  directory: string,
): Promise<WorkerReports[WorkerTask['type']]> {
  if (task.type === 'inspectDisk') return inspectDisk(directory);
  const definition = await load(address);
  const { variant } = address;
  if (task.type === 'check') {
    if (definition.kind === 'size') throw new TypeError('A size is not run in a process of its own.');
    return { result: await checkVariant(definition, variant, { directory }, task.iterations) };
  }
  switch (task.type) {
    case 'calibrate':
    case 'measure':
      return timed(expectKind(definition, 'measure'), variant, task, directory);
    case 'load': {
      const loadCase = expectKind(definition, 'load');
      return withVariant(loadCase.variants, variant, { directory }, (prepared) =>
        measureLoad({ ...loadCase, ...task.overrides }, prepared),
      );
    }
    case 'memory': {
      const memoryCase = expectKind(definition, 'memory');
      return withVariant(memoryCase.variants, variant, { directory }, (prepared) =>
        measureMemory(memoryCase, prepared, task.items),
      );
    }
    case 'leak': {
      const leakCase = expectKind(definition, 'leak');
      return withVariant(leakCase.variants, variant, { directory }, (prepared) => measureLeak(leakCase, prepared));
    }
    case 'scenario': {
      const scenario = expectKind(definition, 'scenario');
      return withVariant(scenario.variants, variant, { directory }, (prepared) => runScenario(scenario, prepared));
    }
  }
}

async function timed(
  definition: Extract<AnyCase, { readonly kind?: 'measure' }>,
  variant: string,
  task: Extract<WorkerTask, { readonly type: 'calibrate' | 'measure' }>,
  directory: string,
): Promise<WorkerReports['calibrate' | 'measure']> {
  return withVariant(definition.variants, variant, { directory }, async (prepared) => {
    if (task.type === 'calibrate') {
      const result = await prepared.run(1);
      const validate = (batchResult: unknown, iterations: number) => definition.validate(batchResult, iterations);
      return { result, ...(await calibrateBatch(prepared, validate, { ...task, clock: processClock })) };
    }
    const { samples, result } = await measureBatches(prepared, task, processClock);
    definition.validate(result, task.iterations);
    return { samples, peakRssBytes: process.resourceUsage().maxRSS * 1024 };
  });
}

async function load(address: VariantAddress): Promise<AnyCase> {
  return 'control' in address ? (controls[address.control] as AnyCase) : importCase(address.file);
}

function expectKind<Kind extends CaseKind>(
  definition: AnyCase,
  kind: Kind,
): Extract<AnyCase, { readonly kind?: Kind | undefined }> {
  if (kindOf(definition) !== kind) throw new TypeError(`The case is of kind ${kindOf(definition)}, not ${kind}.`);
  return definition as Extract<AnyCase, { readonly kind?: Kind | undefined }>;
}

function describeError(error: Error): string {
  const text = error instanceof BenchError ? error.message : (error.stack ?? error.message);
  return error.cause instanceof Error ? `${text}\n${error.cause.stack ?? error.cause.message}` : text;
}

/** A pipe takes what it has room for: a long answer goes in several writes. */
function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}
