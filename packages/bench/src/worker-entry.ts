/** The process in which one variant is calibrated or measured: a request in argv, one answer on descriptor 3. */
import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { BenchmarkCase } from './case.ts';
import { controls } from './controls.ts';
import { calibrateBatch, measureBatches, processClock } from './measure.ts';
import type { VariantAddress, WorkerReport, WorkerRequest } from './worker.ts';

const request: WorkerRequest = JSON.parse(process.argv[2] ?? '');
writeSync(3, JSON.stringify(await answer(request)));
// What a rival left open must not keep the round waiting.
process.exit(0);

async function answer({ address, task, directory }: WorkerRequest): Promise<WorkerReport> {
  try {
    const definition = await load(address);
    const prepare = definition.variants[address.variant];
    if (prepare === undefined) return { type: 'failed', message: `There is no variant ${address.variant}.` };
    const prepared = await prepare({ directory });
    try {
      if (task.type === 'calibrate') {
        const result = await prepared.run(1);
        const validate = (batchResult: unknown, iterations: number) => definition.validate(batchResult, iterations);
        const calibration = await calibrateBatch(prepared, validate, { ...task, clock: processClock });
        return { type: 'calibrated', result, ...calibration };
      }
      const { samples, result } = await measureBatches(prepared, task, processClock);
      definition.validate(result, task.iterations);
      return { type: 'measured', samples, peakRssBytes: process.resourceUsage().maxRSS * 1024 };
    } finally {
      await prepared.close?.();
    }
  } catch (error) {
    return { type: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

async function load(address: VariantAddress): Promise<BenchmarkCase> {
  if ('control' in address) return controls[address.control] as BenchmarkCase;
  const module: { default: BenchmarkCase } = await import(pathToFileURL(address.file).href);
  return module.default;
}
