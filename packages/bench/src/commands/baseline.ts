/** `cadre-bench baseline`: stores each package's part of a record as what later runs are held against. */
import { join, resolve } from 'node:path';
import { findNoise } from '../baseline.ts';
import {
  defineCommand,
  exitCodes,
  type MeasuringOptions,
  measuringOptions,
  resolveMeasuring,
  UsageError,
} from '../command.ts';
import { BenchError } from '../errors.ts';
import { describeLeftOut } from '../needs.ts';
import { type BenchmarkRecord, countFailures, readRecord, writeRecord } from '../record.ts';
import { measureAndKeep } from './measure-and-keep.ts';

export const baselineCommand = defineCommand({
  summary: 'measure the cases and store the baselines',
  positional: '[package]',
  options: {
    ...measuringOptions,
    from: { type: 'string', value: 'FILE', help: 'store this kept record instead of measuring' },
    force: { type: 'boolean', default: false, help: 'store it although the machine was noisy' },
  },
  async run(typed, context) {
    const { quick, from, force } = typed.values;
    if (quick) throw new UsageError('A baseline is not measured quickly: leave --quick out.');
    return storeBaselines(resolveMeasuring(typed, context), from === undefined ? undefined : resolve(from), force);
  },
});

/** The stored baseline of a package, or undefined where there is none. */
export async function readBaseline(directory: string, packageName: string): Promise<BenchmarkRecord | undefined> {
  try {
    return await readRecord(baselinePath(directory, packageName));
  } catch (error) {
    if (error instanceof BenchError && error.code === 'BENCH_RECORD_NOT_FOUND') return undefined;
    throw error;
  }
}

async function storeBaselines(
  options: MeasuringOptions,
  fromFile: string | undefined,
  force: boolean,
): Promise<number> {
  const { screen } = options;
  const record = fromFile === undefined ? await measureAndKeep(options) : await readRecord(fromFile);
  const noise = findNoise(record);
  if (noise !== undefined && !force) {
    screen.write(
      `Too noisy, no baseline was stored: ${noise}\nWait for a quiet machine, or store it all the same with --force.\n`,
    );
    return exitCodes.tooNoisy;
  }
  if (countFailures(record) > 0) {
    screen.write('A case failed, so no baseline was stored.\n');
    return exitCodes.caseFailed;
  }
  const chosen = record.packages.filter(({ name }) => options.filter === undefined || options.filter === name);
  if (chosen.length === 0) {
    screen.write(
      `A baseline is stored for a whole package; this record has ${record.packages.map(({ name }) => name).join(', ')}.\n`,
    );
    return exitCodes.usage;
  }
  for (const entry of chosen) {
    const path = baselinePath(options.baselinesDirectory, entry.name);
    await writeRecord(path, { ...record, packages: [entry] });
    screen.write(`stored ${path}\n`);
    for (const missing of entry.leftOut) screen.write(`  ${describeLeftOut(missing)}\n`);
  }
  return exitCodes.done;
}

function baselinePath(directory: string, packageName: string): string {
  return join(directory, `${packageName}.json`);
}
